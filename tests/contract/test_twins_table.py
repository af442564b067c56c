"""The apps' model is the table that the harness creates."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from apps.common.models import Item
from tests.support.twins import Database

pytestmark = pytest.mark.database


def test_model_matches_the_table(database: Database) -> None:
    database.make_schema("created", rows=1)
    database.query("DROP DATABASE IF EXISTS modelled")
    database.query("CREATE DATABASE modelled CHARACTER SET utf8mb4")
    database.query(str(CreateTable(Item.__table__).compile(dialect=mysql.dialect())), "modelled")
    for index in Item.__table__.indexes:
        columns = ", ".join(column.name for column in index.columns)
        database.query(f"CREATE INDEX {index.name} ON items ({columns})", "modelled")
    created, modelled = (_described(database, schema) for schema in ("created", "modelled"))
    assert created == modelled
    assert len(created) == 6 + 2 + 1


def _described(database: Database, schema: str) -> list[dict[str, Any]]:
    """Columns, keys and storage of a schema's `items`, as the server sees them."""
    of_items = f"TABLE_SCHEMA = '{schema}' AND TABLE_NAME = 'items'"
    return [
        row
        for question in (
            "SELECT COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, EXTRA, COLUMN_KEY, "
            f"COLLATION_NAME FROM information_schema.COLUMNS WHERE {of_items} ORDER BY 1",
            "SELECT INDEX_NAME, COLUMN_NAME, NON_UNIQUE, SEQ_IN_INDEX "
            f"FROM information_schema.STATISTICS WHERE {of_items} ORDER BY 1",
            f"SELECT ENGINE, TABLE_COLLATION FROM information_schema.TABLES WHERE {of_items}",
        )
        for row in database.query(question)
    ]
