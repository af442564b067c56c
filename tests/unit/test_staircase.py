"""The staircase: whose knee is credited, by which objective, and when two knees stand apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadtests.trials import OpenLoad
from loadtests.tuning.score import Objective, Score
from reports import words
from reports.charts import Chart, draw_charts
from reports.charts.caveats import KNEE, Caveats
from reports.charts.knees import ArmKnee, told_apart
from reports.charts.load_lines import LABEL_PT, PLOT_PT, apart
from reports.model import LATENCY
from reports.run_folder import load_run
from reports.summarise import summarise
from reports.tuning.knee import Knee, Scored
from tests.support.run_builder import MS, TWINS, Columns, Trial, build_run

LOADS = tuple(OpenLoad(rate) for rate in (50.0, 100.0, 200.0, 400.0))
OBJECTIVE = {"p99_ms": 50.0, "max_error_pct": 5.0}
Edit = Callable[[Trial, Columns], Columns]


def staircase(folder: Path, edit: Edit, **how: Any) -> Chart:
    build_run(
        folder, arms=TWINS, loads=LOADS, edit_samples=edit, run={"objective": OBJECTIVE}, **how
    )
    stored = load_run(folder)
    charts = draw_charts(stored, summarise(stored)).all
    return next(chart for chart in charts if chart.name == "staircase-1")


def plain(text: str) -> str:
    return text.replace(words.NBSP, " ")


def failing(shares: Mapping[float, float], arm: str = "async") -> Edit:
    """Of the arm's requests this share fails, by rate."""

    def edit(trial: Trial, columns: Columns) -> Columns:
        share = shares.get(float(trial["load"].removeprefix("open-")), 0.0)
        bad = np.arange(len(columns["ok"])) < share * len(columns["ok"]) * (trial["arm"] == arm)
        return {**columns, "ok": columns["ok"] & ~np.random.default_rng(1).permutation(bad)}

    return edit


def late_beyond(knees: Mapping[str, float]) -> Edit:
    """Beyond its knee an arm answers 60 ms later."""

    def edit(trial: Trial, columns: Columns) -> Columns:
        beyond = float(trial["load"].removeprefix("open-")) > knees[trial["arm"]]
        return {**columns, "done_ns": columns["done_ns"] + beyond * 60 * MS}

    return edit


def late_at_times(trial: Trial, columns: Columns) -> Columns:
    """At 200/s some requests of some instances are late, at 400/s all."""
    rate, n = float(trial["load"].removeprefix("open-")), len(columns["done_ns"])
    shares = {"sync": (0.03, 0.0, 0.02), "async": (0.0, 0.018, 0.001)}
    share = shares[trial["arm"]][trial["instance"]] if rate < 300.0 else 1.0
    late = (np.arange(n) % 100 < 100 * share) & (rate > 150.0)
    return {**columns, "done_ns": columns["done_ns"] + late * 60 * MS}


def verdicts(chart: Chart) -> dict[str, str]:
    return {row[1]: row[-1] for row in chart.rows[-2:]}


def test_a_knee_at_which_errors_begin_is_claimed_though_the_run_allows_fewer(
    tmp_path: Path,
) -> None:
    """At 200/s 0.6% fail: over what the run allows (0.1%), within the objective; at 400/s 30%."""
    chart = staircase(tmp_path / "run", failing({200.0: 0.006, 400.0: 0.3}))
    assert verdicts(chart) == {"sync": "knee", "async": "knee"}
    assert {row[0]: row[-1] for row in chart.rows if row[1] == "async"}["200/s"] == "kept"
    title = plain(chart.title)
    assert title.startswith(
        "read-one: p99 ≤ 50 ms, errors ≤ 5% is kept by sync at every load tried"
    )
    assert "and async up to about" in title
    rate = float(title.partition("async up to about ")[2].split()[0])
    assert 200.0 < rate < 400.0


def test_another_check_that_failed_leaves_no_knee_to_an_arm(tmp_path: Path) -> None:
    def uncounted(trial: Trial) -> Trial:
        lost = 7 * (trial["arm"] == "async")
        return {**trial, "server_requests": trial["server_requests"] - lost}

    chart = staircase(tmp_path / "run", failing({}), edit_trial=uncounted)
    assert verdicts(chart) == {"sync": "knee", "async": "no claim: a check failed"}
    assert "invalid" in chart.title
    assert "✕ async" in chart.files.svg.decode()


def test_a_knee_is_spared_by_errors_and_by_nothing_else() -> None:
    place = ("s", "open-80", "sync")
    caveats = Caveats(failed={place: ("errors", "error-parity", "send-lag")})
    assert caveats.failures(place, KNEE) == ("send-lag",)
    assert caveats.failures(place, LATENCY) == ("errors", "error-parity", "send-lag")


def test_knees_far_apart_are_told_and_those_of_luck_are_not(tmp_path: Path) -> None:
    far = staircase(tmp_path / "far", late_beyond({"sync": 60.0, "async": 1000.0}))
    assert "told apart" not in far.title
    luck = staircase(tmp_path / "luck", late_at_times)
    assert plain(luck.title).endswith("; these cannot be told apart")
    same = staircase(tmp_path / "same", late_beyond({"sync": 1000.0, "async": 1000.0}))
    assert plain(same.title).count("at every load tried") == 2
    assert "told apart" not in same.title


def knee_of(shares: Mapping[int, float], per_s: float) -> ArmKnee:
    """Instances of which at 200/s such shares of 1,000 requests were late, at 100/s none."""
    trials = [
        Scored(unit, Score(rate, 1000, round(1000 * share * (rate > 100)), 0))
        for unit, share in shares.items()
        for rate in (100.0, 200.0)
    ]
    return ArmKnee(Knee(per_s), None, {}, trials=trials)


@pytest.mark.parametrize(
    ("shares", "apart"),
    [
        ({0: 0.002, 1: 0.09, 2: 0.003, 3: 0.004}, False),
        ({0: 0.2, 1: 0.2, 2: 0.21, 3: 0.2}, True),
        ({0: 0.2}, False),
    ],
)
def test_whether_two_knees_stand_apart_is_read_off_instances(
    shares: dict[int, float], apart: bool
) -> None:
    baseline = knee_of(dict.fromkeys(range(4), 0.015), 180.0)
    assert told_apart(baseline, knee_of(shares, 150.0), Objective(50.0)) is apart


def test_names_of_lines_stand_apart_beside_the_plot() -> None:
    places = apart([10.0, 11.0, *[PLOT_PT - 2.0] * 6])
    assert places[:2] == [10.0, 10.0 + LABEL_PT]
    assert places[-1] == PLOT_PT
    assert min(high - low for low, high in pairwise(places)) >= LABEL_PT
