"""Adds each request's time in the driver and its wait for a connection to its RequestTimes.

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

DRIVER_CALLS = (
    "do_execute",
    "do_executemany",
    "do_execute_no_params",
    "do_commit",
    "do_rollback",
    "do_ping",
)
"""The dialect's methods through which every statement reaches the driver. Drivers fetch all rows of
a buffered cursor within execute, so that reading and decoding are included."""


def time_driver(engine: Engine) -> None:
    """Make this engine's driver calls count as `db`, and stamp the end of each endpoint."""
    for name in DRIVER_CALLS:
        setattr(engine.dialect, name, _timed(getattr(engine.dialect, name)))
    event.listen(engine, "checkin", _on_checkin)


def _on_checkin(*_: Any) -> None:
    """The endpoint is done; FastAPI checks a sync endpoint's answer in another worker thread."""
    handed_over(None)


def _timed(call: Callable[..., Any]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
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
