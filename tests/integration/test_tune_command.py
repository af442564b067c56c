"""`bench tune` for real: database, arms and Locust; stopped in the middle and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from loadtests.environment.database import Database
from loadtests.journal import read_journal
from reports.tuning.load import load_tune
from reports.tuning.record import TuneRecord

BENCH = Path(sys.executable).with_name("bench")
SPEC = """
[run]
block_s = 0.3
[[arm]]
name = "async"
app = "async"
pool_size = 2
[[scenario]]
name = "read-one"
[tune]
objective = { p99_ms = 40, max_error_pct = 1.0 }
budget_s = 20
[tune.knobs]
pool_size = [2, 8]
"""
LIMIT_S = 240.0


def heats_in(folder: Path) -> int:
    events = read_journal(folder / "journal.jsonl")
    return sum(event.get("what") == "measured" for event in events)


@pytest.mark.database
def test_a_search_stopped_in_the_middle_goes_on_and_comes_to_its_end(
    tmp_path: Path, private_database: Database
) -> None:
    spec, folder = tmp_path / "shop.toml", tmp_path / "run"
    spec.write_text(SPEC)
    schema = private_database.create_arm_schema("tune", "any")
    url = private_database.url_for(schema).rsplit("/", 1)[0] + "/"
    environ = os.environ | {"NO_COLOR": "1", "BENCH_DATABASE_URL": url}

    stop_after_two_blocks(["tune", spec, "--out", folder, "--hosts", "2"], folder, environ)
    before = load_tune(folder)
    assert before.status == "interrupted"
    assert before.tried

    wrong = bench(["run", "--resume", folder], environ)
    assert wrong.returncode == 2
    assert "was made by bench tune" in wrong.stderr

    done = bench(["tune", "--resume", folder, "--json"], environ)
    assert done.returncode in (0, 4), done.stderr  # 4: too busy a machine for the objective
    assert "async" in json.loads(done.stdout)["arms"]
    record = load_tune(folder)
    assert record.status == "complete", record.notes
    assert record.hosts == 2
    assert record.tried[: len(before.tried)] == before.tried
    if done.returncode == 0:
        assert_every_stage_was_measured(record)
    assert_trials_tell_of_the_app_and_its_server(record)


def stop_after_two_blocks(
    command: Sequence[str | Path], folder: Path, environ: Mapping[str, str]
) -> None:
    """Start a run and interrupt it once two blocks of it count."""
    process = subprocess.Popen(
        [BENCH, *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ,
    )  # fmt: skip
    with process:
        give_up_s = time.monotonic() + LIMIT_S
        while heats_in(folder) < 2 and process.poll() is None and time.monotonic() < give_up_s:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130, said
    assert f"Go on with: bench tune --resume {folder}" in said


def bench(
    command: Sequence[str | Path], environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BENCH, *command],
        capture_output=True, text=True, env=environ, timeout=LIMIT_S, check=False,
    )  # fmt: skip


def assert_every_stage_was_measured(record: TuneRecord) -> None:
    """On a slow machine the budget is spent before the bursts, and the report says so."""
    stages = {each.stage for each in record.tried}
    assert stages - {"burst"} == {"search", "final", "confirm", "twice", "distance"}
    assert "burst" in stages or any("no burst" in note for note in record.notes)


def assert_trials_tell_of_the_app_and_its_server(record: TuneRecord) -> None:
    assert all(each.server["Questions"] > 0 for each in record.tried)
    assert all(each.connections is None or each.connections <= 15 for each in record.tried)
    assert all(each.split is not None for each in record.tried if each.good)
