"""Specimen `n-plus-one`: a page whose rows are read again one by one.

Mistake: one query lists the rows, and a loop (or a lazily loaded attribute) reads each of them.
Symptom: the statement log repeats "SELECT … FROM items WHERE items.id = ?" as often as the page
has rows, and a page's time grows with its rows and with the distance to the database.
Why: each row costs a round trip and the drivers' and ORM's work for one statement.
Cure: one statement that brings what the answer needs (`get_items` in `apps/async_app/routes.py`;
for relationships `selectinload` or `joinedload`).
"""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from apps.async_app import routes as twin
from apps.async_app.database import Database, OpenDatabase
from apps.common import statements
from apps.common.models import Item
from apps.common.schemas import ItemsAnswer, WhichPage
from apps.specimens.build import build

router = APIRouter()


@router.get("/items", response_model=ItemsAnswer)
async def get_items(query: WhichPage, database: OpenDatabase) -> Sequence[Item]:
    """A page of items in the order of their keys."""
    async with database.session() as session:
        ids = await session.scalars(statements.select_page(query).with_only_columns(Item.id))
        return [await session.get_one(Item, item_id) for item_id in ids]


app = build("n-plus-one", Database, twin.router, router)
