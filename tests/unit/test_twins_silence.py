"""The watch over lent connections: who is cut and when, and that the cut wakes the waiter."""

from __future__ import annotations

import asyncio
import contextvars
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from apps.common.deadline import FLOOR_S
from apps.common.request_times import RequestTimes, current
from apps.common.silence import SilenceWatch, bounded

LIMIT_S = 100.0
WAITED_S = 60.0
"""What the requests of these tests have waited before."""


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server whose kernel accepts connections and that never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def times() -> Iterator[RequestTimes]:
    times = RequestTimes()
    times.asked_s -= WAITED_S
    token = current.set(times)
    yield times
    current.reset(token)


@pytest.mark.parametrize(
    ("limit_s", "longer_s", "cut_after_s"),
    [
        (LIMIT_S, 0.0, LIMIT_S - WAITED_S),
        (LIMIT_S, 30.0, LIMIT_S - WAITED_S + 30.0),
        (WAITED_S, 0.0, FLOOR_S),
        (0.01, 0.0, FLOOR_S),
    ],
)
def test_a_lent_connection_is_cut_when_its_request_s_limit_is_reached(
    times: RequestTimes, limit_s: float, longer_s: float, cut_after_s: float
) -> None:
    """Counted from when the request was here, not from when it got the connection."""
    engine, cuts = create_engine("sqlite://"), []
    watch = SilenceWatch(engine, limit_s)
    times.longer_s = longer_s
    connection = SimpleNamespace(close=lambda: cuts.append("cut"))
    record = SimpleNamespace(info={}, driver_connection=connection)
    began_s = time.perf_counter()
    engine.pool.dispatch.checkout(None, record, None)  # type: ignore[attr-defined]
    assert watch.cut_overdue(began_s + cut_after_s - 2 * watch.tick_s) == 0
    assert watch.cut_overdue(time.perf_counter() + cut_after_s) == 1
    assert cuts == ["cut"]
    engine.dispose()


def test_only_lent_connections_are_watched_and_each_is_cut_once() -> None:
    engine, cuts = create_engine("sqlite://"), []
    watch = SilenceWatch(engine, 5.0)
    records = [
        SimpleNamespace(
            info={}, driver_connection=SimpleNamespace(close=lambda key=key: cuts.append(key))
        )
        for key in ("returned", "kept")
    ]
    later_s = time.perf_counter() + 60
    for record in records:
        engine.pool.dispatch.checkout(None, record, None)  # type: ignore[attr-defined]
    engine.pool.dispatch.checkin(None, records[0])  # type: ignore[attr-defined]
    assert watch.cut_overdue(time.perf_counter()) == 0
    assert [watch.cut_overdue(later_s), watch.cut_overdue(later_s)] == [1, 0]
    assert cuts == ["kept"]
    engine.dispose()


@pytest.mark.usefixtures("times")
def test_a_pymysql_handshake_in_silence_is_cut(silent_port: int) -> None:
    engine = create_engine(f"mysql+pymysql://nobody@127.0.0.1:{silent_port}/x")
    watch, failures = SilenceWatch(engine, LIMIT_S), []
    left_s = LIMIT_S - WAITED_S

    def connect() -> None:
        try:
            engine.connect()
        except OperationalError as error:
            failures.append(error)

    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: context.run(connect))
    began_s = time.perf_counter()
    thread.start()
    until = time.monotonic() + 10
    while not watch.cut_overdue(time.perf_counter() + left_s):
        assert watch.cut_overdue(began_s + left_s - 1) == 0, "not before"
        assert time.monotonic() < until
        time.sleep(0.01)
    thread.join(10)
    assert not thread.is_alive()
    assert failures[0].orig is not None
    assert failures[0].orig.args[0] == 2013


@pytest.mark.usefixtures("times")
def test_an_async_handshake_in_silence_is_given_up(silent_port: int) -> None:
    """After FLOOR_S, since the request has used up its limit before; not after all of the limit."""

    async def connect() -> BaseException | None:
        connecting = asyncio.ensure_future(
            bounded("aiomysql", WAITED_S)(host="127.0.0.1", port=silent_port, user="nobody")
        )
        given_up, _ = await asyncio.wait([connecting], timeout=WAITED_S / 2)
        return connecting.exception() if given_up else None

    assert isinstance(asyncio.run(connect()), TimeoutError)


@pytest.mark.usefixtures("times")
def test_mysqlclient_is_told_in_whole_seconds_what_is_left() -> None:
    engine = create_engine("sqlite://")
    named = {"connect_timeout": int(LIMIT_S)}
    SilenceWatch(engine, LIMIT_S).limit_mysqldb(None, None, None, named)
    assert LIMIT_S - WAITED_S - 2 < named["connect_timeout"] <= LIMIT_S - WAITED_S
    engine.dispose()
