"""The split of a request's time: threads, pool, driver; commit and rollback included."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any, get_type_hints

import pytest
from pydantic import TypeAdapter
from sqlalchemy import create_engine, text

from apps.common.request_times import (
    NoThread,
    RequestTimes,
    current,
    enter_endpoint,
    handed_over,
    taken_over,
)
from apps.common.timed_driver import TimedQueuePool, time_driver

DELAY_S = 0.02


@pytest.fixture
def times() -> Any:
    times = RequestTimes()
    token = current.set(times)
    yield times
    current.reset(token)


def in_a_thread(call: Callable[[], Any]) -> Any:
    """As anyio does it: in a copy of the context, in another thread."""
    seen: list[Any] = []
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: seen.append(context.run(call)))
    thread.start()
    thread.join()
    return seen[0]


def test_header_has_the_four_times_in_ms(times: RequestTimes) -> None:
    times.thread_s, times.pool_s, times.db_s = 0.001, 0.0025, 1.5
    assert times.server_timing().startswith(
        "thread;dur=1.000, pool;dur=2.500, db;dur=1500.000, total;dur="
    )


def test_thread_wait_is_seen_through_the_context_s_copy(times: RequestTimes) -> None:
    handed_over("value")
    time.sleep(DELAY_S)
    in_a_thread(lambda: enter_endpoint(0, 5))
    assert times.thread_s >= DELAY_S
    before_s = times.thread_s
    in_a_thread(lambda: handed_over(None))
    time.sleep(DELAY_S)
    assert in_a_thread(lambda: taken_over("answer")) == "answer"
    assert times.thread_s >= before_s + DELAY_S, "the second wait counts as well"


EXAMPLES: dict[str, Any] = {
    "item_id": 1,
    "body": {"name": "lamp", "price": 1},
    "changes": {"price": 1},
    "conditions": {"price": 1},
    "query": {},
    "ms": 1,
}
"""Good values for every parameter that an endpoint of the twins takes."""


@pytest.mark.parametrize("twin", ["sync", "async"])
def test_every_parameter_is_checked_before_the_wait_for_a_thread_begins(
    twin: str, times: RequestTimes
) -> None:
    """Else checking would be part of sync's `thread` and of async's own work."""
    routes = import_module(f"apps.{twin}_app.routes").router.routes
    seen = set()
    for route in routes:
        for name, kind in get_type_hints(route.endpoint, include_extras=True).items():
            if name in ("database", "return"):
                continue
            times.handed_over_s = 0.0
            TypeAdapter(kind).validate_python(EXAMPLES[name])
            assert times.handed_over_s > 0, (route.path, name)
            seen.add(name)
    assert seen == set(EXAMPLES)


def test_no_thread_no_wait(times: RequestTimes) -> None:
    handed_over(None)
    time.sleep(DELAY_S)
    enter_endpoint(1500, 0.001)
    assert (times.thread_s, times.longer_s) == (0.0, 1.5)


def test_a_wait_beyond_patience_ends_the_request(times: RequestTimes) -> None:
    handed_over(None)
    time.sleep(DELAY_S)

    def enter() -> str:
        with pytest.raises(NoThread):
            enter_endpoint(0, DELAY_S / 2)
        return "refused"

    assert in_a_thread(enter) == "refused"


def test_the_gate_s_share_counts_for_a_request_that_waits_for_a_thread(
    times: RequestTimes,
) -> None:
    times.asked_s -= 60
    enter_endpoint(0, 5)  # on the loop there is no thread to wait for
    with pytest.raises(NoThread):
        _elsewhere(lambda: enter_endpoint(0, 5))


def _elsewhere(call: Callable[[], None]) -> None:
    with ThreadPoolExecutor(1) as executor:
        executor.submit(contextvars.copy_context().run, call).result()


def test_outside_of_requests_nothing_is_timed() -> None:
    assert current.get() is None
    assert handed_over(5) == taken_over(5) == 5
    enter_endpoint(0, 5)


@pytest.mark.parametrize("call", ["do_execute", "do_commit", "do_rollback"])
def test_driver_calls_count_to_their_end(times: RequestTimes, call: str) -> None:
    """SQLAlchemy's own events fire before the driver's call and would miss a commit's fsync."""
    engine = create_engine("sqlite://")
    with engine.connect():
        pass  # SQLAlchemy's own first look at the database, and its rollback, are over
    original = getattr(engine.dialect, call)

    def slow(*arguments: Any) -> Any:
        time.sleep(DELAY_S)
        return original(*arguments)

    setattr(engine.dialect, call, slow)
    time_driver(engine)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        assert (times.db_s >= DELAY_S) is (call == "do_execute")
        connection.commit()
    assert times.db_s >= DELAY_S
    engine.dispose()


def test_driver_calls_are_counted_outside_of_requests_too() -> None:
    engine = create_engine("sqlite://")
    calls = time_driver(engine)
    with engine.connect():
        pass  # SQLAlchemy's own first look at the database
    assert calls["connect"] == 1
    before = dict(calls)
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE numbers (n INT)"))
        connection.execute(text("INSERT INTO numbers VALUES (:n)"), [{"n": 1}, {"n": 2}])
        connection.commit()
    grown = {kind: count - before[kind] for kind, count in calls.items()}
    # One rollback: the pool resets what comes back to it.
    assert grown == {"execute": 2, "commit": 1, "rollback": 1, "ping": 0, "connect": 0}
    engine.dispose()


def test_waiting_for_a_connection_counts_even_in_vain(times: RequestTimes) -> None:
    engine = create_engine(
        "sqlite://", poolclass=TimedQueuePool, pool_size=1, max_overflow=0, pool_timeout=DELAY_S
    )
    with engine.connect():
        free_s = times.pool_s
        with pytest.raises(Exception, match="QueuePool limit"):
            engine.connect()
    assert times.pool_s >= free_s + DELAY_S
    engine.dispose()


def test_returning_a_connection_stamps_the_endpoint_s_end(times: RequestTimes) -> None:
    engine = create_engine("sqlite://")
    time_driver(engine)
    before_s = times.handed_over_s
    with engine.connect():
        assert times.handed_over_s == before_s
    assert times.handed_over_s > before_s
    engine.dispose()
