"""The twins differ in the awaiting only: source, OpenAPI, bytes and statements are the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

import apps
from tests.support.twins import Database, RunningTwin

APPS = Path(apps.__file__).parent
SEAM = {
    "create_async_engine": "create_engine",
    "async_sessionmaker": "sessionmaker",
    "AsyncSession": "Session",
    "AsyncIterator": "Iterator",
}

NEW = {"name": "neu-ä", "description": None, "price": -5}
OPERATIONS: list[tuple[str, str, Any]] = [
    ("GET", "/items/7", None),
    ("GET", "/items/99999", None),
    ("GET", "/items/0", None),
    ("GET", "/items?page=3&page_size=7", None),
    ("GET", "/items?page=500", None),
    ("GET", "/items?page=501", None),
    ("GET", "/items?after=9995&limit=9", None),
    ("POST", "/objects/items", NEW),
    ("POST", "/objects/items", {"name": "x"}),
    ("POST", "/statements/items", NEW),
    ("POST", "/statements/items", [NEW] * 1000),
    ("PATCH", "/objects/items/8", {"price": 12, "description": "changed"}),
    ("PATCH", "/objects/items/99999", {"price": 12}),
    ("PATCH", "/objects/items/8", {}),
    ("PATCH", "/statements/items?name=item-9", {"price": 12}),
    ("PATCH", "/statements/items?name=nobody", {"price": 12}),
    ("PATCH", "/statements/items", {"price": 12}),
    ("DELETE", "/objects/items/10", None),
    ("DELETE", "/objects/items/10", None),
    ("DELETE", "/statements/items?name=item-11&id=11", None),
    ("DELETE", "/statements/items", None),
    ("GET", "/queries", None),
    ("GET", "/queries?n=3&first=9999", None),
    ("GET", "/slow?ms=1", None),
    ("GET", "/hold?ms=1", None),
    ("GET", "/release?ms=1", None),
    ("GET", "/health", None),
    ("GET", "/ready", None),
    ("GET", "/nowhere", None),
    ("PUT", "/items/1", None),
]


def as_sync(source: str) -> str:
    """An async twin's source with everything that only awaits taken out."""
    return re.sub(r"\b(async|await) ", "", source).replace("async_app", "sync_app")


def source(twin: str, module: str) -> str:
    return (APPS / f"{twin}_app" / module).read_text(encoding="utf-8")


@pytest.mark.parametrize("module", ["routes.py", "main.py"])
def test_source_differs_in_the_awaiting_only(module: str) -> None:
    assert as_sync(source("async", module)) == source("sync", module)


def test_database_modules_differ_in_the_seam_only() -> None:
    def without_imports(text: str) -> list[str]:
        return [line for line in text.splitlines() if not line.startswith("from sqlalchemy")]

    there = as_sync(source("async", "database.py"))
    for name, plain in SEAM.items():
        there = there.replace(name, plain)
    assert without_imports(there) == without_imports(source("sync", "database.py"))


def test_only_database_modules_name_the_seam() -> None:
    allowed = {APPS / f"{twin}_app" / "database.py" for twin in ("sync", "async")}
    names = set(SEAM) - {"AsyncIterator"}  # the shared factory's lifespan is a coroutine anyway
    for path in APPS.glob("*_app/*.py"):
        found = {name for name in SEAM if name in path.read_text(encoding="utf-8")}
        assert not found or path in allowed, f"{path.name} names {found}"
    for path in APPS.glob("common/*.py"):
        code = re.sub(r"`.*?`", "", path.read_text(encoding="utf-8"))
        found = {name for name in names if name in code}
        assert not found, f"{path.name} names {found}"


def test_twins_have_the_same_modules() -> None:
    modules = [{path.name for path in APPS.glob(f"{name}_app/*.py")} for name in ("sync", "async")]
    assert modules[0] == modules[1]


@pytest.mark.database
def test_openapi_documents_are_equal(both: dict[str, RunningTwin]) -> None:
    documents = [httpx.get(f"{twin.url}/openapi.json").content for twin in both.values()]
    assert documents[0] == documents[1]
    paths = json.loads(documents[0])["paths"]
    assert set(paths) == {
        "/health", "/ready", "/stats", "/items", "/items/{item_id}", "/objects/items",
        "/objects/items/{item_id}", "/statements/items", "/queries", "/slow", "/hold", "/release",
    }  # fmt: skip


@pytest.mark.database
def test_answers_and_statements_are_equal(both: dict[str, RunningTwin], database: Database) -> None:
    answers, statements = [], []
    for name, twin in both.items():
        schema = f"twin_{name}"
        database.put_back(schema)
        with httpx.Client(base_url=twin.url) as client:
            client.get("/ready")
            before = digests(database, schema)
            answers.append([send(client, *operation) for operation in OPERATIONS])
            statements.append(grown(before, digests(database, schema)))
    for operation, here, there in zip(OPERATIONS, *answers, strict=True):
        assert here == there, operation
    assert statements[0] == statements[1]
    assert sum(statements[0].values()) > 40, "the server has counted the statements"


def send(client: httpx.Client, method: str, path: str, body: Any) -> tuple[int, str, bytes]:
    """Status, media type and body, with the present moment taken out of new timestamps."""
    response = client.request(method, path, json=body)
    moment = rb'_at":"2(?!026-01-01T00:00:00")[^"]*"'
    content = re.sub(moment, b'_at":"now"', response.content)
    return response.status_code, response.headers["content-type"], content


def digests(database: Database, schema: str) -> dict[tuple[str, str], tuple[int, int, int]]:
    rows = database.query(
        "SELECT DIGEST, DIGEST_TEXT, COUNT_STAR, SUM_ROWS_SENT, SUM_ROWS_AFFECTED "
        "FROM performance_schema.events_statements_summary_by_digest "
        f"WHERE SCHEMA_NAME = '{schema}'"
    )
    return {
        (row["DIGEST"], row["DIGEST_TEXT"]): (
            int(row["COUNT_STAR"]), int(row["SUM_ROWS_SENT"]), int(row["SUM_ROWS_AFFECTED"])
        )
        for row in rows
    }  # fmt: skip


def grown(before: dict[Any, Any], after: dict[Any, Any]) -> dict[Any, int]:
    """How often each statement ran, what it sent and changed, between two looks."""
    grown = {}
    for (digest, text), counts in after.items():
        earlier = before.get((digest, text), (0, 0, 0))
        for what, now, then in zip(("times", "sent", "changed"), counts, earlier, strict=True):
            if now != then:
                grown[digest, text, what] = now - then
    return grown
