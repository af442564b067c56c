"""Where one request's time went: a mutable record that follows the request onto loop and thread.

A ContextVar holds the record. A variable *set* inside a worker thread would be lost, since the
thread runs in a copy of the context; the record itself is shared by all copies.
"""

from __future__ import annotations

from contextvars import ContextVar
from threading import get_ident
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")


class RequestTimes:
    """One request's stamps and sums, in seconds of `time.perf_counter`."""

    __slots__ = (
        "arrived_s",
        "asked_s",
        "db_s",
        "handed_over_s",
        "longer_s",
        "loop_thread",
        "pool_s",
        "thread_s",
    )

    def __init__(self) -> None:
        self.arrived_s = perf_counter()
        self.asked_s = self.arrived_s
        """When all of the request was here: from then on it waits for us, no longer we for it."""
        self.handed_over_s = self.arrived_s
        """When the loop, or the endpoint on its way out, last passed the request on."""
        self.loop_thread = get_ident()
        self.thread_s = 0.0
        """Waited for a worker thread; stays 0 where none is needed."""
        self.pool_s = 0.0
        """Waited for a connection, the admission gate included."""
        self.db_s = 0.0
        """In the driver, commit and rollback included."""
        self.longer_s = 0.0
        """How much longer than usual the request was asked to keep its connection."""

    def whole(self) -> None:
        """Stamp that all of the request is here."""
        self.asked_s = perf_counter()

    def server_timing(self) -> str:
        """The value of the Server-Timing header, milliseconds."""
        total_s = perf_counter() - self.arrived_s
        return (
            f"thread;dur={self.thread_s * 1e3:.3f}, pool;dur={self.pool_s * 1e3:.3f}, "
            f"db;dur={self.db_s * 1e3:.3f}, total;dur={total_s * 1e3:.3f}"
        )


current: ContextVar[RequestTimes | None] = ContextVar("request_times", default=None)
"""The record of the request being handled; None outside of requests."""


class NotAdmitted(Exception):
    """The wait at the admission gate lasted longer than configured."""


class NoThread(Exception):
    """No worker thread became free within the configured wait."""


def handed_over(value: T) -> T:
    """Stamp that the request is about to be given to a worker thread, should it need one.

    Passes `value` through, so that it can stand as a validator.
    """
    if (times := current.get()) is not None:
        times.handed_over_s = perf_counter()
    return value


def taken_over(value: T) -> T:
    """Count the time since `handed_over` as waiting for a thread, if this is another thread.

    Passes `value` through, so that it can stand as a validator.
    """
    times = current.get()
    if times is not None and get_ident() != times.loop_thread:
        times.thread_s += perf_counter() - times.handed_over_s
    return value


def enter_endpoint(longer_ms: int, patience_s: float) -> None:
    """First in an endpoint: count its wait for a thread, note how much longer it will take.

    Raises NoThread when a request that waited for a thread has used up `patience_s`, the gate's
    share included: it would otherwise wait for a connection after it.
    """
    times = taken_over(current.get())
    if times is None:
        return
    times.longer_s = longer_ms / 1000
    if times.thread_s and perf_counter() - times.asked_s > patience_s:
        raise NoThread
