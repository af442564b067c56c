"""Timed bulk inserts through each twin's own session, in both forms: one worker's blocks."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import delete, insert

from apps.async_app.database import Database as AsyncDatabase
from apps.common import statements
from apps.common.models import Item
from apps.common.schemas import NewItem
from apps.common.settings import Settings
from apps.sync_app.database import Database as SyncDatabase

Form = Literal["execute", "values"]
FORMS: tuple[Form, ...] = ("execute", "values")
REPEATS = {1: 40, 10: 30, 100: 12, 1000: 4}
"""Rows in one statement, and how often it is run in a block."""
SEEDED_LAST = 10_000

Rows = list[dict[str, Any]]
RunBlock = Callable[[Form, Rows, int], None]


@dataclass(frozen=True, slots=True)
class Block:
    """One block: the mean cost of one insert with its commit, in this process.

    `cpu_ms`: processor time of the client, all its threads together.
    """

    driver: str
    rows: int
    form: Form
    process: int
    round: int
    wall_ms: float
    cpu_ms: float


def statement_of(form: Form, rows: Rows) -> tuple[Any, ...]:
    """What is handed to `session.execute`: a statement with its values, or one beside its rows."""
    if form == "values":
        return (insert(Item).values(rows),)
    return statements.insert_items(), rows


def blocks(process: int, rounds: int, seed: int) -> Iterator[Block]:
    """Interleaved blocks of every driver, size and form; both forms of a case stand side by side.

    The database is the one that the twins' TWIN_DATABASE_URL names; it is emptied of new rows.
    """
    order = random.Random(f"{seed}-{process}")
    with ExitStack() as stack:
        drivers = {
            "pymysql": stack.enter_context(_sync()),
            "aiomysql": stack.enter_context(_async()),
        }
        for warm, round_ in itertools.chain([(True, 0)], ((False, r) for r in range(rounds))):
            cases = list(itertools.product(drivers, REPEATS))
            for driver, count in order.sample(cases, len(cases)):
                for form in order.sample(FORMS, len(FORMS)):
                    wall_ms, cpu_ms = _timed(drivers[driver], form, count)
                    if not warm:
                        yield Block(driver, count, form, process, round_, wall_ms, cpu_ms)
            _empty()


def _timed(run: RunBlock, form: Form, count: int) -> tuple[float, float]:
    """Wall and processor time per insert, in ms."""
    items = [NewItem(name=f"n-{k}", description="bulk", price=k) for k in range(count)]
    rows = statements.rows(items)
    repeats = REPEATS[count]
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    run(form, rows, repeats)
    used_s = time.process_time() - cpu_s
    return (time.perf_counter() - wall_s) * 1e3 / repeats, used_s * 1e3 / repeats


@contextmanager
def _sync() -> Iterator[RunBlock]:
    database = SyncDatabase(Settings.from_environment("sync"))

    def run(form: Form, rows: Rows, repeats: int) -> None:
        for _ in range(repeats):
            with database.session() as session:
                session.execute(*statement_of(form, rows))
                session.commit()

    yield run
    database.dispose()


@contextmanager
def _async() -> Iterator[RunBlock]:
    with asyncio.Runner() as runner:
        database = AsyncDatabase(Settings.from_environment("async"))

        async def inserts(form: Form, rows: Rows, repeats: int) -> None:
            for _ in range(repeats):
                async with database.session() as session:
                    await session.execute(*statement_of(form, rows))
                    await session.commit()

        yield lambda form, rows, repeats: runner.run(inserts(form, rows, repeats))
        runner.run(database.dispose())


def _empty() -> None:
    database = SyncDatabase(Settings.from_environment("sync"))
    with database.session() as session:
        session.execute(delete(Item).where(Item.id > SEEDED_LAST))
        session.commit()
    database.dispose()
