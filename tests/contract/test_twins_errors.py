"""Errors that a real server makes: which answer each becomes, and what the log says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pymysql
import pytest

from tests.contract.conftest import TWINS
from tests.support.twins import Database, RunningTwin, running_twin

pytestmark = pytest.mark.database

SECRET = "s3cret-name"


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert "total;dur=" in response.headers["server-timing"]
    assert ("retry-after" in response.headers) is (status == 503)
    told: dict[str, Any] = response.json()
    assert SECRET not in response.text
    return told


def log_of(twin: RunningTwin) -> list[dict[str, Any]]:
    """The log's lines; each must be JSON."""
    return [json.loads(line) for line in twin.log.read_text().splitlines()]


@pytest.mark.parametrize("name", TWINS)
def test_a_database_that_cannot_be_used(name: str, database: Database) -> None:
    """A schema without the table: not ready, a 503 for everything, and a reason in the log."""
    database.query("DROP DATABASE IF EXISTS empty")
    database.query("CREATE DATABASE empty")
    with running_twin(name, database.url("empty")) as twin:
        assert problem(httpx.get(f"{twin.url}/ready"), 503)["title"] == "Database unusable"
        answer = httpx.patch(f"{twin.url}/statements/items?name={SECRET}", json={"price": 1})
        assert "items" not in problem(answer, 503)["detail"], "what went wrong is for the log"
        assert httpx.get(f"{twin.url}/health").status_code == 200
        (first, *_) = log_of(twin)
        assert (first["level"], first["message"]) == ("error", "Database unusable")
        assert (first["error"], first["error_name"]) == (1146, "NO_SUCH_TABLE")
        assert first["statement"].startswith("SELECT items.id")
        assert SECRET not in twin.log.read_text()


@pytest.mark.parametrize("name", TWINS)
def test_rows_that_the_table_does_not_take(name: str, database: Database) -> None:
    """The table is stricter than the app believes: a key, a check, a narrower column."""
    database.make_schema("strict", rows=3)
    database.query(
        "ALTER TABLE items ADD UNIQUE (name), ADD CHECK (price < 1000), "
        "MODIFY description VARCHAR(15) NOT NULL", "strict",
    )  # fmt: skip
    fitting = {"name": SECRET, "price": 1, "description": "d"}
    with running_twin(name, database.url("strict")) as twin:
        for path in ("/objects/items", "/statements/items"):
            url = twin.url + path
            assert httpx.post(url, json=fitting).status_code == 201
            problem(httpx.post(url, json=fitting), 409)
            problem(httpx.post(url, json={**fitting, "name": "b", "price": 1000}), 422)
            problem(httpx.post(url, json={**fitting, "name": "b", "description": SECRET * 2}), 422)
            problem(httpx.post(url, json={**fitting, "name": "b", "description": None}), 422)
            database.query(f"DELETE FROM items WHERE name = '{SECRET}'", "strict")
        assert SECRET not in twin.log.read_text()


@contextmanager
def holding(database: Database, *statements: str) -> Iterator[None]:
    """Another client's transaction, open for the length of the block."""
    address = database.server.address
    other = pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        database="locked",
    )  # fmt: skip
    with other, other.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        yield


@pytest.mark.parametrize(
    "statements", [("SELECT * FROM items WHERE id = 2 FOR UPDATE",), ("LOCK TABLES items WRITE",)]
)
@pytest.mark.parametrize("name", TWINS)
def test_waiting_for_a_lock_ends_in_time_on_both_sides(
    name: str, statements: tuple[str, ...], database: Database
) -> None:
    """The server gives up before we do, so that nothing goes on waiting there."""
    database.make_schema("locked", rows=3)
    with (
        running_twin(name, database.url("locked"), pool_timeout_s=3) as twin,
        holding(database, *statements),
    ):
        answer = httpx.patch(f"{twin.url}/objects/items/2", json={"price": 1}, timeout=30)
        assert problem(answer, 503)["title"] == "Database busy"
        others = "SELECT info FROM information_schema.processlist WHERE db = 'locked'"
        waiting = [row["info"] for row in database.query(others) if row["info"]]
        assert not [info for info in waiting if "items" in info], waiting


@pytest.mark.parametrize("name", TWINS)
def test_a_body_of_unknown_length_that_grows_too_large(
    name: str, both: dict[str, RunningTwin]
) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * 2**20

    with httpx.Client(base_url=both[name].url) as client:
        answer = client.post(
            "/objects/items", content=pieces(), headers={"content-type": "application/json"}
        )
    assert problem(answer, 413)["status"] == 413


@pytest.mark.parametrize("name", TWINS)
@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_there_is_no_page_that_loads_scripts_from_elsewhere(
    name: str, path: str, both: dict[str, RunningTwin]
) -> None:
    problem(httpx.get(both[name].url + path), 404)


@pytest.mark.parametrize("name", TWINS)
def test_a_405_names_every_method_of_the_path(name: str, both: dict[str, RunningTwin]) -> None:
    answer = httpx.put(f"{both[name].url}/statements/items", json={})
    problem(answer, 405)
    assert answer.headers["allow"] == "DELETE, PATCH, POST"


@pytest.mark.parametrize("name", TWINS)
def test_numbers_may_be_written_with_a_point(name: str, both: dict[str, RunningTwin]) -> None:
    url = f"{both[name].url}/objects/items"
    answer = httpx.post(url, json={"name": "n", "price": 7.0})
    assert (answer.status_code, answer.json()["price"]) == (201, 7)
    problem(httpx.post(url, json={"name": "n", "price": 7.5}), 422)
    problem(httpx.post(url, content=b'{"name": "n", "price": 1e999}'), 422)
