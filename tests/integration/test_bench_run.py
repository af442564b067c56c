"""`bench run` and `bench up`: real database, real arms, real Locust."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.support.busy_machine import OF_A_BUSY_MACHINE
from tests.support.command import SHORT, bench, started

FAR = ["--set", "run.database_rtt_ms=2.0"]


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_smoke_from_nothing_to_a_report(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    done = bench("run", "smoke", "--out", str(folder), "--json", "--set", "run.database=local")
    assert done.returncode in (0, 4), done.stderr  # invalid on a machine too busy to measure
    summary = json.loads(done.stdout)
    assert (done.returncode == 0) == summary["valid"]
    failed = {gate["name"] for gate in summary["scenarios"][0]["gates"] if gate["ok"] is False}
    assert failed <= OF_A_BUSY_MACHINE, summary["scenarios"][0]["gates"]
    assert summary == json.loads((folder / "summary.json").read_text())
    assert {path.name for path in folder.iterdir()} >= {
        *("manifest.json", "journal.jsonl", "samples", "telemetry.parquet"),
        *("summary.json", "report.html", "report.md", "charts"),
    }
    events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    [proof] = [event for event in events if event["event"] == "sameness"]
    assert {side: found["ok"] for side, found in proof["arms"]["async"].items()} == dict.fromkeys(
        ("source", "interface", "work", "answers"), True
    ), proof["arms"]
    trials = [event for event in events if event["event"] == "trial"]
    assert len(trials) == 12
    for trial in trials:
        counts = {trial[name] for name in ("planned", "sent", "recorded", "server_requests")}
        assert len(counts) == 1, trial
        assert trial["app_cpu_s"] > 0
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["durability"]["profile"] == "durable"
    assert manifest["arms"]["async"]["settings"]["pool_size"] == 10

    taken = bench("run", "smoke", "--out", str(folder))
    assert taken.returncode == 2
    assert "already holds a run" in taken.stderr

    again = bench("report", str(folder), "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == summary


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_a_run_at_a_distance_measures_it_tells_it_and_judges_it(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "run"
    done = bench("run", "smoke", "--out", str(folder), *SHORT, *FAR, BENCH_DATABASE_URL=url)
    assert done.returncode in (0, 4), done.stderr  # invalid on a machine too busy to measure
    assert "Distance to the database: 2 ms asked" in done.stderr
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["distance"]["asked_ms"] == 2.0
    assert manifest["distance"]["measured_ms"]["p50"] > manifest["distance"]["direct_ms"]["p50"]
    placement = manifest["placement"]
    assert placement.get("relay", []) == placement["database"][-1:]
    given = {*placement["generator"], *placement["apps"], *placement["database"]}
    assert {seen["core"] for seen in placement.get("noise", [])} == given
    events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    trials = [event for event in events if event["event"] == "trial"]
    assert all(trial["relay_cpu_s"] > 0 for trial in trials)
    assert all(trial["connections"] > 0 for trial in trials)  # counted by the relay's port
    (told,) = (event for event in events if event["event"] == "relay")
    assert told["cpu_s"] > 0
    assert told["passed_on"] > sum(trial["sent"] for trial in trials)
    summary = json.loads((folder / "summary.json").read_text())
    assert "to the database: " in summary["headline"]
    (gate,) = (g for g in summary["scenarios"][0]["gates"] if g["name"] == "database-distance")
    assert gate["value"] == pytest.approx(abs(manifest["distance"]["added_ms"]["p50"] - 2.0))
    assert gate["limit"] == 0.2


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_up_says_where_everything_is_and_ends_on_ctrl_c(url: str) -> None:
    with started("up", "smoke", "--json", *FAR, BENCH_DATABASE_URL=url) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert set(told["arms"]) == {"sync", "async"}
        assert ":***@" in told["database"]
        assert told["distance"]["added_ms"]["p50"] > 1.0
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
