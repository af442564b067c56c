"""Requests that are cancelled, and items that change under a request's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from apps.common.engine import sync_engine_of
from tests.contract.conftest import TWINS
from tests.contract.inside import twin_inside
from tests.support.twins import Database

pytestmark = pytest.mark.database
LIMIT_S = 30


def executions(engine: Engine) -> asyncio.Queue[str]:
    """The engine's statements, as they are about to be sent, from whichever thread."""
    statements: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        loop.call_soon_threadsafe(statements.put_nowait, statement)

    event.listen(engine, "before_cursor_execute", note)
    return statements


@pytest.mark.parametrize("path", ["/slow?ms=300", "/hold?ms=300"])
@pytest.mark.parametrize("admission", [0, -1])
@pytest.mark.parametrize("name", TWINS)
def test_a_cancelled_request_gives_its_connection_and_its_place_back(
    name: str, admission: int, path: str, database: Database
) -> None:
    """What uvicorn does to requests that outlast its limit on a graceful stop."""

    async def story() -> None:
        settings = {"pool_size": 1, "admission": admission}
        async with (
            asyncio.timeout(LIMIT_S),
            twin_inside(name, database.url("cancelled"), **settings) as (app, client),
        ):
            engine = sync_engine_of(app.state.database.engine)
            executing = executions(engine)
            for _ in range(3):
                while not executing.empty():
                    executing.get_nowait()
                asked = asyncio.create_task(client.get(path))
                await executing.get()
                asked.cancel()
                with suppress(asyncio.CancelledError):
                    await asked
            pool: Any = engine.pool
            while pool.checkedout():  # noqa: ASYNC110 – an async session is closed in a task
                await asyncio.sleep(0.005)
            assert app.state.gate is None or app.state.gate.free == 1
            assert (await client.get("/items/1")).status_code == 200

    database.make_schema("cancelled", rows=1)
    asyncio.run(story())


@contextmanager
def just_before(moment: str, act: Callable[[], object]) -> Iterator[None]:
    """Do something once when any session comes to this moment."""
    left = [act]

    def listener(*_: Any) -> None:
        if left:
            left.pop()()

    event.listen(Session, moment, listener)
    try:
        yield
    finally:
        event.remove(Session, moment, listener)


@pytest.mark.parametrize("moment", ["before_flush", "after_commit"])
@pytest.mark.parametrize("name", TWINS)
def test_an_item_deleted_while_it_is_updated_is_a_conflict(
    name: str, moment: str, database: Database
) -> None:
    """Between select and update, and between commit and refresh."""
    database.make_schema("conflicts", rows=3)

    async def story() -> None:
        async with (
            asyncio.timeout(LIMIT_S),
            twin_inside(name, database.url("conflicts")) as (_, client),
        ):
            with just_before(
                moment, lambda: database.query("DELETE FROM items WHERE id = 2", "conflicts")
            ):
                answer = await client.patch("/objects/items/2", json={"price": 5})
            assert (answer.status_code, answer.json()["status"]) == (409, 409)
            assert answer.headers["content-type"] == "application/problem+json"
            assert (await client.patch("/objects/items/3", json={"price": 5})).status_code == 200

    asyncio.run(story())
