"""Every endpoint of the contract's table, on both twins: what goes in, what comes out."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.support.twins import Database, RunningTwin

pytestmark = pytest.mark.database

TIMING = re.compile(
    r"thread;dur=(\d+\.\d+), pool;dur=(\d+\.\d+), db;dur=(\d+\.\d+), total;dur=(\d+\.\d+)"
)
SEEDED_7 = (
    b'{"id":7,"name":"item-7","description":"Seeded item 7","price":107,'
    b'"created_at":"2026-01-01T00:00:00","updated_at":"2026-01-01T00:00:00"}'
)


@pytest.fixture
def asked(clients: dict[str, httpx.Client], twin: RunningTwin) -> httpx.Client:
    """A client for requests that change nothing."""
    return clients[twin.name]


@pytest.fixture
def client(asked: httpx.Client, twin: RunningTwin, database: Database) -> httpx.Client:
    """A client of a twin that has the first hundred seeded items."""
    database.put_back(f"twin_{twin.name}", rows=100)
    return asked


def times(response: httpx.Response) -> tuple[float, float, float, float]:
    """thread, pool, db, total in ms, as the Server-Timing header says."""
    match = TIMING.fullmatch(response.headers["server-timing"])
    assert match, response.headers["server-timing"]
    thread_ms, pool_ms, db_ms, total_ms = (float(value) for value in match.groups())
    assert thread_ms + pool_ms + db_ms <= total_ms + 0.01
    return thread_ms, pool_ms, db_ms, total_ms


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    assert {"type", "title", "detail"} <= set(body)
    times(response)
    return body


def test_get(client: httpx.Client) -> None:
    response = client.get("/items/7")
    assert (response.status_code, response.content) == (200, SEEDED_7)
    assert response.headers["content-type"] == "application/json"
    assert client.get("/items/101").status_code == 404


def test_numbered_pages(client: httpx.Client) -> None:
    ids = [item["id"] for item in client.get("/items", params={"page": 2}).json()]
    assert ids == list(range(21, 41))
    ids = [item["id"] for item in client.get("/items?page=4&page_size=30").json()]
    assert ids == list(range(91, 101))
    assert client.get("/items?page=5&page_size=30").json() == []


def test_keyset_pages(client: httpx.Client) -> None:
    ids = [item["id"] for item in client.get("/items?after=95&limit=3").json()]
    assert ids == [96, 97, 98]
    assert [item["id"] for item in client.get("/items?after=0").json()] == list(range(1, 21))
    assert client.get("/items?after=100&limit=3").json() == []


def test_create(client: httpx.Client) -> None:
    response = client.post("/objects/items", json={"name": "naïve 🙂", "price": 3})
    assert response.status_code == 201
    item = response.json()
    assert (item["id"], item["name"], item["description"]) == (101, "naïve 🙂", None)
    assert item["created_at"] == item["updated_at"] > "2026-01-02"
    assert client.get("/items/101").json() == item


def test_create_by_statement(client: httpx.Client, database: Database, twin: RunningTwin) -> None:
    one = client.post("/statements/items", json={"name": "one", "price": 1, "description": "d"})
    assert (one.status_code, one.json()) == (201, {"inserted": 1})
    many = [{"name": f"n-{k}", "price": k} for k in range(1000)]
    response = client.post("/statements/items", json=many)
    assert (response.status_code, response.json()) == (201, {"inserted": 1000})
    rows = database.query(
        "SELECT COUNT(*) n, SUM(price) s FROM items WHERE name LIKE 'n-%'", f"twin_{twin.name}"
    )
    assert (rows[0]["n"], rows[0]["s"]) == (1000, sum(range(1000)))


def test_update(client: httpx.Client) -> None:
    response = client.patch("/objects/items/7", json={"price": 5, "description": None})
    item = response.json()
    assert response.status_code == 200
    assert (item["name"], item["price"], item["description"]) == ("item-7", 5, None)
    assert item["created_at"] == "2026-01-01T00:00:00" < item["updated_at"]
    assert client.get("/items/7").json() == item
    assert client.patch("/objects/items/101", json={"price": 5}).status_code == 404


def test_update_by_statement(client: httpx.Client) -> None:
    same = client.patch("/statements/items?name=item-7", json={"price": 107})
    assert (same.status_code, same.json()) == (200, {"updated": 1})
    assert client.patch("/statements/items?name=none", json={"price": 1}).json() == {"updated": 0}
    assert client.get("/items/7").json()["updated_at"] > "2026-01-02"
    assert client.get("/items/8").json()["updated_at"] == "2026-01-01T00:00:00"


def test_delete(client: httpx.Client) -> None:
    response = client.delete("/objects/items/7")
    assert (response.status_code, response.content) == (200, SEEDED_7)
    assert client.get("/items/7").status_code == 404
    assert client.delete("/objects/items/7").status_code == 404


def test_delete_by_statement(client: httpx.Client) -> None:
    both = client.delete("/statements/items?name=item-7&price=1")
    assert both.json() == {"deleted": 0}, "conditions are joined by AND"
    assert client.delete("/statements/items?name=item-7").json() == {"deleted": 1}
    assert client.get("/items/7").status_code == 404
    assert client.get("/items/8").status_code == 200


def test_queries(client: httpx.Client) -> None:
    response = client.get("/queries?n=100")
    assert response.json() == client.get("/items?page_size=100").json()
    assert [item["id"] for item in client.get("/queries?n=2&first=7").json()] == [7, 8]
    assert len(client.get("/queries").json()) == 3
    assert "item 101" in problem(client.get("/queries?n=2&first=100"))["detail"]


def test_slow_waits_in_the_database_and_hold_outside(client: httpx.Client) -> None:
    client.get("/ready")
    slow, hold = client.get("/slow?ms=60"), client.get("/hold?ms=60")
    assert (slow.json(), hold.json()) == ({"ms": 60}, {"ms": 60})
    assert times(slow)[2] >= 60
    assert times(hold)[3] >= 60
    assert times(hold)[3] - times(hold)[2] >= 55


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("query", ["", "?nmae=item-7", "?name=", "?name=a%00b", "?id=0"])
def test_statements_need_valid_conditions(
    client: httpx.Client, database: Database, twin: RunningTwin, method: str, query: str
) -> None:
    body = {"price": 1} if method == "PATCH" else None
    response = client.request(method, f"/statements/items{query}", json=body)
    assert response.status_code == 422
    assert problem(response)["errors"]
    rows = database.query("SELECT COUNT(*) n, MIN(price) p FROM items", f"twin_{twin.name}")
    assert (rows[0]["n"], rows[0]["p"]) == (100, 101)


@pytest.mark.parametrize(
    "path",
    [
        "/items/0", "/items/-1", "/items/2147483648", f"/items/{10**30}", "/items/x",
        "/items?page=0", "/items?page=2147483648", "/items?page_size=0", "/items?page_size=1001",
        "/items?limit=5", "/items?after=1&limit=0", "/items?after=-1", "/items?after=1&page=1",
        "/items?pgae=1", "/slow?ms=-1", "/slow?ms=9999999", "/hold?ms=x",
        "/queries?n=0", "/queries?n=101", "/queries?first=0", "/queries?first=2147483647",
    ],
)  # fmt: skip
def test_values_out_of_range(asked: httpx.Client, path: str) -> None:
    response = asked.get(path)
    assert response.status_code == 422
    assert problem(response)["errors"]


GOOD = {"name": "n", "price": 1}


@pytest.mark.parametrize(
    "body",
    [
        {**GOOD, "price": 2**31}, {**GOOD, "price": -(2**31) - 1}, {**GOOD, "price": "1"},
        {**GOOD, "price": 1.5}, {**GOOD, "price": None}, {**GOOD, "price": True},
        {**GOOD, "name": ""}, {**GOOD, "name": "x" * 101}, {**GOOD, "name": "a\0b"},
        {**GOOD, "description": "x" * 501}, {**GOOD, "description": "\0"}, {**GOOD, "id": 5},
        {"name": "n"}, {"price": 1}, {}, None, 7, "text",
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/objects/items", "/statements/items"])
def test_items_that_do_not_fit_their_columns(asked: httpx.Client, path: str, body: Any) -> None:
    response = asked.post(path, json=body)
    assert response.status_code == 422
    assert problem(response)["errors"]


def test_widest_item_fits(client: httpx.Client) -> None:
    item = {"name": "🙂" * 100, "description": "🙂" * 500, "price": 2**31 - 1}
    assert client.post("/objects/items", json=item).json() | item == client.get("/items/101").json()
    assert client.post("/statements/items", json=[item] * 1000).json() == {"inserted": 1000}


@pytest.mark.parametrize("count", [0, 1001])
def test_bulk_takes_1_to_1000(asked: httpx.Client, count: int) -> None:
    response = asked.post("/statements/items", json=[GOOD] * count)
    assert response.status_code == 422
    assert problem(response)["errors"]


def test_a_bulk_of_bad_items_is_told_briefly(asked: httpx.Client) -> None:
    response = asked.post("/statements/items", json=[{}] * 1000)
    assert response.status_code == 422
    assert len(problem(response)["errors"]) == 20


@pytest.mark.parametrize(
    "changes", [{}, {"name": None}, {"price": None}, {"id": 3}, {"price": "5"}]
)
def test_changes_that_cannot_be_made(asked: httpx.Client, changes: Any) -> None:
    assert problem(asked.patch("/objects/items/7", json=changes))["status"] == 422
    assert problem(asked.patch("/statements/items?id=7", json=changes))["status"] == 422


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 422),
        (b'{"name":"\\ud800","price":1}', 422),
        (b'{"name":"n","price":1,"\\ud800":1}', 422),
        (b'{"name":"n","price":NaN}', 422),
        (b'{"name":"n","price":' + b"9" * 5000 + b"}", 400),
        (b"[" * 200_000, 400),
        (b'{"name":"\xff"}', 400),
        (b" " * (17 * 2**20), 413),
    ],
)
def test_bodies_nobody_means(asked: httpx.Client, content: bytes, status: int) -> None:
    response = asked.post(
        "/objects/items", content=content, headers={"content-type": "application/json"}
    )
    assert response.status_code == status
    problem(response)


def test_unknown_paths_and_methods(asked: httpx.Client) -> None:
    assert problem(asked.get("/nowhere"))["status"] == 404
    assert problem(asked.put("/items/1"))["status"] == 405


def test_thread_is_waited_for_by_the_sync_twin_only(
    client: httpx.Client, twin: RunningTwin
) -> None:
    thread_ms = times(client.get("/items/7"))[0]
    assert (thread_ms > 0) is (twin.name == "sync")


def test_health_and_stats(client: httpx.Client, twin: RunningTwin) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"status": "ready"}
    before = client.get("/stats").json()
    for _ in range(3):
        client.get("/items/7")
    client.get("/items/0")
    after = client.get("/stats").json()
    times(client.get("/stats"))
    assert after["requests"] - before["requests"] == 4
    assert (after["in_flight"], after["checked_out"]) == (0, 0)
    assert (after["app"], after["pid"]) == (twin.name, twin.process.pid)
    assert after["driver"] == {"sync": "pymysql", "async": "aiomysql"}[twin.name]
    assert after["settings"] == {
        "pool_size": 5, "max_overflow": 0, "pool_timeout_s": 5.0, "body_timeout_s": 30.0,
        "threads": 40, "admission": 0, "telemetry": True,
    }  # fmt: skip
    assert (after["runtime"]["loop"], after["runtime"]["http"]) == ("uvloop", "httptools")
    assert after["versions"]["sqlalchemy"].startswith("2.1")
