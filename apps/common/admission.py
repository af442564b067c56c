"""The first-come-first-served gate in front of the connection pool.

SQLAlchemy's pools let newcomers overtake waiters, and a sync app whose requests hold threads while
they wait for connections can lock itself up. Both end when no more requests are let in than the
pool holds, in the order of their arrival, waiting on the loop where a wait costs no thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from apps.common.edge import OWN_PATHS
from apps.common.request_times import NotAdmitted, current


class AdmissionGate:
    """Lets `limit` callers in at once, in order of arrival, each waiting at most `wait_s`.

    Belongs to one event loop. A slot is handed straight from the one who leaves to the one who has
    waited longest, so nobody can slip in between.
    """

    def __init__(self, limit: int, wait_s: float) -> None:
        self.free = limit
        self.wait_s = wait_s
        self._queue: deque[asyncio.Future[bool]] = deque()

    @property
    def waiting(self) -> int:
        """Callers waiting now."""
        return sum(not waiter.done() for waiter in self._queue)

    async def enter(self) -> None:
        """Take a slot, after waiting if need be. Raises NotAdmitted after `wait_s`."""
        if self.free:
            self.free -= 1
            return
        loop = asyncio.get_running_loop()
        admitted = loop.create_future()
        self._queue.append(admitted)
        timer = loop.call_later(self.wait_s, self._give_up, admitted)
        try:
            if not await admitted:
                raise NotAdmitted
        except asyncio.CancelledError:
            self._withdraw(admitted)
            raise
        finally:
            timer.cancel()

    def leave(self) -> None:
        """Give the slot to whoever has waited longest, or keep it free."""
        while self._queue:
            waiter = self._queue.popleft()
            if not waiter.done():
                waiter.set_result(True)
                return
        self.free += 1

    def _give_up(self, waiter: asyncio.Future[bool]) -> None:
        if not waiter.done():
            waiter.set_result(False)
        self._forget_the_done()

    def _withdraw(self, waiter: asyncio.Future[bool]) -> None:
        """A caller cancelled in the very turn in which it was let in passes its slot on."""
        if not waiter.cancelled() and waiter.result():
            self.leave()
        self._forget_the_done()

    def _forget_the_done(self) -> None:
        while self._queue and self._queue[0].done():
            self._queue.popleft()


class GatedRoute(APIRoute):
    """A route whose requests pass the app's gate, if it has one.

    In this place (and not in a middleware) the request is known to be for the database, its body
    has been read, so that a slow sender holds up nobody, and the slot is given back before the
    answer is sent, so that a slow receiver does not either. How it compares to other places is
    measured in benchmarks/admission.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler of this route, behind the gate."""
        handle = super().get_route_handler()
        if self.path in OWN_PATHS:
            return handle
        has_body = self.body_field is not None

        async def handle_in_turn(request: Request) -> Response:
            gate: AdmissionGate | None = request.app.state.gate
            if gate is None:
                return await handle(request)
            if has_body:
                await request.body()
            await enter_timed(gate)
            try:
                return await handle(request)
            finally:
                gate.leave()

        return handle_in_turn


async def enter_timed(gate: AdmissionGate) -> None:
    """Enter, counting a wait as waiting for a connection. Raises NotAdmitted."""
    times = current.get()
    if times is None or gate.free:
        await gate.enter()
        return
    began_s = perf_counter()
    try:
        await gate.enter()
    finally:
        times.pool_s += perf_counter() - began_s
