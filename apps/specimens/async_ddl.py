"""Specimen `async-ddl`: the article's `get_db`, which creates the tables in every request.

Mistake: `create_all` stands in the dependency that lends the session.
Symptom: every request is slow, and the statement log is full of "DESCRIBE `items`" (or of SELECTs
on information_schema). When requests meet an empty schema at once, all but one fail with
"Table 'items' already exists".
Why: `create_all` asks the server for each table before it decides to do nothing, in a transaction
of its own with its own trip to the pool.
Cure: create the tables once, before the app is started, by a migration; lend a session only
(`apps/async_app/database.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncSession

from apps.async_app import routes as twin
from apps.async_app.database import Database, OpenDatabase
from apps.common.models import Base, Item
from apps.common.schemas import ItemAnswer, ItemId
from apps.specimens.build import build

router = APIRouter()


async def get_db(database: OpenDatabase) -> AsyncIterator[AsyncSession]:
    """The article's dependency: see that the tables exist, then lend a session."""
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with database.session() as session:
        yield session


@router.get("/items/{item_id}", response_model=ItemAnswer)
async def get_item(item_id: ItemId, session: Annotated[AsyncSession, Depends(get_db)]) -> Item:
    """One item by its key."""
    item = await session.get(Item, item_id)
    if item is None:
        raise twin.no_item(item_id)
    return item


app = build("async-ddl", Database, twin.router, router)
