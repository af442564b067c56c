"""All four drivers: the same answers, statements and Python values as their twin's default one."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from functools import partial
from importlib import import_module
from inspect import isawaitable
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from apps.common.settings import Settings
from loadtests.sameness import judge
from loadtests.sameness.judge import Observed
from loadtests.sameness.probe import Twin, observe
from loadtests.sameness.requests import OPERATIONS, generated
from tests.contract.conftest import DRIVERS
from tests.support.twins import Database, running_twin

pytestmark = pytest.mark.database

ASKED = generated(seed=3, count=60)
DEFAULTS = {"sync": "pymysql", "async": "aiomysql"}
OTHERS = [(driver, DEFAULTS[twin]) for twin, driver in DRIVERS if driver != DEFAULTS[twin]]


@pytest.fixture(scope="module")
def served(database: Database) -> dict[str, Observed]:
    """By driver: the answers to everything asked, and what server and driver counted."""
    found = {}
    for twin, driver in DRIVERS:
        schema = f"served_{driver}"
        database.make_schema(schema)
        with running_twin(twin, database.url(schema), driver=driver) as running:
            assert httpx.get(f"{running.url}/stats").json()["driver"] == driver
            found[driver] = observe(
                Twin(driver, running.url, partial(database.statement_counts, schema)),
                OPERATIONS,
                ASKED,
            )
    return found


@pytest.mark.parametrize(("driver", "default"), OTHERS)
def test_answers_are_equal(served: dict[str, Observed], driver: str, default: str) -> None:
    side = judge.answers(served[default], served[driver], OPERATIONS, ASKED)
    assert side.ok, side.detail


@pytest.mark.parametrize(("driver", "default"), OTHERS)
def test_work_is_equal(served: dict[str, Observed], driver: str, default: str) -> None:
    side = judge.work(served[default], served[driver], OPERATIONS)
    assert side.ok, side.detail


@pytest.mark.parametrize(("twin", "driver"), DRIVERS)
def test_no_driver_encrypts(database: Database, twin: str, driver: str) -> None:
    """Even where the server offers it, as MySQL does and this MariaDB may not."""
    database.make_schema("plain", rows=1)
    found = asked(twin, driver, database.url("plain"), [("SHOW STATUS LIKE 'Ssl_cipher'", {})])
    assert list(found.values()) == ["Ssl_cipher", ""]


VALUES = {
    "amount": Decimal("-12345678.90"),
    "at": datetime(2026, 1, 2, 3, 4, 5, 6),
    "nothing": None,
    "words": "naïve 🙂 'quoted' \\ %s",
    "large": 2**53 + 1,
    "ratio": 0.1,
}


@pytest.fixture(scope="module")
def kinds(database: Database) -> str:
    """The URL of a schema with one column of each kind."""
    database.make_schema("kinds", rows=1)
    database.query(
        "CREATE TABLE kinds (amount DECIMAL(10,2), at DATETIME(6), nothing INT, "
        "words VARCHAR(100), large BIGINT, ratio DOUBLE) DEFAULT CHARSET=utf8mb4",
        "kinds",
    )
    return database.url("kinds")


@pytest.mark.parametrize(("twin", "driver"), DRIVERS)
def test_values_come_back_as_they_went(kinds: str, twin: str, driver: str) -> None:
    columns = ", ".join(f":{name}" for name in VALUES)
    statements: list[tuple[str, dict[str, Any]]] = [
        ("DELETE FROM kinds", {}),
        (f"INSERT INTO kinds VALUES ({columns})", VALUES),
        ("SELECT * FROM kinds", {}),
    ]
    row = asked(twin, driver, kinds, statements)
    assert row == VALUES
    assert {name: type(value) for name, value in row.items()} == {
        name: type(value) for name, value in VALUES.items()
    }


def asked(
    twin: str, driver: str, url: str, statements: list[tuple[str, dict[str, Any]]]
) -> dict[str, Any]:
    """The last statement's one row, all run through a twin's own engine and session."""
    settings = Settings.model_validate({"app": twin, "driver": driver, "database_url": url})
    package = import_module(f"apps.{twin}_app.database")
    return asyncio.run(_ask(package.Database(settings), statements))


async def _ask(database: Any, statements: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    session = database.session()
    try:
        for statement, values in statements:
            result = await _done(session.execute(text(statement), values))
        return dict(result.mappings().one())
    finally:
        await _done(session.close())
        await _done(database.dispose())


async def _done(result: Any) -> Any:
    return await result if isawaitable(result) else result
