"""The items API, beside its twin to be read line by line: only the awaiting differs."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, HTTPException

from apps.common import statements
from apps.common.api_document import MAY_BE_MISSING
from apps.common.models import Item
from apps.common.pause import pause
from apps.common.schemas import (
    Deleted,
    DeletedAnswer,
    Inserted,
    InsertedAnswer,
    ItemAnswer,
    ItemId,
    ItemsAnswer,
    OneItem,
    OneOrMany,
    Status,
    StatusAnswer,
    ToChange,
    Updated,
    UpdatedAnswer,
    Waited,
    WaitedAnswer,
    WaitMs,
    WhichPage,
    WhichReads,
    WhichRows,
)

from .database import OpenDatabase

router = APIRouter()


def no_item(item_id: int) -> HTTPException:
    """What is said of an item that does not exist."""
    return HTTPException(404, f"There is no item {item_id}.")


@router.get("/items/{item_id}", response_model=ItemAnswer, responses=MAY_BE_MISSING, summary="get")
async def get_item(item_id: ItemId, database: OpenDatabase) -> Item:
    """One item by its key."""
    async with database.session() as session:
        item = await session.get(Item, item_id)
        if item is None:
            raise no_item(item_id)
        return item


@router.get("/items", response_model=ItemsAnswer, summary="get_all")
async def get_items(query: WhichPage, database: OpenDatabase) -> Sequence[Item]:
    """A page of items in the order of their keys."""
    async with database.session() as session:
        items = await session.scalars(statements.select_page(query))
        return items.all()


@router.post("/objects/items", response_model=ItemAnswer, status_code=201, summary="create")
async def create_object(body: OneItem, database: OpenDatabase) -> Item:
    """Add an object and commit."""
    async with database.session() as session:
        item = statements.new_object(body)
        session.add(item)
        await session.commit()
        return item


@router.post("/statements/items", response_model=InsertedAnswer, status_code=201, summary="create2")
async def insert_items(body: OneOrMany, database: OpenDatabase) -> Inserted:
    """Execute an insert statement, in bulk for a list."""
    async with database.session() as session:
        rows = statements.rows(body)
        await session.execute(statements.insert_items(), rows)
        await session.commit()
        return Inserted(inserted=len(rows))


@router.patch(
    "/objects/items/{item_id}",
    response_model=ItemAnswer,
    responses=MAY_BE_MISSING,
    summary="update",
)
async def update_object(item_id: ItemId, changes: ToChange, database: OpenDatabase) -> Item:
    """Load the object, set its attributes, commit, refresh."""
    async with database.session() as session:
        item = await session.get(Item, item_id)
        if item is None:
            raise no_item(item_id)
        statements.change(item, changes)
        await session.commit()
        await session.refresh(item)
        return item


@router.patch("/statements/items", response_model=UpdatedAnswer, summary="update2")
async def update_items(conditions: WhichRows, changes: ToChange, database: OpenDatabase) -> Updated:
    """Execute an update statement with conditions and values."""
    async with database.session() as session:
        result = await session.execute(statements.update_items(conditions, changes))
        await session.commit()
        return Updated(updated=statements.row_count(result))


@router.delete(
    "/objects/items/{item_id}",
    response_model=ItemAnswer,
    responses=MAY_BE_MISSING,
    summary="delete",
)
async def delete_object(item_id: ItemId, database: OpenDatabase) -> Item:
    """Load and delete the object, which is returned."""
    async with database.session() as session:
        item = await session.get(Item, item_id)
        if item is None:
            raise no_item(item_id)
        await session.delete(item)
        await session.commit()
        return item


@router.delete("/statements/items", response_model=DeletedAnswer, summary="delete2")
async def delete_items(conditions: WhichRows, database: OpenDatabase) -> Deleted:
    """Execute a delete statement with conditions."""
    async with database.session() as session:
        result = await session.execute(statements.delete_items(conditions))
        await session.commit()
        return Deleted(deleted=statements.row_count(result))


@router.get(
    "/queries",
    response_model=ItemsAnswer,
    responses=MAY_BE_MISSING,
    summary="several queries in one request",
)
async def queries(query: WhichReads, database: OpenDatabase) -> Sequence[Item]:
    """Items read one by one, each by its key, in one session."""
    async with database.session() as session:
        items = []
        for item_id in query.item_ids():
            item = await session.get(Item, item_id)
            if item is None:
                raise no_item(item_id)
            items.append(item)
        return items


@router.get("/slow", response_model=WaitedAnswer, summary="a slow statement")
async def slow(database: OpenDatabase, ms: WaitMs = 50) -> Waited:
    """Let the server sleep."""
    async with database.session(longer_ms=ms) as session:
        await session.execute(statements.sleep(ms))
        return Waited(ms=ms)


@router.get("/hold", response_model=WaitedAnswer, summary="a connection held over other work")
async def hold(database: OpenDatabase, ms: WaitMs = 50) -> Waited:
    """Query, wait outside the database, query."""
    async with database.session(longer_ms=ms) as session:
        await session.execute(statements.probe())
        await pause(ms)
        await session.execute(statements.probe())
        return Waited(ms=ms)


@router.get("/release", response_model=WaitedAnswer, summary="a connection given back meanwhile")
async def release(database: OpenDatabase, ms: WaitMs = 50) -> Waited:
    """Query, give the connection back, wait outside the database, query."""
    async with database.session() as session:
        await session.execute(statements.probe())
        await session.close()
        await pause(ms)
        await session.execute(statements.probe())
        return Waited(ms=ms)


@router.get("/ready", response_model=StatusAnswer, summary="Could it serve?")
async def ready(database: OpenDatabase) -> Status:
    """Read the table: the database answers, and has what is needed."""
    async with database.session() as session:
        await session.execute(statements.first_item())
        return Status(status="ready")
