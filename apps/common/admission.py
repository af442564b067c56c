"""The first-come-first-served gate in front of the connection pool.

SQLAlchemy's pools let newcomers overtake waiters, and a sync app whose requests hold threads while
they wait for connections can lock itself up. Both end when no more requests are let in than the
pool holds, in the order of their arrival, waiting on the loop where a wait costs no thread.
"""

from __future__ import annotations

import asyncio
from collections import deque
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from apps.common.edge import OWN_PATHS
from apps.common.errors import unavailable
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


class Admission:
    """ASGI layer that lets requests for the database through in their turn.

    It stands before routing; as a dependency it costs more, around each route's handler about the
    same (benchmarks/admission). Bodies are here already (`WholeBody`), so that a slow sender holds
    no place, and the place is given back when the answer starts, so that a slow receiver does not
    either.
    """

    def __init__(self, app: ASGIApp, gate: AdmissionGate) -> None:
        self.app = app
        self.gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in, or answer 503."""
        if scope["type"] != "http" or scope["path"] in OWN_PATHS:
            await self.app(scope, receive, send)
            return
        try:
            await enter_timed(self.gate)
        except NotAdmitted:
            detail = f"The request was not let in within {self.gate.wait_s:g} s."
            await unavailable("Too many requests at once", detail)(scope, receive, send)
            return
        place = Place(self.gate, send)
        try:
            await self.app(scope, receive, place.send)
        finally:
            place.leave()


class Place:
    """One request's place behind the gate, given back once."""

    __slots__ = ("_gate", "_held", "_send")

    def __init__(self, gate: AdmissionGate, send: Send) -> None:
        self._gate = gate
        self._send = send
        self._held = True

    async def send(self, message: Message) -> None:
        """Send, giving the place back when the answer starts."""
        self.leave()
        await self._send(message)

    def leave(self) -> None:
        """Give the place back, if that has not happened."""
        if self._held:
            self._held = False
            self._gate.leave()


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
