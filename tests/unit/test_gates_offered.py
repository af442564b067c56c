"""The offered load: arrivals alike, as planned, and in time; in flight by the app's own gauge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadtests.trials import ClosedLoad, OpenLoad
from tests.support.gates import BAD, gates_of, only_bad, summary_of, verdicts
from tests.support.run_builder import MS, Columns, SimulatedArm, Trial

OPEN = {"loads": (OpenLoad(150.0),)}


def test_arms_of_a_block_must_be_offered_the_same_arrivals(tmp_path: Path) -> None:
    def shift(trial: Trial, columns: Columns) -> Columns:
        if trial["trial"] == 3:
            columns["arrival_ns"][10] += 1
        return columns

    summary = summary_of(tmp_path / "run", edit_samples=shift, **OPEN)
    [gate] = gates_of(summary, "arrivals")
    assert (gate.arm, gate.value, gate.limit) == (None, 1.0, 0.0)
    assert "blocks 1," in gate.detail
    assert verdicts(summary, "response_ms.p95") == {"invalid"}


def test_arrivals_that_are_not_the_load_s_rate_fail(tmp_path: Path) -> None:
    def thin(_: Trial, columns: Columns) -> Columns:
        return {name: column[::2] for name, column in columns.items()}

    summary = summary_of(tmp_path / "run", edit_samples=thin, **OPEN)
    [gate] = gates_of(summary, "arrivals")
    assert "fewer than the rate that was asked for" in gate.detail


def test_too_many_arrivals_are_told_as_too_many(tmp_path: Path) -> None:
    def double(_: Trial, columns: Columns) -> Columns:
        return {name: np.repeat(np.asarray(c, dtype=object), 2).tolist() if isinstance(c, list)
                else np.repeat(c, 2) for name, c in columns.items()}  # fmt: skip

    summary = summary_of(tmp_path / "run", edit_samples=double, **OPEN)
    [gate] = gates_of(summary, "arrivals")
    assert "more than the rate that was asked for" in gate.detail


def late_by_the_app(share: float) -> Any:
    """The app saw requests later and later, as at a rate that is lower by `share`."""

    def change(trial: Trial) -> dict[str, Any]:
        span_ns = trial["steady_end_ns"] - trial["start_ns"]
        return {"server_arrival_ns": trial["server_arrival_ns"] + int(share * span_ns / 2)}

    return only_bad(change)


def slower(share: float) -> Any:
    """The generator sent later and later, and says so."""

    def edit(trial: Trial, columns: Columns) -> Columns:
        if trial["arm"] == BAD:
            late_ns = ((columns["arrival_ns"] - trial["start_ns"]) * share).astype("int64")
            columns["sent_ns"] = columns["sent_ns"] + late_ns
            columns["done_ns"] = columns["done_ns"] + late_ns
        return columns

    return edit


def test_a_rate_that_was_not_offered_fails(tmp_path: Path) -> None:
    both = {"edit_trial": late_by_the_app(0.08), "edit_samples": slower(0.08)}
    summary = summary_of(tmp_path / "run", **both, **OPEN)
    [gate] = gates_of(summary, "offered-rate")
    assert gate.value == pytest.approx(8.0, abs=1.0)
    assert "by the app's own clock: as if the rate were 8% lower" in gate.detail
    assert verdicts(summary, "response_ms.p95") == {"invalid"}
    assert verdicts(summary, "cpu_ms_per_request") != {"invalid"}


def test_what_only_the_app_saw_late_may_be_its_own_doing(tmp_path: Path) -> None:
    summary = summary_of(tmp_path / "run", edit_trial=late_by_the_app(0.08), **OPEN)
    assert gates_of(summary, "offered-rate") == []
    [gate] = gates_of(summary, "offered-rate", None)
    assert gate.detail.endswith("the way is slow, or the app itself, whose loop was busy")


def test_an_app_that_sees_requests_before_they_are_planned_has_another_clock(
    tmp_path: Path,
) -> None:
    summary = summary_of(tmp_path / "run", edit_trial=late_by_the_app(-0.08), **OPEN)
    [gate] = gates_of(summary, "offered-rate")
    assert gate.arm == BAD
    assert "before it by the app's own clock" in gate.detail
    assert "too early, which no request can be; the two clocks differ" in gate.detail
    assert "lower" not in gate.detail


def test_an_arm_that_tells_nothing_is_judged_by_the_generators_clock(tmp_path: Path) -> None:
    arms = {"sync": SimulatedArm(), "mine": SimulatedArm(app=None, command="serve --port {port}")}
    summary = summary_of(tmp_path / "run", arms=arms, **OPEN)
    told = {gate.arm: gate.detail for gate in gates_of(summary, "offered-rate", True)}
    assert "app's own clock" in told["sync"]
    assert "app's own clock" not in told["mine"]
    assert {gate.arm for gate in gates_of(summary, "littles-law", None)} == {"mine"}


def test_little_is_told_by_three_who_know_nothing_of_each_other(tmp_path: Path) -> None:
    summary = summary_of(tmp_path / "run", loads=(ClosedLoad(16),))
    told = gates_of(summary, "littles-law", True)
    assert len(told) == 2
    for gate in told:
        assert "by the app's own gauge" in gate.detail
        assert "by the generator's times" in gate.detail


def test_requests_that_were_given_up_are_no_proof_against_little(tmp_path: Path) -> None:
    """The app may go on with what its client has given up."""
    arms = {"sync": SimulatedArm(), BAD: SimulatedArm(app="async", timeout_share=0.02)}
    summary = summary_of(
        tmp_path / "run",
        arms=arms,
        edit_trial=only_bad(lambda t: {"server_in_flight_s": 50.0}),
        edit_samples=lambda trial, columns: (
            columns if trial["arm"] != BAD else {**columns, **_one_silent(columns)}
        ),
        **OPEN,
    )
    assert gates_of(summary, "littles-law") == []


def _one_silent(columns: Columns) -> Columns:
    status, ok = columns["status"].copy(), columns["ok"].copy()
    status[0], ok[0] = 0, False
    return {"status": status, "ok": np.array(ok), "error": ["timeout", *columns["error"][1:]]}


def test_good_runs_pass_whatever_the_arms_do(tmp_path: Path) -> None:
    """An overloaded arm is told as saturated; its queue is nobody's mistake."""

    def overload(trial: Trial, columns: Columns) -> Columns:
        if trial["arm"] == BAD:
            waited = (columns["arrival_ns"] - columns["arrival_ns"][0]) // 2
            columns["done_ns"] = columns["done_ns"] + waited
        return columns

    change = only_bad(lambda t: {"server_arrival_ns": t["server_arrival_ns"] + 100 * MS})
    summary = summary_of(tmp_path / "run", edit_samples=overload, edit_trial=change, **OPEN)
    for name in ("offered-rate", "littles-law", "steady-state"):
        assert gates_of(summary, name) == []
    for name in ("offered-rate", "steady-state"):
        [gate] = [each for each in gates_of(summary, name, None) if each.arm == BAD]
        assert "saturated" in gate.detail
