"""The article's traps are real, on a real database, and the twins do not fall into them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, Select, create_engine, delete, event, insert, select, update
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import MultipleResultsFound
from sqlalchemy.orm import Session

from apps.common import statements
from apps.common.models import Base, Item
from apps.common.schemas import Conditions, NewItem, PageQuery
from reports.fairness import kind
from tests.support.twins import Database

pytestmark = pytest.mark.database

ROWS = 50


@pytest.fixture(scope="module")
def engine(database: Database) -> Iterator[Engine]:
    database.make_schema("article", rows=ROWS)
    url = database.url("article").replace("mysql://", "mysql+pymysql://")
    made = create_engine(url)
    yield made
    made.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose work is undone."""
    with Session(engine) as opened:
        yield opened
        opened.rollback()


@pytest.fixture(scope="module")
def seeded(clients: dict[str, httpx.Client], database: Database) -> dict[str, httpx.Client]:
    """Clients of both twins, whose first hundred seeded items are there."""
    for name in clients:
        database.put_back(f"twin_{name}", rows=100)
    return clients


def sql(statement: Any) -> str:
    return " ".join(str(statement.compile(dialect=mysql.dialect())).split())


@pytest.fixture
def sent(engine: Engine) -> Iterator[list[str]]:
    """The statements that go to the driver from now on."""
    seen: list[str] = []

    def keep(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", keep)
    yield seen
    event.remove(engine, "before_cursor_execute", keep)


class TestStatementsWithoutConditions:
    def test_the_trap_an_empty_list_of_conditions_is_no_condition(self, session: Session) -> None:
        changed = update(Item).where(*[]).values(price=1)
        removed = delete(Item).where(*[])
        assert "WHERE" not in sql(changed) + sql(removed)
        assert session.execute(removed).rowcount == ROWS  # type: ignore[attr-defined]

    def test_ours_refuses_before_it_is_sent(self, seeded: dict[str, httpx.Client]) -> None:
        with pytest.raises(statements.NoConditions):
            statements.delete_items(Conditions.model_construct())
        for client in seeded.values():
            assert client.delete("/statements/items").status_code == 422
            assert client.patch("/statements/items", json={"price": 1}).status_code == 422


class TestPages:
    @staticmethod
    def as_in_the_article(page: int, size: int) -> Select[Item]:
        """Pages only `if page`, and nothing that says in which order."""
        query = select(Item)
        return query.offset((page - 1) * size).limit(size) if page else query

    def test_the_trap_page_0_is_the_whole_table(self, session: Session) -> None:
        assert len(session.scalars(self.as_in_the_article(page=1, size=20)).all()) == 20
        assert len(session.scalars(self.as_in_the_article(page=0, size=20)).all()) == ROWS

    def test_ours_has_no_page_0_and_no_page_without_end(
        self, seeded: dict[str, httpx.Client]
    ) -> None:
        assert "LIMIT" in sql(statements.select_page(PageQuery()))
        for client in seeded.values():
            assert client.get("/items?page=0").status_code == 422
            assert client.get("/items?page_size=1001").status_code == 422
            assert len(client.get("/items").json()) == 20

    def test_the_trap_without_order_by_rows_come_as_the_server_likes(
        self, session: Session
    ) -> None:
        """Ids alone are read from the smallest index, which is sorted by name."""
        unordered = session.scalars(select(Item.id)).all()
        assert len(unordered) == ROWS
        assert list(unordered) != sorted(unordered)

    def test_ours_is_ordered_by_the_primary_key(self, seeded: dict[str, httpx.Client]) -> None:
        for query in (PageQuery(page=3), PageQuery(after=5, limit=7)):
            assert "ORDER BY items.id" in sql(statements.select_page(query))
        for client in seeded.values():
            ids = [item["id"] for item in client.get("/items?page_size=30").json()]
            assert ids == sorted(ids)


class TestScalar:
    def test_the_trap_scalar_hides_duplicates(self, session: Session) -> None:
        session.execute(update(Item).where(Item.id.in_([3, 4])).values(name="twice"))
        named = select(Item).where(Item.name == "twice")
        assert session.scalar(named) is not None, "one of two, without a word"
        with pytest.raises(MultipleResultsFound):
            session.execute(named).scalar_one_or_none()

    def test_ours_asks_for_one_object_by_its_key_only(
        self, session: Session, sent: list[str]
    ) -> None:
        """A key has no duplicates: what the endpoints call cannot meet the trap."""
        session.get(Item, 3)
        [statement] = sent
        assert statement.rstrip().endswith("WHERE items.id = %(pk_1)s")
        [key] = Item.__table__.primary_key.columns
        assert key.name == "id"


class TestTablesInEveryRequest:
    def test_the_trap_creating_what_is_there_asks_the_server_each_time(
        self, engine: Engine, sent: list[str]
    ) -> None:
        for _ in range(3):
            with engine.begin() as connection:
                Base.metadata.create_all(connection)
        assert len(sent) == 3, "one question per table and request"
        assert all("items" in statement for statement in sent)

    def test_ours_asks_for_nothing_but_rows(
        self, seeded: dict[str, httpx.Client], database: Database
    ) -> None:
        """Of single requests here; of every operation in test_twins_same."""
        for name, client in seeded.items():
            before = database.statement_counts(f"twin_{name}")
            assert client.get("/items/1").status_code == 200
            after = database.statement_counts(f"twin_{name}")
            grown = {kind(text) for text, count in after.items() if count != before.get(text)}
            assert grown <= {"SELECT", "ROLLBACK", "SET"}, "SET opens a connection"


class TestBulkInsert:
    GIVEN = statements.rows([NewItem(name=f"n-{k}", price=k) for k in range(100)])

    def test_both_forms_reach_the_server_as_one_statement(
        self, database: Database, engine: Engine
    ) -> None:
        def inserts() -> int:
            counted = database.statement_counts("article")
            return sum(count for text, count in counted.items() if kind(text) == "INSERT")

        for form in ((insert(Item).values(self.GIVEN),), (insert(Item), self.GIVEN)):
            before = inserts()
            with Session(engine) as session:
                session.execute(*form)  # type: ignore[arg-type]
                session.rollback()
            assert inserts() - before == 1

    def test_the_trap_values_makes_a_new_statement_of_every_list(self) -> None:
        """Each row has names of its own, so the text is built, and never found built, each time."""
        listed = insert(Item).values(self.GIVEN).compile(dialect=mysql.dialect())
        assert len(listed.params) == 100 * len(self.GIVEN[0])
        ours = statements.insert_items()
        plain = ours.compile(dialect=mysql.dialect(), column_keys=list(self.GIVEN[0]))
        assert len(plain.params) == len(self.GIVEN[0])
