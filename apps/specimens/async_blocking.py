"""Specimen `async-blocking`: a sync session inside `async def`, which stops the event loop.

Mistake: the endpoint is a coroutine, but its session and driver are sync.
Symptom: while one query runs nobody else is answered, not even `/health`; one worker serves one
request at a time. No error is raised; only asyncio's debug mode logs "Executing <Task pending
name='…' …> took 0.051 seconds".
Why: a blocking call inside a coroutine holds the thread that runs the loop.
Cure: `def` endpoints for a sync session (`apps/sync_app`), or an async session and driver
(`apps/async_app`).
"""

from __future__ import annotations

from fastapi import APIRouter

from apps.common import statements
from apps.common.models import Item
from apps.common.schemas import ItemAnswer, ItemId, Waited, WaitedAnswer, WaitMs
from apps.specimens.build import build
from apps.sync_app import routes as twin
from apps.sync_app.database import Database, OpenDatabase

router = APIRouter()


@router.get("/items/{item_id}", response_model=ItemAnswer)
async def get_item(item_id: ItemId, database: OpenDatabase) -> Item:
    """One item by its key."""
    with database.session() as session:
        item = session.get(Item, item_id)
        if item is None:
            raise twin.no_item(item_id)
        return item


@router.get("/slow", response_model=WaitedAnswer)
async def slow(database: OpenDatabase, ms: WaitMs = 50) -> Waited:
    """Let the server sleep, and everybody else with it."""
    with database.session(longer_ms=ms) as session:
        session.execute(statements.sleep(ms))
        return Waited(ms=ms)


app = build("async-blocking", Database, twin.router, router)
