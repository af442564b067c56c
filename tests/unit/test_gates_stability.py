"""Whether what was measured had settled: within trials, over the run, by order; and is enough."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadtests.trials import ClosedLoad, OpenLoad
from reports.gates import stability
from reports.gates.noise import RUN_ALPHA, alpha_of_each
from tests.support.gates import BAD, gates_of, summary_of, verdicts
from tests.support.run_builder import Columns, SimulatedArm, Trial

OPEN, CLOSED = OpenLoad(300.0), ClosedLoad(16)
SIZE = {"instances": 6, "rounds": 3}


def times(factor: Any) -> Any:
    """Responses of one arm last longer by `factor(trial, columns)`."""

    def edit(trial: Trial, columns: Columns) -> Columns:
        if trial["arm"] == BAD:
            service_ns = columns["done_ns"] - columns["sent_ns"]
            longer = (service_ns * factor(trial, columns)).astype("int64")
            columns["done_ns"] = columns["sent_ns"] + longer
        return columns

    return edit


def second_half(trial: Trial, columns: Columns) -> Any:
    middle_ns = (trial["steady_start_ns"] + trial["steady_end_ns"]) // 2
    return np.where(columns["arrival_ns"] >= middle_ns, 2.0, 1.0)


def test_a_backlog_that_builds_up_within_trials_fails(tmp_path: Path) -> None:
    summary = summary_of(tmp_path / "run", loads=(OPEN,), edit_samples=times(second_half), **SIZE)
    [gate] = gates_of(summary, "steady-state")
    assert gate.arm == BAD
    assert gate.value == pytest.approx(100.0, abs=25.0)
    assert verdicts(summary, "response_ms.p95") == {"invalid"}


def test_answers_that_run_dry_within_closed_trials_fail(tmp_path: Path) -> None:
    def dry(trial: Trial, columns: Columns) -> Columns:
        if trial["arm"] != BAD:
            return columns
        keep = (second_half(trial, columns) == 1.0) | (np.arange(len(columns["arm"])) % 2 == 0)
        return {name: np.asarray(column, dtype=object)[keep].tolist() if isinstance(column, list)
                else column[keep] for name, column in columns.items()}  # fmt: skip

    summary = summary_of(tmp_path / "run", loads=(CLOSED,), edit_samples=dry, **SIZE)
    [gate] = gates_of(summary, "steady-state")
    assert "answers per second changed by -" in gate.detail


@pytest.mark.parametrize(
    ("load", "late"), [(CLOSED, False), (CLOSED, True), (OPEN, False), (OPEN, True)]
)
def test_an_arm_that_answers_in_one_half_only_fails(tmp_path: Path, load: Any, late: bool) -> None:
    """No ratio exists then, and that is what must be told: it is not a reason to look away."""

    def silent(trial: Trial, columns: Columns) -> Columns:
        if trial["arm"] == BAD:
            stamp = "done_ns" if load is CLOSED else "arrival_ns"
            middle_ns = (trial["steady_start_ns"] + trial["steady_end_ns"]) // 2
            off = (columns[stamp] >= middle_ns) != late
            columns["ok"] = np.asarray(columns["ok"]) & ~off
            columns["status"] = np.where(off, 503, columns["status"]).astype("int16")
        return columns

    summary = summary_of(tmp_path / "run", loads=(load,), edit_samples=silent, **SIZE)
    [gate] = gates_of(summary, "steady-state")
    assert gate.arm == BAD
    assert ("begins late" if late else "runs dry") in gate.detail
    assert ("none in the first" if late else "none in the second") in gate.detail


def test_a_third_of_closed_trials_running_dry_counts_as_the_nothing_it_was(tmp_path: Path) -> None:
    def dry(trial: Trial, columns: Columns) -> Columns:
        if trial["arm"] == BAD and trial["block"] % 3 == 0:
            middle_ns = (trial["steady_start_ns"] + trial["steady_end_ns"]) // 2
            columns["ok"] = np.asarray(columns["ok"]) & (columns["done_ns"] < middle_ns)
        return columns

    summary = summary_of(
        tmp_path / "run", loads=(CLOSED,), edit_samples=dry, instances=12, rounds=3
    )
    [told] = [
        g for s in summary.scenarios for g in s.gates if (g.name, g.arm) == ("steady-state", BAD)
    ]
    assert told.value == pytest.approx(50.0, abs=15.0), "a third less is half as much the other way"


def test_an_arm_that_slows_down_over_the_run_fails(tmp_path: Path) -> None:
    summary = summary_of(
        tmp_path / "run",
        loads=(OPEN,),
        edit_samples=times(lambda trial, _: 1.0 if trial["round"] < 2 else 2.0),
        instances=6,
        rounds=4,
    )
    [gate] = gates_of(summary, "trend")
    assert gate.value == pytest.approx(100.0, abs=30.0)
    assert "one arm had not settled" in gate.detail
    assert verdicts(summary, "response_ms.p95") == {"invalid"}


def test_an_arm_that_is_slower_behind_the_other_fails(tmp_path: Path) -> None:
    summary = summary_of(
        tmp_path / "run",
        loads=(OPEN,),
        edit_samples=times(lambda trial, _: 1.0 if trial["position"] == 0 else 2.0),
        **SIZE,
    )
    [gate] = gates_of(summary, "carry-over")
    assert gate.value == pytest.approx(100.0, abs=40.0), "the ratio of the two ratios"
    assert verdicts(summary, "response_ms.p95") == {"invalid"}


@pytest.mark.parametrize("seed", range(6))
def test_drift_of_the_machine_meets_both_arms_and_fails_nothing(tmp_path: Path, seed: int) -> None:
    def drift(trial: Trial, columns: Columns) -> Columns:
        service_ns = columns["done_ns"] - columns["sent_ns"]
        columns["done_ns"] = columns["sent_ns"] + service_ns * (1 + trial["round"])
        return columns

    summary = summary_of(
        tmp_path / "run", loads=(OPEN, CLOSED), edit_samples=drift, seed=seed, **SIZE
    )
    for name in ("trend", "carry-over", "steady-state"):
        assert gates_of(summary, name) == []


def test_a_few_blocks_can_tell_nothing_and_say_so(tmp_path: Path) -> None:
    summary = summary_of(tmp_path / "run", loads=(OPEN,), instances=3, rounds=1)
    for name in ("trend", "carry-over"):
        [gate] = gates_of(summary, name, None)
        assert "too few" in gate.detail


@pytest.mark.parametrize("gate", ["trend", "carry-over"])
@pytest.mark.parametrize(
    ("blocks", "block_sd", "ok"), [(30, 0.14, None), (18, 0.15, None), (160, 0.08, True)]
)
def test_a_gate_passes_only_where_it_could_have_seen_what_matters(
    gate: str, blocks: int, block_sd: float, ok: bool | None
) -> None:
    ratios = np.random.default_rng(3).normal(0, block_sd, blocks)
    found, _, limit_pct, detail = judged_by(gate, ratios)
    assert (found, limit_pct) == (ok, 10.0)
    assert detail.startswith("could only have seen ") is (ok is None), detail


def judged_by(gate: str, ratios: Any, alpha: float = 1e-3) -> Any:
    if gate == "trend":
        return stability.trend(ratios, alpha)
    return stability.carry_over(ratios, np.arange(len(ratios)) % 2 == 0, alpha)


def test_noise_alone_fails_a_gate_as_seldom_as_its_level_says() -> None:
    """5,000 pairs of groups of nine, as unlike as blocks are: five false alarms to be expected."""
    random = np.random.default_rng(7)
    found = [judged_by("carry-over", random.normal(0, 0.15, 18))[0] for _ in range(5000)]
    assert found.count(False) <= 14
    assert found.count(True) == 0


def test_a_runs_tests_share_one_level() -> None:
    assert alpha_of_each(1) == RUN_ALPHA
    assert alpha_of_each(24) * 24 == pytest.approx(RUN_ALPHA)


def test_selection_by_errors_fails_all_but_capacity(tmp_path: Path) -> None:
    arms = {"sync": SimulatedArm(), BAD: SimulatedArm(app="async", error_share=0.03)}
    summary = summary_of(
        tmp_path / "run", arms=arms, loads=(CLOSED, OPEN), run={"max_error_pct": 5.0}, **SIZE
    )
    assert gates_of(summary, "errors") == []
    gates = gates_of(summary, "error-parity")
    assert {gate.load for gate in gates} == {CLOSED.name, OPEN.name}
    assert verdicts(summary, "response_ms.p95") == verdicts(summary, "cpu_ms_per_request")
    assert verdicts(summary, "response_ms.p95") == {"invalid"}
    assert "invalid" not in verdicts(summary, "capacity_per_s")


def test_timeouts_are_in_the_latencies_and_select_nothing(tmp_path: Path) -> None:
    arms = {"sync": SimulatedArm(), BAD: SimulatedArm(app="async", timeout_share=0.03)}
    summary = summary_of(tmp_path / "run", arms=arms, loads=(OPEN,), run={"max_error_pct": 5.0})
    assert gates_of(summary, "error-parity") == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"instances": 2, "rounds": 6}, "2 instance pairs"),
        ({"instances": 3, "rounds": 1, "loads": (OpenLoad(20.0),)}, "p95 needs 200"),
        (
            {"arms": {"sync": SimulatedArm(), "far": SimulatedArm(app=None, url="http://h:1")},
             "instances": 2, "rounds": 1, "loads": (OPEN,)},
            "2 blocks of one instance pair",
        ),
    ],
)  # fmt: skip
def test_too_little_to_claim_anything_is_said(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    summary = summary_of(tmp_path / "run", **options)
    gates = gates_of(summary, "enough-data", None)
    assert any(words in gate.detail for gate in gates), gates
    assert gates_of(summary, "enough-data") == []
