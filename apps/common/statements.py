"""Every SQL statement and every change to an object, written once for both twins."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    CursorResult,
    Delete,
    Insert,
    Result,
    Select,
    Update,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.sql import ColumnElement

from apps.common.models import Item
from apps.common.schemas import Changes, Conditions, NewItem, PageQuery

# Objects in the session are not consulted: each request has a session of its own.
_NO_SYNC = {"synchronize_session": False}


class NoConditions(ValueError):
    """A statement without conditions would change the whole table."""


def now() -> datetime:
    """The present, as the DATETIME(6) columns keep it: UTC, without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def new_object(item: NewItem) -> Item:
    """An object to be added to a session."""
    at = now()
    return Item(
        name=item.name, description=item.description, price=item.price, created_at=at, updated_at=at
    )


def change(item: Item, changes: Changes) -> None:
    """Set the given attributes of a loaded object."""
    for column, value in changes.columns().items():
        setattr(item, column, value)
    item.updated_at = now()


def insert_items() -> Insert:
    """An insert to be executed with `rows`: a list of dicts costs least (one prepared shape)."""
    return insert(Item)


def rows(body: NewItem | list[NewItem]) -> list[dict[str, Any]]:
    """One or many new items as rows for `insert_items`."""
    at = now()
    items = body if isinstance(body, list) else [body]
    return [
        {
            "name": item.name,
            "description": item.description,
            "price": item.price,
            "created_at": at,
            "updated_at": at,
        }
        for item in items
    ]


def select_page(query: PageQuery) -> Select[Item]:
    """A page in the order of the primary key: by number, or by key after `query.after`."""
    ordered = select(Item).order_by(Item.id)
    if query.after is not None:
        return ordered.where(Item.id > query.after).limit(query.limit)
    return ordered.limit(query.page_size).offset((query.page - 1) * query.page_size)


def update_items(conditions: Conditions, changes: Changes) -> Update:
    """An update of all rows that meet the conditions. Raises NoConditions."""
    statement = update(Item).where(*_where(conditions))
    return statement.values(**changes.columns(), updated_at=now()).execution_options(**_NO_SYNC)


def delete_items(conditions: Conditions) -> Delete:
    """A delete of all rows that meet the conditions. Raises NoConditions."""
    return delete(Item).where(*_where(conditions)).execution_options(**_NO_SYNC)


def row_count(result: Result[Any]) -> int:
    """How many rows a statement inserted, matched or deleted."""
    assert isinstance(result, CursorResult)
    return result.rowcount


def sleep(ms: int) -> Select[int]:
    """Makes the server wait."""
    return select(func.sleep(ms / 1000))


def probe() -> Select[int]:
    """The smallest question a database can answer."""
    return select(literal(1))


def first_item() -> Select[Item]:
    """The smallest read of the table: fails without the table, a column or the rights."""
    return select(Item).limit(1)


def _where(conditions: Conditions) -> list[ColumnElement[bool]]:
    """`where(*[])` compiles to no WHERE at all, so an empty list never leaves here."""
    given = conditions.model_dump(exclude_none=True)
    if not given:
        raise NoConditions("a statement needs at least one condition: id, name, price")
    return [getattr(Item, column) == value for column, value in given.items()]
