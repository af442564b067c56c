"""Statements: never a whole table by accident, and only the columns that were given."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from sqlalchemy.dialects import mysql

from apps.common import statements
from apps.common.models import Item
from apps.common.schemas import Changes, Conditions, NewItem, PageQuery
from apps.common.statements import NoConditions


def sql(statement: object) -> str:
    compiled = statement.compile(dialect=mysql.dialect())  # type: ignore[attr-defined]
    return " ".join(str(compiled).split())


def test_empty_conditions_do_not_pass_the_schema() -> None:
    with pytest.raises(ValidationError, match="at least one condition"):
        Conditions()


def test_nor_the_statement_if_they_passed_the_schema() -> None:
    nothing = Conditions.model_construct()
    with pytest.raises(NoConditions):
        statements.delete_items(nothing)
    with pytest.raises(NoConditions):
        statements.update_items(nothing, Changes(price=1))


def test_conditions_are_joined_by_and() -> None:
    deletion = statements.delete_items(Conditions(name="a", price=0))
    assert sql(deletion) == "DELETE FROM items WHERE items.name = %s AND items.price = %s"


def test_updates_set_what_was_given_and_the_time() -> None:
    update = statements.update_items(Conditions(id=1), Changes(description=None))
    assert sql(update) == "UPDATE items SET description=%s, updated_at=%s WHERE items.id = %s"


def test_pages() -> None:
    start = (
        "SELECT items.id, items.name, items.description, items.price, items.created_at, "
        "items.updated_at FROM items "
    )
    numbered = statements.select_page(PageQuery(page=3, page_size=20))
    assert sql(numbered) == f"{start}ORDER BY items.id LIMIT %s, %s"
    assert 40 in numbered.compile(dialect=mysql.dialect()).params.values()
    keyed = statements.select_page(PageQuery(after=0, limit=5))
    assert sql(keyed) == f"{start}WHERE items.id > %s ORDER BY items.id LIMIT %s"


def test_objects_and_rows_carry_the_same() -> None:
    new = NewItem(name="n", description="d", price=3)
    item, (row,) = statements.new_object(new), statements.rows(new)
    assert set(row) == {column.name for column in Item.__table__.columns} - {"id"}
    assert all(getattr(item, name) == row[name] for name in ("name", "description", "price"))
    assert item.created_at == item.updated_at
    assert row["created_at"].tzinfo is None


def test_change_leaves_alone_what_was_not_given() -> None:
    item = statements.new_object(NewItem(name="n", description="d", price=3))
    made = item.updated_at
    statements.change(item, Changes(price=4))
    assert (item.name, item.description, item.price) == ("n", "d", 4)
    assert item.updated_at >= made
