"""The table every arm works on: its definition, its 10,000 rows, and how it is put back.

PURE: statements only, run by `server_database`.
"""

from __future__ import annotations

import hashlib
import re

SEEDED_ROWS = 10_000
SEEDED_AT = "2026-01-01 00:00:00.000000"
NEXT_KEY = SEEDED_ROWS + 1
REFILLED_ABOVE_ROWS = 10_000
"""More new rows than this are put back by emptying the table."""
COLUMNS = ("name", "description", "price", "created_at", "updated_at")
ITEMS_DDL = (
    "CREATE TABLE items (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL, "
    "description VARCHAR(500) NULL, price INT NOT NULL, created_at DATETIME(6) NOT NULL, "
    "updated_at DATETIME(6) NOT NULL, KEY ix_items_name (name)) "
    "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
)
MARKER_DDL = (
    "CREATE TABLE {schema}.bench_marker (run_id VARCHAR(200) NOT NULL, arm VARCHAR(100) NOT NULL, "
    "created_by VARCHAR(100) NOT NULL, created_at DATETIME NOT NULL) "
    "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
)
CREATED_BY = "sync-async-bench"
LONGEST_NAME = 64
"""Of a schema, in MySQL and MariaDB."""


def schema_name(run_id: str, arm: str) -> str:
    """The arm's schema: `bench_<run>_<arm>`, with a check sum where that would not fit or differ.

    Two arms never share a name: servers may fold case, and names lose what is not a-z, 0-9 or _.
    """
    wanted = f"bench_{run_id}_{arm}"
    name = re.sub(r"[^a-z0-9_]", "_", wanted.lower())
    if name == wanted and len(name) <= LONGEST_NAME:
        return name
    check = hashlib.sha256(wanted.encode()).hexdigest()[:8]
    return f"{name[: LONGEST_NAME - 9]}_{check}"


def quoted(schema: str) -> str:
    """A schema's name as SQL identifier."""
    return "`" + schema.replace("`", "``") + "`"


def creating(schema: str) -> tuple[str, ...]:
    """Statements that make the items table and its pristine copy, both seeded.

    Statistics are computed once and then left alone, so that no recalculation in the background
    falls into a trial or changes a plan between arms.
    """
    at = quoted(schema)
    define = ITEMS_DDL.replace("CREATE TABLE items", "CREATE TABLE {table}", 1)
    return (
        define.format(table=f"{at}.items_pristine"),
        define.format(table=f"{at}.items"),
        f"ALTER TABLE {at}.items STATS_PERSISTENT=1, STATS_AUTO_RECALC=0",
        f"INSERT INTO {at}.items_pristine (id, {', '.join(COLUMNS)}) {_seeded_rows()}",
        *_filling(at),
    )


def _filling(at: str) -> tuple[str, ...]:
    return (
        f"INSERT INTO {at}.items SELECT * FROM {at}.items_pristine ORDER BY id",
        f"ANALYZE NO_WRITE_TO_BINLOG TABLE {at}.items",
    )


def _seeded_rows() -> str:
    """10,000 rows from four digits: no recursion, whose limit differs between servers."""
    digit = "(SELECT 0 d" + "".join(f" UNION ALL SELECT {n}" for n in range(1, 10)) + ")"
    return (
        "SELECT k, CONCAT('item-', k), CONCAT('Seeded item ', k), 100 + k % 900, "
        f"'{SEEDED_AT}', '{SEEDED_AT}' FROM (SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * e.d k "
        f"FROM {digit} a, {digit} b, {digit} c, {digit} e) numbers ORDER BY k"
    )


def _differs() -> str:
    return " OR ".join(f"NOT (i.{column} <=> p.{column})" for column in COLUMNS)


def putting_back(schema: str) -> tuple[str, ...]:
    """Statements, for one transaction, that make items equal to its pristine copy.

    Only what differs is written. Of five forms measured on both servers, with 90 rows changed, this
    was the quickest (MariaDB 17 ms, MySQL 57 ms with the durable profile; TRUNCATE and INSERT …
    SELECT 41 and 344 ms), and it dirties the fewest pages for the next trial to flush.
    """
    at = quoted(schema)
    return (
        f"DELETE FROM {at}.items WHERE id > {SEEDED_ROWS} OR id < 1",
        f"REPLACE INTO {at}.items SELECT p.* FROM {at}.items_pristine p "
        f"LEFT JOIN {at}.items i ON i.id = p.id WHERE i.id IS NULL OR {_differs()}",
    )


def refilling(schema: str) -> tuple[str, ...]:
    """Statements that empty items and fill it again: what bulk inserts leave behind.

    Deleting their rows one by one would take longer (60,000 new rows on MariaDB: 373 ms instead of
    108 ms; 10,000: 95 and 94 ms), and leave them to be purged during the next trial.
    """
    at = quoted(schema)
    return (f"TRUNCATE TABLE {at}.items", *_filling(at))


def next_key_query() -> str:
    """Reads the next automatic key of a schema's items (one value: the schema)."""
    return (
        "SELECT AUTO_INCREMENT FROM information_schema.tables "
        "WHERE table_schema = %s AND table_name = 'items'"
    )


def next_key_reset(schema: str) -> str:
    """Puts the automatic key back; once new rows are gone this changes nothing but a number."""
    return f"ALTER TABLE {quoted(schema)}.items AUTO_INCREMENT = {NEXT_KEY}"


def difference_query(schema: str) -> str:
    """Counts extra, missing and changed rows against the pristine copy."""
    at = quoted(schema)
    return (
        f"SELECT (SELECT COUNT(*) FROM {at}.items i LEFT JOIN {at}.items_pristine p "
        "ON p.id = i.id WHERE p.id IS NULL) AS extra, "
        "CAST(COALESCE(SUM(i.id IS NULL), 0) AS SIGNED) AS missing, "
        f"CAST(COALESCE(SUM(i.id IS NOT NULL AND ({_differs()})), 0) AS SIGNED) AS changed "
        f"FROM {at}.items_pristine p LEFT JOIN {at}.items i ON i.id = p.id"
    )
