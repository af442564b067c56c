"""Prints what each driver alone needs to fetch a page of rows: no web, no ORM, one connection.

.venv/bin/python -m benchmarks.drivers.rows
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiomysql
import asyncmy
import MySQLdb
import pymysql
import uvloop

from loadtests.environment.database import open_database
from loadtests.environment.machine import usable_cores
from loadtests.environment.mysql import address_from_url
from loadtests.environment.placement import choose_placement
from loadtests.environment.topology import cores_of
from loadtests.spec import RunSpec

ROWS = 1000
REPETITIONS = 60
COLUMNS = {
    "id, price": "id, price",
    "and two texts": "id, price, name, description",
    "and two timestamps (all)": "id, price, name, description, created_at, updated_at",
}
SYNC = {"pymysql": pymysql, "mysqldb": MySQLdb}
ASYNC = {"aiomysql": aiomysql, "asyncmy": asyncmy}


def main() -> None:
    """Print a table in Markdown: CPU ms of this process for each page, the median."""
    print(f"| driver | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
    with _seeded() as (address, table):
        statements = [
            f"SELECT {columns} FROM {table} ORDER BY id LIMIT {ROWS}"
            for columns in COLUMNS.values()
        ]
        for name, driver in SYNC.items():
            _print(name, [_fetch_ms(driver, address, statement) for statement in statements])
        for name, driver in ASYNC.items():
            each = (_fetch_ms_async(driver, address, statement) for statement in statements)
            _print(name, [uvloop.run(measured) for measured in each])


@contextmanager
def _seeded() -> Iterator[tuple[dict[str, Any], str]]:
    """What a driver's `connect` needs, and the name of a table of 10,000 seeded items."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-rows-") as folder,
        open_database(
            RunSpec(database="local"),
            connections_needed=10,
            placement=choose_placement(cores_of(usable_cores())),
            log_folder=Path(folder),
            say=lambda _: None,
        ) as database,
    ):
        schema = database.create_arm_schema("rows", "all")
        found = address_from_url(database.url_for(schema))
        address = {
            "host": found.host,
            "port": found.port,
            "user": found.user,
            "password": found.password,
            "charset": "utf8mb4",
        }
        yield address, f"{schema}.items"


def _fetch_ms(driver: Any, address: dict[str, Any], statement: str) -> list[float]:
    connection = driver.connect(**address)
    cursor = connection.cursor()
    taken_ms = []
    for _ in range(REPETITIONS):
        began_s = time.process_time()
        cursor.execute(statement)
        assert len(cursor.fetchall()) == ROWS
        taken_ms.append((time.process_time() - began_s) * 1e3)
    connection.close()
    return taken_ms


async def _fetch_ms_async(driver: Any, address: dict[str, Any], statement: str) -> list[float]:
    connection = await driver.connect(**address)
    taken_ms = []
    async with connection.cursor() as cursor:
        for _ in range(REPETITIONS):
            began_s = time.process_time()
            await cursor.execute(statement)
            assert len(await cursor.fetchall()) == ROWS
            taken_ms.append((time.process_time() - began_s) * 1e3)
    connection.close()
    await asyncio.sleep(0)
    return taken_ms


def _print(name: str, taken_ms: list[list[float]]) -> None:
    print(f"| {name} | {' | '.join(f'{statistics.median(each):.2f}' for each in taken_ms)} |")


if __name__ == "__main__":
    main()
