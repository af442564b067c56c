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
def get_item(item_id: ItemId, database: OpenDatabase) -> Item:
    """One item by its key."""
    with database.session() as session:
        item = session.get(Item, item_id)
        if item is None:
            raise no_item(item_id)
        return item


@router.get("/items", response_model=ItemsAnswer, summary="get_all")
def get_items(query: WhichPage, database: OpenDatabase) -> Sequence[Item]:
    """A page of items in the order of their keys."""
    with database.session() as session:
        items = session.scalars(statements.select_page(query))
        return items.all()


@router.post("/objects/items", response_model=ItemAnswer, status_code=201, summary="create")
def create_object(body: OneItem, database: OpenDatabase) -> Item:
    """Add an object and commit."""
    with database.session() as session:
        item = statements.new_object(body)
        session.add(item)
        session.commit()
        return item


@router.post("/statements/items", response_model=InsertedAnswer, status_code=201, summary="create2")
def insert_items(body: OneOrMany, database: OpenDatabase) -> Inserted:
    """Execute an insert statement, in bulk for a list."""
    with database.session() as session:
        rows = statements.rows(body)
        session.execute(statements.insert_items(), rows)
        session.commit()
        return Inserted(inserted=len(rows))


@router.patch(
    "/objects/items/{item_id}",
    response_model=ItemAnswer,
    responses=MAY_BE_MISSING,
    summary="update",
)
def update_object(item_id: ItemId, changes: ToChange, database: OpenDatabase) -> Item:
    """Load the object, set its attributes, commit, refresh."""
    with database.session() as session:
        item = session.get(Item, item_id)
        if item is None:
            raise no_item(item_id)
        statements.change(item, changes)
        session.commit()
        session.refresh(item)
        return item


@router.patch("/statements/items", response_model=UpdatedAnswer, summary="update2")
def update_items(conditions: WhichRows, changes: ToChange, database: OpenDatabase) -> Updated:
    """Execute an update statement with conditions and values."""
    with database.session() as session:
        result = session.execute(statements.update_items(conditions, changes))
        session.commit()
        return Updated(updated=statements.row_count(result))


@router.delete(
    "/objects/items/{item_id}",
    response_model=ItemAnswer,
    responses=MAY_BE_MISSING,
    summary="delete",
)
def delete_object(item_id: ItemId, database: OpenDatabase) -> Item:
    """Load and delete the object, which is returned."""
    with database.session() as session:
        item = session.get(Item, item_id)
        if item is None:
            raise no_item(item_id)
        session.delete(item)
        session.commit()
        return item


@router.delete("/statements/items", response_model=DeletedAnswer, summary="delete2")
def delete_items(conditions: WhichRows, database: OpenDatabase) -> Deleted:
    """Execute a delete statement with conditions."""
    with database.session() as session:
        result = session.execute(statements.delete_items(conditions))
        session.commit()
        return Deleted(deleted=statements.row_count(result))


@router.get(
    "/queries",
    response_model=ItemsAnswer,
    responses=MAY_BE_MISSING,
    summary="several queries in one request",
)
def queries(query: WhichReads, database: OpenDatabase) -> Sequence[Item]:
    """Items read one by one, each by its key, in one session."""
    with database.session() as session:
        items = []
        for item_id in query.item_ids():
            item = session.get(Item, item_id)
            if item is None:
                raise no_item(item_id)
            items.append(item)
        return items


@router.get("/slow", response_model=WaitedAnswer, summary="a slow statement")
def slow(database: OpenDatabase, ms: WaitMs = 50) -> Waited:
    """Let the server sleep."""
    with database.session(longer_ms=ms) as session:
        session.execute(statements.sleep(ms))
        return Waited(ms=ms)


@router.get("/hold", response_model=WaitedAnswer, summary="a connection held over other work")
def hold(database: OpenDatabase, ms: WaitMs = 50) -> Waited:
    """Query, wait outside the database, query."""
    with database.session(longer_ms=ms) as session:
        session.execute(statements.probe())
        pause(ms)
        session.execute(statements.probe())
        return Waited(ms=ms)


@router.get("/release", response_model=WaitedAnswer, summary="a connection given back meanwhile")
def release(database: OpenDatabase, ms: WaitMs = 50) -> Waited:
    """Query, give the connection back, wait outside the database, query."""
    with database.session() as session:
        session.execute(statements.probe())
        session.close()
        pause(ms)
        session.execute(statements.probe())
        return Waited(ms=ms)


@router.get("/ready", response_model=StatusAnswer, summary="Could it serve?")
def ready(database: OpenDatabase) -> Status:
    """Read the table: the database answers, and has what is needed."""
    with database.session() as session:
        session.execute(statements.first_item())
        return Status(status="ready")
