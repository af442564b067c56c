"""What the twins do when connections, threads or the database run out: 503 in time, no hang."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.common.deadline import at_gate_s
from loadtests.environment.processes import free_port
from tests.contract.conftest import DRIVERS, TWINS
from tests.support.twins import Database, RunningTwin, running_twin

pytestmark = pytest.mark.database

WAIT_S = 1.0
GRACE_S = 4.0
"""A loaded machine may be this late; a hang would be far later."""
LIMIT_S = 20.0
"""For what must happen, and does so at once."""


@pytest.fixture(scope="module", params=DRIVERS, ids="-".join)
def small(database: Database, request: pytest.FixtureRequest) -> Iterator[RunningTwin]:
    """A twin with a pool of 2 and a short wait."""
    name, driver = request.param
    schema = f"small_{driver}"
    database.make_schema(schema, rows=100)
    settings = {"driver": driver, "pool_size": 2, "pool_timeout_s": WAIT_S}
    with running_twin(name, database.url(schema), **settings) as twin:
        yield twin


def get(url: str) -> httpx.Response:
    """One request on a connection of its own."""
    return httpx.get(url, timeout=30, verify=False, headers={"connection": "close"})


def at_once(count: int, ask: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as crowd:
        return list(crowd.map(ask, range(count)))


class Crowd:
    """Requests sent one after the other as far as the app is seen to have come, each answered in
    its own time."""

    def __init__(self, twin: RunningTwin, most: int) -> None:
        self._twin, self._threads = twin, ThreadPoolExecutor(most)
        self._client = httpx.Client(base_url=twin.url, timeout=LIMIT_S)

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown()
        self._client.close()

    def ask(self, *paths: str) -> list[Future[httpx.Response]]:
        """Send requests and wait for none of them."""
        return [self._threads.submit(get, self._twin.url + path) for path in paths]

    def until(self, **wanted: int) -> dict[str, Any]:
        """Wait until the app's own gauges are as wanted; all that it says then."""
        give_up_s = time.monotonic() + LIMIT_S
        while True:
            told: dict[str, Any] = self._client.get("/stats").json()
            if wanted.items() <= told.items():
                return told
            assert time.monotonic() < give_up_s, told
            time.sleep(0.005)


def assert_unavailable(response: httpx.Response, limit_s: float = WAIT_S) -> None:
    assert response.status_code == 503, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert int(response.headers["retry-after"]) >= 1
    assert "total;dur=" in response.headers["server-timing"]
    assert response.elapsed.total_seconds() < limit_s + GRACE_S


def stats(twin: RunningTwin) -> dict[str, Any]:
    body: dict[str, Any] = get(f"{twin.url}/stats").json()
    return body


def assert_all_given_back(twin: RunningTwin) -> None:
    with Crowd(twin, 1) as crowd:
        crowd.until(in_flight=0, checked_out=0)
    assert get(f"{twin.url}/items/1").status_code == 200


def _all_stopped(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return all((task / "stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)


@contextmanager
def frozen(database: Database) -> Iterator[None]:
    """A server that is there and says nothing."""
    os.kill(database.pid, signal.SIGSTOP)
    while not _all_stopped(database.pid):  # a thread within a system call goes on to its end
        time.sleep(0.001)
    try:
        yield
    finally:
        os.kill(database.pid, signal.SIGCONT)


def test_pool_exhausted(small: RunningTwin) -> None:
    """Those who hold connections finish; those who cannot get one in time are told so."""
    with Crowd(small, 4) as crowd:
        holders = crowd.ask("/slow?ms=2000", "/hold?ms=2000")
        crowd.until(checked_out=2)
        others = crowd.ask("/items/1", "/items/2")
    assert [held.result().status_code for held in holders] == [200, 200]
    for other in others:
        response = other.result()
        assert_unavailable(response)
        waited = response.headers["server-timing"].split("pool;dur=")[1].split(",")[0]
        assert float(waited) > 1000 * at_gate_s(WAIT_S) - 100
    assert_all_given_back(small)


def test_own_paths_do_not_wait_at_the_gate(small: RunningTwin) -> None:
    """The app tells of those who wait while they wait."""
    with Crowd(small, 3) as crowd:
        crowd.ask(*["/hold?ms=1000"] * 3)
        crowd.until(in_flight=3, checked_out=2, waiting=1)
    assert_all_given_back(small)


@pytest.mark.parametrize("path", ["/items/1", "/ready"])
def test_frozen_database(small: RunningTwin, database: Database, path: str) -> None:
    """Neither lent connections nor new ones wait for ever, and all is well afterwards."""
    assert get(f"{small.url}/items/1").status_code == 200
    with frozen(database):
        for response in at_once(6, lambda _: get(small.url + path)):
            assert_unavailable(response)
        assert_unavailable(get(small.url + path))  # on a new connection: the handshake hangs
    assert_all_given_back(small)


ONE_LIMIT_S = 3.0


@pytest.mark.parametrize("name", TWINS)
def test_one_limit_over_the_gate_and_a_frozen_database(name: str, database: Database) -> None:
    """The first two hold the pool, others wait behind them: for either, or for both in turn.

    Who comes when half of the first two's limit is over is still at the gate when they are cut.
    """
    database.make_schema("limited", rows=10)
    settings = {"pool_size": 2, "pool_timeout_s": ONE_LIMIT_S}
    with running_twin(name, database.url("limited"), **settings) as twin, Crowd(twin, 8) as crowd:
        at_once(2, lambda _: get(f"{twin.url}/slow?ms=100"))  # the pool is filled
        with frozen(database):
            begun_s = time.monotonic()
            first = crowd.ask(*["/items/1"] * 2)
            crowd.until(checked_out=2)
            second = crowd.ask(*["/items/1"] * 2)
            crowd.until(waiting=2)
            time.sleep(max(0.0, begun_s + ONE_LIMIT_S / 2 - time.monotonic()))
            third = crowd.ask(*["/items/1"] * 4)
            answers = [each.result() for each in (*first, *second, *third)]
        for response in answers:
            assert_unavailable(response, ONE_LIMIT_S)
        titles = [response.json()["title"] for response in answers]
        assert titles[:4] == ["Database away"] * 2 + ["Too many requests at once"] * 2
        assert titles[4:].count("Database away") == 2, "let in late"
        assert_all_given_back(twin)


@pytest.mark.parametrize("name", TWINS)
def test_closed_port(name: str) -> None:
    url = f"mysql://nobody:nothing@127.0.0.1:{free_port()}/nowhere"
    with running_twin(name, url, pool_size=2, pool_timeout_s=WAIT_S) as twin:
        assert get(f"{twin.url}/health").status_code == 200
        for response in at_once(10, lambda k: get(f"{twin.url}/items/{k + 1}")):
            assert_unavailable(response)
        assert_unavailable(get(f"{twin.url}/ready"))
        assert stats(twin)["checked_out"] == 0


@pytest.mark.parametrize("name", TWINS)
def test_server_that_restarts(name: str, database: Database) -> None:
    """Connections killed while they lie in the pool cost one 503 at most, then all is well."""
    database.make_schema("restarts", rows=10)
    with running_twin(name, database.url("restarts"), pool_size=3) as twin:
        at_once(3, lambda _: get(f"{twin.url}/slow?ms=100"))
        for row in database.query("SHOW PROCESSLIST"):
            if row["db"] == "restarts":
                database.query(f"KILL {row['Id']}")
        statuses = [get(f"{twin.url}/items/1").status_code for _ in range(5)]
        assert statuses[1:] == [200] * 4
        assert statuses[0] in (200, 503)


@pytest.mark.parametrize("name", TWINS)
def test_crowd_on_a_pool_that_stays_exhausted_without_a_gate(name: str, database: Database) -> None:
    """Waiting for a thread and then for a connection may not add up without end."""
    database.make_schema("stuck", rows=10)
    settings = {"pool_size": 1, "pool_timeout_s": WAIT_S, "threads": 4, "admission": -1}
    with running_twin(name, database.url("stuck"), **settings) as twin, Crowd(twin, 30) as crowd:
        [holder] = crowd.ask("/hold?ms=3500")
        crowd.until(checked_out=1)
        for other in crowd.ask(*["/items/1"] * 29):
            assert_unavailable(other.result(), 2 * WAIT_S)
        assert holder.result().status_code == 200


@pytest.mark.parametrize(("name", "admission"), [("sync", 0), ("async", 0), ("async", -1)])
def test_aborted_requests_give_connections_back(
    name: str, admission: int, database: Database
) -> None:
    database.make_schema("aborts", rows=10)
    url = database.url("aborts")
    with running_twin(name, url, pool_size=2, pool_timeout_s=5, admission=admission) as twin:
        for number, path in enumerate(("/slow?ms=300", "/hold?ms=300", "/items/1") * 4):
            _ask_and_go(twin, path, number)
        assert_all_given_back(twin)
        assert stats(twin)["requests"] >= 12
        both = at_once(2, lambda _: get(f"{twin.url}/slow?ms=100"))
        assert [response.status_code for response in both] == [200, 200]


def _ask_and_go(twin: RunningTwin, path: str, before: int) -> None:
    """Send a request and hang up once it has come, without waiting for the answer."""
    host, port = twin.url.removeprefix("http://").split(":")
    give_up_s = time.monotonic() + LIMIT_S
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        while (told := stats(twin))["requests"] + told["in_flight"] <= before:
            assert time.monotonic() < give_up_s, told


@pytest.mark.parametrize("name", TWINS)
def test_a_body_that_does_not_come_is_given_up(name: str, database: Database) -> None:
    """Others are served meanwhile; hanging up in the middle of a body is no bug of the app's."""
    database.make_schema("senders", rows=10)
    settings = {"pool_size": 1, "pool_timeout_s": WAIT_S, "body_timeout_s": 0.5}
    with running_twin(name, database.url("senders"), **settings) as twin:
        host, port = twin.url.removeprefix("http://").split(":")
        head = (
            f"POST /objects/items HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99\r\n"
            "Content-Type: application/json\r\n\r\n{"
        ).encode()
        with socket.create_connection((host, int(port)), 30) as waits:
            waits.sendall(head)
            with socket.create_connection((host, int(port)), 30) as hangs_up:
                hangs_up.sendall(head)
                assert get(f"{twin.url}/items/1").status_code == 200
            answer = b""
            while piece := waits.recv(65536):  # until the app closes
                answer += piece
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert_all_given_back(twin)
        assert twin.log.read_text() == ""


@pytest.mark.parametrize("name", TWINS)
def test_without_telemetry_there_is_no_header(name: str, database: Database) -> None:
    database.make_schema("bare", rows=10)
    with running_twin(name, database.url("bare"), telemetry=0) as twin:
        response = get(f"{twin.url}/items/1")
        assert response.status_code == 200
        assert "server-timing" not in response.headers
        assert stats(twin)["requests"] == 1
