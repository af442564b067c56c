"""The section on sameness: four sides, operations by statements, and doubt in plain words."""

from __future__ import annotations

from loadtests.sameness.record import Proof, Side, Work
from reports.fairness import fairness, kind, readable
from tests.support.proofs import DIFFERENT_WORK, TWICE, proof


def test_a_run_that_did_not_look_has_no_section() -> None:
    assert fairness([]) is None


def test_arms_that_are_no_twins_are_named_with_the_reason() -> None:
    found = fairness([Proof(not_checked={"mine": "not a twin"})])
    assert found is not None
    assert "not checked (mine: not a twin)" in found.intro
    assert found.sides.rows == found.work.rows == ()


def test_the_four_sides_and_the_table_of_operations() -> None:
    found = fairness([proof()])
    assert found is not None
    assert "sync and async are twins" in found.intro
    assert [row[:2] for row in found.sides.rows] == [
        (side, "✓ the same") for side in ("Source", "Interface", "Work", "Answers")
    ]
    row = dict(zip(found.work.columns, found.work.rows[0], strict=True))
    assert row["Operation"] == "get"
    assert (row["SELECT"], row["ROLLBACK"], row["COMMIT"]) == ("1 / 1", "2 / 2", "–")
    assert row["Round trips"] == "3 / 3"
    assert found.digests.rows == (
        ("get", "GET /items/7", "SELECT id FROM items WHERE id = ?", "1", "1"),
        ("get", "GET /items/7", "ROLLBACK", "2", "2"),
    )


def test_a_difference_shows_in_side_and_table() -> None:
    found = fairness([proof(work=DIFFERENT_WORK, last=TWICE), proof()])
    assert found is not None
    assert ("Work", "✕ different", DIFFERENT_WORK.detail) in found.sides.rows
    row = dict(zip(found.work.columns, found.work.rows[0], strict=True))
    assert (row["SELECT"], row["Round trips"]) == ("1 / 2", "3 / 4")


def test_three_twins_name_whom_each_line_is_about() -> None:
    found = fairness([proof(("a", "b", "c"))])
    assert found is not None
    assert found.sides.columns[1] == "Against a"
    assert [row[1] for row in found.sides.rows] == ["b"] * 4 + ["c"] * 4
    assert found.work.rows[0][1] == "1 / 1 / 1"


def test_what_nobody_counted_is_a_dash() -> None:
    doubt = Side(ok=None, detail="no digests")
    uncounted = Work(statements=None, driver={"execute": 1, "rollback": 2})
    found = fairness([proof(work=doubt, last=uncounted)])
    assert found is not None
    assert ("Work", "– could not be checked", "no digests") in found.sides.rows
    row = dict(zip(found.work.columns, found.work.rows[0], strict=True))
    assert (row["SELECT"], row["Round trips"]) == ("1 / –", "3 / 3")


def test_opening_a_connection_is_told_apart() -> None:
    found = fairness([proof()])
    assert found is not None
    assert "sync sends SET NAMES ? ×2" in found.connection


def test_kinds_of_statements() -> None:
    assert kind("commit ") == "COMMIT"
    assert kind(" ") == "–"


def test_statements_are_shown_without_the_servers_quotes_and_blanks() -> None:
    counted = "SELECT `items` . `id` , `items` . `name` FROM `items` WHERE `items` . `id` > ? "
    assert readable(counted) == "SELECT items.id, items.name FROM items WHERE items.id > ?"
