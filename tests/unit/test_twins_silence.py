"""The watch over lent connections: who is cut, who is not, and that the cut wakes the waiter."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from apps.common.request_times import RequestTimes, current
from apps.common.silence import FLOOR_S, Lent, SilenceWatch, bounded


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server whose kernel accepts connections and that never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as listener:
        yield listener.getsockname()[1]


def test_overdue_counts_what_the_request_asked_for() -> None:
    times = RequestTimes()
    times.longer_s = 2.0
    usual, longer = Lent(10.0, None, lambda: None), Lent(10.0, times, lambda: None)
    assert not usual.overdue(11.0, 1.0)
    assert usual.overdue(11.1, 1.0)
    assert not longer.overdue(12.9, 1.0)
    assert longer.overdue(13.1, 1.0)


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


def test_a_pymysql_handshake_in_silence_is_cut(silent_port: int) -> None:
    url = f"mysql+pymysql://nobody@127.0.0.1:{silent_port}/x"
    engine = create_engine(url, connect_args={"connect_timeout": 5})
    watch, failures = SilenceWatch(engine, 5.0), []

    def connect() -> None:
        try:
            engine.connect()
        except OperationalError as error:
            failures.append(error)

    thread = threading.Thread(target=connect)
    thread.start()
    until = time.monotonic() + 10
    while not watch.cut_overdue(time.perf_counter() + 60):
        assert time.monotonic() < until
        time.sleep(0.01)
    thread.join(10)
    assert not thread.is_alive()
    assert failures[0].orig is not None
    assert failures[0].orig.args[0] == 2013


def test_an_async_handshake_in_silence_is_given_up(silent_port: int) -> None:
    async def connect() -> None:
        await bounded("aiomysql", 0.05)(host="127.0.0.1", port=silent_port, user="nobody")

    with pytest.raises(TimeoutError):
        asyncio.run(connect())


def test_limit_has_a_floor_and_leaves_time_to_answer() -> None:
    engine = create_engine("sqlite://")
    short, usual = SilenceWatch(engine, 0.05), SilenceWatch(engine, 5.0)
    assert short._limit_s + short._tick_s == pytest.approx(FLOOR_S)
    assert usual._limit_s + usual._tick_s == pytest.approx(5.0)
    assert current.get() is None
    engine.dispose()
