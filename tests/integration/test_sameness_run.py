"""A run whose async twin was tampered with: it measures, and says why nothing of it is valid."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtests.environment.database import Database
from loadtests.journal import read_journal
from tests.support.command import bench

EXTRA_STATEMENT = """
from sqlalchemy import Pool, event

@event.listens_for(Pool, "checkout")
def ask_once_more(connection, record, proxy):
    cursor = connection.cursor()
    cursor.execute("SELECT 'is anybody there?'")
    cursor.close()
"""
"""As a well-meant check of each connection would do; loaded by Python itself as it starts."""

SPEC = """
[run]
instances = 1
rounds = 1
block_s = 0.5
[[arm]]
name = "sync"
app = "sync"
[[arm]]
name = "async"
app = "async"
env = {{ PYTHONPATH = "{folder}" }}
[[scenario]]
name = "read-one"
load = {{ model = "closed", users = 4 }}
"""


@pytest.mark.database
def test_a_twin_that_asks_once_more_invalidates_the_run(
    tmp_path: Path, private_database: Database
) -> None:
    (tmp_path / "sitecustomize.py").write_text(EXTRA_STATEMENT)
    spec = tmp_path / "sabotage.toml"
    spec.write_text(SPEC.format(folder=tmp_path))
    schema = private_database.create_arm_schema("sabotage", "any")
    url = private_database.url_for(schema).rsplit("/", 1)[0] + "/"
    folder = tmp_path / "run"
    done = bench("run", str(spec), "--out", str(folder), "--json", BENCH_DATABASE_URL=url)
    assert done.returncode == 4, done.stderr
    assert "async and sync are not the same (get: SELECT ?" in done.stderr

    summary = json.loads(done.stdout)
    comparisons = summary["scenarios"][0]["comparisons"]
    assert {each["verdict"] for each in comparisons} == {"invalid"}
    assert all(each["reasons"][0].startswith("same-work (async): get: ") for each in comparisons)
    [gate] = [g for g in summary["scenarios"][0]["gates"] if g["name"] == "same-work"]
    assert gate["ok"] is False

    events = list(read_journal(folder / "journal.jsonl"))
    assert [event["event"] for event in events[:2]] == ["sameness", "rates"]
    sides = events[0]["arms"]["async"]
    assert {name: side["ok"] for name, side in sides.items()} == {
        "source": True, "interface": True, "work": False, "answers": True,
    }  # fmt: skip
    assert "✕ different" in (folder / "report.html").read_text()
