"""The arms' schemas on a real server."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from loadtests.environment.database import Database
from loadtests.environment.mysql import Admin, Server, address_from_url
from loadtests.environment.seed import ITEMS_DDL
from loadtests.environment.server_database import ServerDatabase
from loadtests.errors import EnvironmentNotReady
from tests.support.real_database import connect, query

pytestmark = pytest.mark.database


@pytest.fixture
def schema(private_database: Database, request: pytest.FixtureRequest) -> Iterator[str]:
    name = private_database.create_arm_schema(f"t{abs(hash(request.node.name)) % 10**8}", "arm")
    yield name
    query(private_database, f"DROP DATABASE {name}")


def test_an_arms_schema_is_seeded_as_agreed(private_database: Database, schema: str) -> None:
    rows = query(private_database, "SELECT * FROM items WHERE id IN (1, 900, 10000)", schema)
    told = [(*row[:4], str(row[4]), str(row[5])) for row in rows]
    at = "2026-01-01 00:00:00"
    assert told == [
        (1, "item-1", "Seeded item 1", 101, at, at),
        (900, "item-900", "Seeded item 900", 100, at, at),
        (10000, "item-10000", "Seeded item 10000", 200, at, at),
    ]
    ((count, low, high),) = query(
        private_database, "SELECT COUNT(*), MIN(id), MAX(id) FROM items", schema
    )
    assert (count, low, high) == (10_000, 1, 10_000)
    assert (
        query(private_database, "CHECKSUM TABLE items", schema)[0][1]
        == (query(private_database, "CHECKSUM TABLE items_pristine", schema)[0][1])
    )
    assert private_database.drifted(schema) is None


def test_the_table_is_the_agreed_one(private_database: Database, schema: str) -> None:
    columns = (
        "SELECT column_name, column_type, is_nullable, extra, column_key FROM "
        f"information_schema.columns WHERE table_schema = '{schema}' AND table_name = '%s'"
    )
    query(private_database, ITEMS_DDL.replace("items (", "agreed (", 1), schema)
    agreed = query(private_database, columns % "agreed")
    assert len(agreed) == 6
    assert sorted(agreed) == sorted(query(private_database, columns % "items"))


def change(database: Database, schema: str) -> None:
    for statement in (
        "INSERT INTO items SELECT NULL, name, description, price, created_at, updated_at "
        "FROM items_pristine WHERE id <= 30",
        "UPDATE items SET price = price + 1 WHERE id BETWEEN 10 AND 19",
        "UPDATE items SET description = NULL WHERE id = 50",
        "DELETE FROM items WHERE id BETWEEN 9000 AND 9004",
        "DELETE FROM items WHERE id = 10005",
        "UPDATE items SET id = 0 WHERE id = 9500",
    ):
        query(database, statement, schema)


def test_drift_is_told_in_numbers_and_put_back(private_database: Database, schema: str) -> None:
    change(private_database, schema)
    told = private_database.drifted(schema)
    assert told is not None
    assert "30 rows extra" in told  # 30 new, less one deleted, and the one moved to key 0
    assert "6 rows missing" in told
    assert "11 rows changed" in told
    assert "next key" in told
    private_database.reset(schema)
    assert private_database.drifted(schema) is None
    sums = [
        query(private_database, f"CHECKSUM TABLE {table}", schema)[0][1]
        for table in ("items", "items_pristine")
    ]
    assert sums[0] == sums[1]
    with closing(connect(private_database, schema)) as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO items SELECT NULL, 'n', NULL, 1, NOW(6), NOW(6)")
        assert cursor.lastrowid == 10_001


def test_very_many_new_rows_are_put_back_as_well(private_database: Database, schema: str) -> None:
    query(
        private_database,
        "INSERT INTO items (name, price, created_at, updated_at) "
        "SELECT p.name, 1, NOW(6), NOW(6) FROM items_pristine p, (SELECT 1 UNION SELECT 2) twice",
        schema,
    )
    query(private_database, "UPDATE items SET price = 0 WHERE id = 5", schema)
    private_database.reset(schema)
    assert private_database.drifted(schema) is None
    statistics = query(
        private_database,
        f"SELECT n_rows FROM mysql.innodb_table_stats WHERE database_name = '{schema}' "
        "AND table_name = 'items'",
    )
    assert 9_000 < statistics[0][0] < 11_000, "plans need to know how much there is"


def test_new_rows_that_are_gone_again_still_put_the_key_back(
    private_database: Database, schema: str
) -> None:
    query(private_database, "INSERT INTO items SELECT NULL, 'n', NULL, 1, NOW(), NOW()", schema)
    query(private_database, "DELETE FROM items WHERE id > 10000", schema)
    assert private_database.drifted(schema) == "the next key is 10002 instead of 10001"
    private_database.reset(schema)
    assert private_database.drifted(schema) is None


def test_an_open_transaction_is_blamed_and_nothing_is_half_put_back(
    private_database: Database, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(private_database, ServerDatabase)
    query(private_database, "INSERT INTO items SELECT NULL, 'n', NULL, 1, NOW(), NOW()", schema)
    before = private_database.drifted(schema)
    private_database._admin.rows("SET SESSION innodb_lock_wait_timeout = 1")
    with closing(connect(private_database, schema)) as holder, holder.cursor() as cursor:
        holder.begin()
        cursor.execute("UPDATE items SET price = 0 WHERE id = 7777")
        with pytest.raises(EnvironmentNotReady, match="locked by a transaction that stays open"):
            private_database.reset(schema)
        assert private_database.drifted(schema) == before
    private_database._admin.rows("SET SESSION innodb_lock_wait_timeout = 10")
    private_database.reset(schema)
    assert private_database.drifted(schema) is None


def test_the_servers_own_counts(private_database: Database, schema: str) -> None:
    assert private_database.connections(schema) == 0
    with closing(connect(private_database, schema)), closing(connect(private_database, schema)):
        assert private_database.connections(schema) == 2
    query(private_database, "SELECT price FROM items WHERE id = 1", schema)
    before = private_database.statement_digests(schema)
    for key in (2, 3, 4):
        query(private_database, f"SELECT price FROM items WHERE id = {key}", schema)
    after = private_database.statement_digests(schema)
    assert before is not None
    assert after is not None
    (text,) = [text for text in after if text.startswith("SELECT `price` FROM")]
    assert after[text].count - before[text].count == 3
    assert 0 < after[text].total_s - before[text].total_s < 60


def test_a_connection_that_was_dropped_is_opened_again(
    private_database: Database, schema: str
) -> None:
    assert isinstance(private_database, ServerDatabase)
    for _ in range(2):
        number = private_database._admin.value("SELECT CONNECTION_ID()")
        query(private_database, f"KILL {number}")
        private_database.reset(schema)
    query(private_database, f"KILL {private_database._admin.value('SELECT CONNECTION_ID()')}")
    assert private_database.connections(schema) == 0


def test_several_threads_may_ask_at_once(private_database: Database, schema: str) -> None:
    answers: list[int | None] = []
    threads = [
        threading.Thread(target=lambda: answers.append(private_database.connections(schema)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [0] * 8


def test_a_schema_of_the_same_run_is_made_anew(private_database: Database, schema: str) -> None:
    ((run_id, arm),) = query(private_database, "SELECT run_id, arm FROM bench_marker", schema)
    change(private_database, schema)
    assert private_database.create_arm_schema(run_id, arm) == schema
    assert private_database.drifted(schema) is None


@pytest.mark.parametrize("marker", [None, "bench_marker"])
def test_a_schema_that_is_not_ours_is_refused_and_left_alone(
    private_database: Database, marker: str | None
) -> None:
    query(private_database, "CREATE DATABASE bench_other_arm")
    query(private_database, "CREATE TABLE precious (id INT)", "bench_other_arm")
    if marker:
        query(
            private_database,
            "CREATE TABLE bench_marker SELECT 'other' run_id, 'somebody' created_by",
            "bench_other_arm",
        )
    try:
        with pytest.raises(EnvironmentNotReady, match=r"bench_other_arm.*left alone"):
            private_database.create_arm_schema("other", "arm")
        with pytest.raises(EnvironmentNotReady, match="not one that this run created"):
            private_database.reset("bench_other_arm")
        assert query(private_database, "SELECT COUNT(*) FROM precious", "bench_other_arm")
    finally:
        query(private_database, "DROP DATABASE bench_other_arm")


def test_too_few_connections_are_refused_with_the_arithmetic(private_database: Database) -> None:
    server = Server("external", address_from_url(private_database.url_for("")), "test")
    admin = Admin(server.address)
    with (
        closing(admin),
        pytest.raises(EnvironmentNotReady, match=r"may need 5000 .* leaves") as why,
    ):
        ServerDatabase(server, admin, connections_needed=5000)
    assert "pool_size" in why.value.hint
