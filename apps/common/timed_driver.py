"""Counts driver calls, and adds their time and the wait for a connection to a request's times.

SQLAlchemy's commit and rollback events fire before the driver's call and have no counterpart after
it, so the dialect's own methods are wrapped: otherwise the fsync of a durable commit is missed.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any

from sqlalchemy import AsyncAdaptedQueuePool, Engine, QueuePool, event
from sqlalchemy.pool import Pool, PoolProxiedConnection

from apps.common.request_times import current, handed_over

DRIVER_CALLS = {
    "do_execute": "execute",
    "do_executemany": "execute",
    "do_execute_no_params": "execute",
    "do_commit": "commit",
    "do_rollback": "rollback",
    "do_ping": "ping",
}
"""The dialect's methods through which every statement reaches the driver, and what each counts as.
Drivers fetch all rows of a buffered cursor within execute, so that reading and decoding are
included."""
CONNECT = "connect"

DriverCalls = dict[str, int]
"""Calls since the start: execute, commit, rollback, ping, and connect for connections opened. Exact
for requests one after the other; threads at once, without Python's lock, may lose a count."""


def time_driver(engine: Engine) -> DriverCalls:
    """Make this engine's driver calls count as `db`, and stamp the end of each endpoint.

    Returns the counts, which go on growing.
    """
    calls = dict.fromkeys((*DRIVER_CALLS.values(), CONNECT), 0)
    for name, kind in DRIVER_CALLS.items():
        setattr(engine.dialect, name, _timed(getattr(engine.dialect, name), calls, kind))
    event.listen(engine, "checkin", _on_checkin)
    event.listen(engine, "connect", lambda *_: _count(calls, CONNECT))
    return calls


def _count(calls: DriverCalls, kind: str) -> None:
    calls[kind] += 1


def _on_checkin(*_: Any) -> None:
    """The endpoint is done; FastAPI checks a sync endpoint's answer in another worker thread."""
    handed_over(None)


def _timed(call: Callable[..., Any], calls: DriverCalls, kind: str) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        calls[kind] += 1
        times = current.get()
        if times is None:
            return call(*arguments, **named)
        began_s = perf_counter()
        try:
            return call(*arguments, **named)
        finally:
            times.db_s += perf_counter() - began_s

    return timed


class _TimedCheckout(Pool):
    """A pool whose `connect` counts as waiting for a connection.

    A new connection's own first statements are in `db` already and are not counted twice.
    """

    def connect(self) -> PoolProxiedConnection:
        """Check a connection out, timed."""
        times = current.get()
        if times is None:
            return super().connect()
        began_s, db_before_s = perf_counter(), times.db_s
        try:
            return super().connect()
        finally:
            times.pool_s += perf_counter() - began_s - (times.db_s - db_before_s)


class TimedQueuePool(_TimedCheckout, QueuePool):
    """SQLAlchemy's own pool for threads, timed."""


class TimedAsyncQueuePool(_TimedCheckout, AsyncAdaptedQueuePool):
    """SQLAlchemy's own pool for coroutines, timed."""
