"""The distance to the database as numbers, gate and words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loadtests.environment.pings import summary
from loadtests.journal import Journal
from reports.facts import how_it_was_made
from reports.gates import distance_gate
from reports.run_folder import StoredRun
from reports.summarise import summarise
from reports.write import write_report
from tests.support.run_builder import build_run
from tests.support.sample_summary import manifest


def measured(p50: float, p99: float = 9.0) -> dict[str, Any]:
    return {"asked_ms": 2.0, "added_ms": {"p50": p50, "p99": p99}}


def test_what_is_added_is_of_pairs_and_percentiles_are_exact() -> None:
    direct = [0.1] * 99 + [5.0]
    relayed = [2.1] * 98 + [7.0, 7.0]
    told = summary(direct, relayed)
    assert told["round_trips"] == 100
    assert told["direct_ms"] == {"p50": 0.1, "p99": 0.1}
    assert told["measured_ms"] == {"p50": 2.1, "p99": 7.0}
    assert told["added_ms"] == {"p50": 2.0, "p99": 2.0}  # the last pair was slow both ways


@pytest.mark.parametrize(
    ("asked_ms", "added_ms", "ok"),
    [
        (0.5, 0.69, True),
        (0.5, 0.71, False),
        (0.5, 0.29, False),
        (2.0, 2.19, True),
        (5.0, 5.49, True),  # beyond 2 ms it is a tenth
        (5.0, 5.51, False),
    ],
)
def test_the_limit_is_a_fifth_of_a_millisecond_or_a_tenth(
    asked_ms: float, added_ms: float, ok: bool
) -> None:
    gate = distance_gate(asked_ms, [measured(added_ms)], None)
    assert gate.ok is ok
    assert (gate.arm, gate.load) == (None, None)
    assert gate.value is not None
    assert gate.limit is not None
    assert (gate.value <= gate.limit) is ok


def test_the_worst_start_of_a_run_counts_and_the_words_carry_remedy_and_cpu() -> None:
    gate = distance_gate(2.0, [measured(2.1), measured(1.2), measured(2.3)], 12.3)
    assert gate.ok is False
    assert gate.value == pytest.approx(0.8)
    for words in ("1.20 ms added", "12% of a core", "end what else runs here"):
        assert words in gate.detail


@pytest.mark.parametrize("facts", [[], [{"added_ms": None}]])
def test_a_distance_that_was_not_measured_could_not_be_checked(facts: list[Any]) -> None:
    assert distance_gate(2.0, facts, None).ok is None


def run_at(folder: Path, rtt_ms: float, *found: dict[str, Any]) -> Path:
    build_run(
        folder,
        run={"database_rtt_ms": rtt_ms},
        block_s=0.3,
        edit_trial=lambda t: {**t, "relay_cpu_s": 0.25 * t["generator_wall_s"]},
    )
    journal = Journal(folder / "journal.jsonl")
    for facts in found:
        journal.write("distance", **facts)
    journal.write("end", status="complete", reason="simulated")
    journal.close()
    return folder


def test_a_wrong_distance_makes_every_result_of_the_run_invalid(tmp_path: Path) -> None:
    wrong = summarise(StoredRun.load(run_at(tmp_path / "wrong", 2.0, measured(2.5))))
    right = summarise(StoredRun.load(run_at(tmp_path / "right", 2.0, measured(2.05))))
    assert right.valid
    assert not wrong.valid
    compared = [each for scenario in wrong.scenarios for each in scenario.comparisons]
    assert compared
    for each in compared:
        assert each.verdict == "invalid"
        assert "database-distance (all arms)" in each.reasons[0]
    assert "25% of a core" in next(
        gate.detail for gate in right.scenarios[0].gates if gate.name == "database-distance"
    )


def test_no_distance_no_word_of_it(tmp_path: Path) -> None:
    answer = summarise(StoredRun.load(build_run(tmp_path / "run", block_s=0.3)))
    assert "to the database" not in answer.headline
    assert not [g for s in answer.scenarios for g in s.gates if g.name == "database-distance"]


def test_headline_facts_charts_and_tables_name_the_distance(tmp_path: Path) -> None:
    folder = run_at(tmp_path / "run", 2.0, measured(2.05))
    stored = json.loads((folder / "manifest.json").read_text())
    stored["distance"] = DISTANCE
    (folder / "manifest.json").write_text(json.dumps(stored))
    answer = write_report(folder)
    assert answer.headline.startswith("With 2.0\u00a0ms to the database: ")
    charts = [path.read_text() for path in (folder / "charts").glob("latency-*.svg")]
    assert charts
    assert all("ms to the database" in chart for chart in charts)
    assert "2.05 ms to a round trip of 0.09 ms" in (folder / "report.md").read_text()
    assert "distance to the database" in (folder / "report.html").read_text()


DISTANCE = {
    "asked_ms": 2.0,
    "direct_ms": {"p50": 0.09, "p99": 0.3},
    "measured_ms": {"p50": 2.14, "p99": 2.6},
    "added_ms": {"p50": 2.05, "p99": 2.4},
    "real_time": True,
}


def test_facts_say_how_the_distance_was_made() -> None:
    facts = dict(how_it_was_made(manifest(distance=DISTANCE)))
    assert facts["Distance to the database"].startswith("2.0 ms asked for; our relay added 2.05 ms")
    assert "with real-time priority" in facts["Distance to the database"]
    for holes in (None, {}, {"added_ms": {"p50": 1.0}}):
        assert "Distance to the database" not in dict(how_it_was_made(manifest(distance=holes)))
