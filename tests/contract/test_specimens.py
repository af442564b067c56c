"""Each specimen shows its symptom for real, in the words that people search for; its cure does not.

Whatever is asked "at once" goes out on connections that are open already, so that the requests meet
in the app; order of answers is compared, never time.
"""

from __future__ import annotations

import asyncio
import random
import re
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pymysql
import pytest

from apps.common.settings import DRIVERS
from apps.specimens import async_blocking
from apps.specimens.build import build
from tests.support.twins import Database, RunningTwin, running_twin

pytestmark = pytest.mark.database

TWIN_OF = {
    "sync-ungated": "sync",
    "async-blocking": "async",
    "async-ddl": "async",
    "async-ungated": "async",
    "hold-connection": "async",
    "n-plus-one": "async",
}
POOL_TIMEOUT = (
    "sqlalchemy.exc.TimeoutError: QueuePool limit of size 2 overflow 0 reached, "
    "connection timed out, timeout 1.00 (Background on this error at: https://sqlalche.me/e/"
)
LIMIT_S = 30.0


@pytest.fixture(scope="module")
def url(database: Database) -> str:
    database.make_schema("specimens", rows=200)
    return database.url("specimens")


@contextmanager
def connections(app: RunningTwin, count: int) -> Iterator[list[socket.socket]]:
    host, port = app.url.removeprefix("http://").split(":")
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((host, int(port)), LIMIT_S))
            for _ in range(count)
        ]


def send(wire: socket.socket, path: str) -> None:
    wire.sendall(f"GET {path} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n".encode())


def status_of(wire: socket.socket) -> int:
    answer = b""
    while part := wire.recv(65536):
        answer += part
    return int(answer.split(b" ", 2)[1])


def at_once(app: RunningTwin, path: str, count: int) -> Counter[int]:
    """How often each status answered `count` requests that arrived together."""
    with connections(app, count) as wires:
        for wire in wires:
            send(wire, path)
        return Counter(map(status_of, wires))


def last_error(app: RunningTwin) -> str | None:
    told: str | None = httpx.get(f"{app.url}/stats").json()["last_error"]
    return told


def until(happened: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + LIMIT_S
    while not happened():
        assert time.monotonic() < give_up_s
        time.sleep(0.01)


def counted(database: Database, ask: Callable[[], object]) -> Counter[str]:
    """How often each kind of statement ran while asking, by the server's own account."""

    def statements() -> Counter[str]:
        rows = database.query(
            "SELECT DIGEST_TEXT, COUNT_STAR FROM performance_schema."
            "events_statements_summary_by_digest WHERE SCHEMA_NAME = 'specimens'"
        )
        return Counter({row["DIGEST_TEXT"]: int(row["COUNT_STAR"]) for row in rows})

    before = statements()
    ask()
    return statements() - before


def matching(statements: Counter[str], pattern: str) -> int:
    return sum(times for text, times in statements.items() if re.match(pattern, text))


@pytest.fixture(scope="module")
def twins(database: Database) -> Iterator[dict[str, RunningTwin]]:
    """Both twins on equal rows in a schema of their own: connections to the other are counted."""
    database.make_schema("beside", rows=200)
    url = database.url("beside")
    with running_twin("sync", url) as sync, running_twin("async", url) as asynchronous:
        yield {"sync": sync, "async": asynchronous}


@pytest.mark.parametrize("name", sorted(TWIN_OF))
def test_without_load_a_specimen_answers_like_its_twin(
    name: str, url: str, twins: dict[str, RunningTwin]
) -> None:
    assert set(TWIN_OF) == set(DRIVERS) - {"sync", "async"}
    paths = ("/items/7", "/items/999", "/items/0", "/items?page=2&page_size=5", "/items?after=199",
             "/release?ms=1", "/hold?ms=1", "/slow?ms=1", "/ready", "/openapi.json")  # fmt: skip
    with running_twin(name, url) as specimen:
        for path in paths:
            answers = [httpx.get(app.url + path) for app in (specimen, twins[TWIN_OF[name]])]
            assert answers[0].status_code == answers[1].status_code
            assert answers[0].content == answers[1].content
        assert specimen.log.read_text() == ""
        assert httpx.get(f"{specimen.url}/stats").json()["app"] == name


@pytest.mark.parametrize(("name", "locks_up"), [("sync-ungated", True), ("sync", False)])
def test_sync_ungated(name: str, locks_up: bool, url: str, database: Database) -> None:
    """Every thread waits for a connection, and the connections are lent but idle."""
    with running_twin(name, url, pool_size=2, threads=8, pool_timeout_s=1.0) as app:
        with connections(app, 40) as wires:
            for wire in wires:
                send(wire, "/items/1")
            if locks_up:
                until(lambda: _all_lent_and_idle(app, database))
            statuses = Counter(map(status_of, wires))
        assert (statuses[503] > 0) is locks_up
        assert statuses[200] + statuses[503] == 40
        assert (last_error(app) or "").startswith(POOL_TIMEOUT) is locks_up


def _all_lent_and_idle(app: RunningTwin, database: Database) -> bool:
    stats = httpx.get(f"{app.url}/stats").json()
    rows = [row for row in database.query("SHOW PROCESSLIST") if row["db"] == "specimens"]
    return stats["checked_out"] == 2 and [row["Command"] for row in rows] == ["Sleep", "Sleep"]


@pytest.mark.parametrize("name", ["async-blocking", "async", "sync"])
def test_async_blocking(name: str, url: str, database: Database) -> None:
    """A sign of life needs no database; while the loop is blocked it waits for a query all the
    same."""
    with running_twin(name, url) as app, connections(app, 2) as (slow, health):
        send(slow, "/slow?ms=2000")
        until(lambda: any("sleep" in str(r["Info"]) for r in database.query("SHOW PROCESSLIST")
                          if r["db"] == "specimens"))  # fmt: skip
        send(health, "/health")
        answered, _, _ = select.select([slow, health], [], [], LIMIT_S)
        assert (slow in answered) is (name == "async-blocking")
        assert status_of(slow) == status_of(health) == 200


def test_async_blocking_is_told_by_asyncio_s_debug_mode(
    url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TWIN_DATABASE_URL", url)
    twin, router = async_blocking.twin.router, async_blocking.router
    app = build("async-blocking", async_blocking.Database, twin, router)

    async def ask() -> int:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://app") as client,
        ):
            return (await client.get("/slow?ms=200")).status_code

    assert asyncio.run(ask(), debug=True) == 200
    assert re.search(r"Executing <Task .* took \d\.\d+ seconds", caplog.text)


@pytest.mark.parametrize(("name", "asks"), [("async-ddl", True), ("async", False)])
def test_async_ddl_asks_for_its_tables_in_every_request(
    name: str, asks: bool, url: str, database: Database
) -> None:
    def ask() -> None:
        for key in range(1, 6):
            assert httpx.get(f"{app.url}/items/{key}").status_code == 200

    with running_twin(name, url) as app:
        statements = counted(database, ask)
    assert matching(statements, "SELECT .* FROM `items`") == 5
    # MySQL and MariaDB take DESCRIBE and EXPLAIN for one word.
    assert matching(statements, "DESCRIBE|EXPLAIN") == (5 if asks else 0)


def test_async_ddl_on_an_empty_schema(database: Database) -> None:
    """A lock keeps the tables from being created until every request has seen that there are
    none."""
    database.query("DROP DATABASE IF EXISTS unmade")
    database.query("CREATE DATABASE unmade CHARACTER SET utf8mb4")
    with running_twin("async-ddl", database.url("unmade"), pool_size=3) as app:
        with connections(app, 3) as wires:
            with _nothing_is_created(database):
                for wire in wires:
                    send(wire, "/items/1")
                until(lambda: _creating(database) == 3)
            assert Counter(map(status_of, wires)) == {404: 1, 503: 2}
        assert last_error(app) == (
            "pymysql.err.OperationalError: (1050, \"Table 'items' already exists\")"
        )


@contextmanager
def _nothing_is_created(database: Database) -> Iterator[None]:
    address = database.server.address
    connection = pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        yield


def _creating(database: Database) -> int:
    rows = database.query("SHOW PROCESSLIST")
    return sum("CREATE TABLE" in str(row["Info"]) for row in rows if row["db"] == "unmade")


CLIENTS = 16


@pytest.mark.parametrize("name", ["async-ungated", "async"])
def test_async_ungated(name: str, url: str) -> None:
    """First come, first served, nobody is overtaken; without a gate, by nearly all others."""
    with running_twin(name, url, pool_size=1, pool_timeout_s=30) as app:
        overtaken = asyncio.run(_most_overtaken(app, requests=1000))
    if name == "async":
        assert overtaken < CLIENTS // 4
    else:
        assert overtaken >= CLIENTS // 2


async def _most_overtaken(app: RunningTwin, requests: int) -> int:
    """Of CLIENTS that ask again and again: the most later requests answered before an earlier."""
    host, port = app.url.removeprefix("http://").split(":")
    sent = most = 0
    pauses = random.Random(1)
    waiting: dict[int, int] = {}

    async def client() -> None:
        nonlocal sent, most
        reader, writer = await asyncio.open_connection(host, int(port))
        while sent < requests:
            mine, sent = sent, sent + 1
            waiting[mine] = 0
            writer.write(b"GET /items/1 HTTP/1.1\r\nHost: app\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.split(b" ", 2)[1] == b"200"
            length = re.search(rb"content-length: (\d+)", head)
            assert length is not None
            await reader.readexactly(int(length[1]))
            most = max(most, waiting.pop(mine))
            for earlier in (each for each in waiting if each < mine):
                waiting[earlier] += 1
            await asyncio.sleep(pauses.uniform(0, 0.005))  # in step, nobody can be overtaken
        writer.close()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return most


@pytest.mark.parametrize(("name", "runs_out"), [("hold-connection", True), ("async", False)])
def test_hold_connection(name: str, runs_out: bool, url: str) -> None:
    """Five requests that wait for somebody else, on a pool of two."""
    with running_twin(name, url, pool_size=2, pool_timeout_s=1.0, admission=16) as app:
        statuses = at_once(app, "/release?ms=1500", 5)
        assert statuses == ({200: 2, 503: 3} if runs_out else {200: 5})
        assert (last_error(app) or "").startswith(POOL_TIMEOUT) is runs_out


@pytest.mark.parametrize(("name", "selects"), [("n-plus-one", 21), ("async", 1)])
def test_n_plus_one(name: str, selects: int, url: str, database: Database) -> None:
    with running_twin(name, url) as app:
        statements = counted(database, lambda: httpx.get(f"{app.url}/items?page=3&page_size=20"))
    assert matching(statements, "SELECT .* FROM `items`") == selects


def test_an_ungated_specimen_has_no_gate_unless_it_is_given_one(url: str) -> None:
    """What it runs with is what it says, so that the report's check of settings can see it."""
    for given, told in (({}, -1), ({"admission": 5}, 5)):
        with running_twin("async-ungated", url, **given) as app:
            stats: dict[str, Any] = httpx.get(f"{app.url}/stats").json()
            assert stats["settings"]["admission"] == told
