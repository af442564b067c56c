"""Whatever a run was like, its charts are whole: absent, or saying so; never broken, never NaN."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from loadtests.scenarios.model import Request, Scenario
from loadtests.trials import ClosedLoad, OpenLoad
from reports.charts import ChartSet, draw_charts
from reports.charts.inline import inline_svg
from reports.charts.pairs_panel import DOWN, UP
from reports.charts.style import PAPER
from reports.run_folder import load_run
from reports.summarise import summarise
from tests.support.run_builder import MS, TWINS, Columns, SimulatedArm, Trial, build_run

LOADS = (ClosedLoad(8), OpenLoad(80.0), OpenLoad(160.0))
FAILING = {"sync": SimulatedArm(), "async": SimulatedArm(app="async", error_share=0.4)}
SILENT = {"sync": SimulatedArm(), "async": SimulatedArm(app="async", error_share=1.0)}
DEAD = {"sync": SimulatedArm(error_share=1.0), "async": SimulatedArm(app="async", error_share=1.0)}
TIMEOUTS = {"sync": SimulatedArm(), "async": SimulatedArm(app="async", timeout_share=0.3)}
ALONE = {"sync": SimulatedArm()}
REMOTE = {"here": SimulatedArm(), "there": SimulatedArm(app=None, url="http://127.0.0.1:1")}
EXPECTED = Scenario(
    name="errors",
    request=(Request(name="get", path="/items/1"),),
    load={"model": "closed", "users": 8},
    expect_errors=True,
)


def far_out(trial: Trial, columns: Columns) -> Columns:
    """One answer of every trial took an hour, one took no time at all."""
    done = columns["done_ns"].copy()
    if len(done) > 1:
        done[-1] += 3_600_000 * MS
        done[0] = columns["arrival_ns"][0]
    return {**columns, "done_ns": done}


def silent_at_times(trial: Trial, columns: Columns) -> Columns:
    if trial["arm"] == "async" and trial["block"] % 3 == 0:
        return {**columns, "ok": np.zeros(len(columns["ok"]), dtype=bool)}
    return columns


def one_stood_still(trial: Trial, columns: Columns) -> Columns:
    late = (trial["arm"], trial["block"] % 9) == ("async", 4)
    return {**columns, "done_ns": columns["done_ns"] + late * 5000 * MS}


def few(_: Trial, columns: Columns) -> Columns:
    """Three requests a trial."""
    return {name: values[:3] for name, values in columns.items()}


def none_at_all(trial: Trial, columns: Columns) -> Columns:
    """An arm of which no request was even planned."""
    kept = 0 if trial["arm"] == "async" else len(columns["arm"])
    return {name: values[:kept] for name, values in columns.items()}


def unknown_times(trial: Trial) -> Trial:
    """An older journal: no stamps, no readings."""
    gone = ("start_ns", "steady_start_ns", "steady_end_ns", "app_rss_mb", "app_cpu_s")
    return {**trial, **dict.fromkeys(gone)}


def candidate_failed(trial: Trial) -> Trial:
    return {**trial, "state": "invalid"} if trial["arm"] == "async" else trial


RUNS: dict[str, dict[str, Any]] = {
    "errors expected": {"scenarios": (EXPECTED,), "arms": FAILING, "loads": (ClosedLoad(8),)},
    "an arm that fails": {"arms": FAILING},
    "one block": {"instances": 1, "rounds": 1},
    "two instances, one round": {"instances": 2, "rounds": 1},
    "an arm without a success": {"arms": SILENT},
    "no success at all": {"arms": DEAD},
    "timeouts": {"arms": TIMEOUTS},
    "one arm alone": {"arms": ALONE},
    "a URL": {"arms": REMOTE},
    "silent blocks": {"edit_samples": silent_at_times},
    "a block of one arm stood still": {"edit_samples": one_stood_still, "rounds": 3},
    "huge outliers": {"edit_samples": far_out},
    "three requests a trial": {"edit_samples": few},
    "an arm without requests": {"edit_samples": none_at_all},
    "an older journal": {"edit_trial": unknown_times},
    "an arm whose trials failed": {"edit_trial": candidate_failed},
    "many rounds": {"rounds": 12, "block_s": 0.1, "instances": 2},
    "closed only": {"loads": (ClosedLoad(8),)},
    "cut off": {"rounds": 0, "status": None},
}


def drawn(folder: Path, how: dict[str, Any]) -> ChartSet:
    build_run(folder, **{"arms": TWINS, "loads": LOADS, **how})
    stored = load_run(folder)
    return draw_charts(stored, summarise(stored))


@pytest.fixture(scope="module")
def charts_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], ChartSet]:
    """Each of RUNS drawn once."""
    folder = tmp_path_factory.mktemp("runs")
    return cache(lambda name: drawn(folder / name.replace(" ", "-"), RUNS[name]))


@pytest.mark.parametrize("name", RUNS)
def test_every_chart_is_whole(charts_of: Callable[[str], ChartSet], name: str) -> None:
    for chart in charts_of(name).all:
        page = inline_svg(chart)
        ElementTree.fromstring(page)
        shown = [*(cell for row in chart.rows for cell in row), chart.title, chart.caption]
        for text in (page, *shown):
            assert not re.search(r"(?<![a-zA-Z])(nan|inf|None)(?![a-zA-Z])", text), chart.name
        assert all(len(row) == len(chart.columns) for row in chart.rows)
        assert chart.rows


EVERY = {
    *("forest", "forest-secondary", "latency", "ecdf", "staircase", "heat-map", "capacity"),
    *("cost", "time", "pairs", "unseen"),
}
ABSENT = {
    "errors expected": "ecdf forest-secondary heat-map latency staircase",
    "one block": "forest forest-secondary unseen",
    "an arm without a success": "pairs unseen",
    "no success at all": "ecdf forest heat-map latency pairs staircase time unseen",
    "one arm alone": "forest forest-secondary pairs unseen",
    "three requests a trial": "ecdf forest latency pairs staircase time unseen",
    "an arm without requests": "forest forest-secondary pairs unseen",
    "an older journal": "capacity heat-map",
    "an arm whose trials failed": "forest forest-secondary pairs unseen",
    "closed only": "staircase",
    "cut off": " ".join(EVERY),
}


@pytest.mark.parametrize("name", RUNS)
def test_what_has_nothing_to_show_is_absent_and_all_else_is_there(
    charts_of: Callable[[str], ChartSet], name: str
) -> None:
    there = {re.sub(r"-\d+$", "", chart.name) for chart in charts_of(name).all}
    assert there == EVERY - set(ABSENT.get(name, "").split())


def test_one_outlier_of_an_hour_leaves_the_rest_to_be_seen(
    charts_of: Callable[[str], ChartSet],
) -> None:
    charts = charts_of("huge outliers")
    [ecdf] = [each for each in charts.all if each.name == "ecdf-1"]
    assert ecdf.sheet.axes[0].get_xlim()[1] < 1000
    [pairs] = [each for each in charts.all if each.name == "pairs-1"]
    assert np.abs(pairs.sheet.axes[0].get_ylim()).max() < 3


def test_blocks_in_which_an_arm_gave_nothing_are_named(
    charts_of: Callable[[str], ChartSet],
) -> None:
    [pairs] = [each for each in charts_of("silent blocks").all if each.name == "pairs-1"]
    note = " ".join(text.get_text() for text in pairs.sheet.figure.texts).replace("\n", " ")
    assert "only one of the arms gave a good answer" in note
    [plus] = [line for line in pairs.sheet.axes[0].lines if line.get_marker() == "+"]
    assert len(plus.get_xdata()) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "start", "heads"),
    [("a block of one arm stood still", "pairs-1", {UP, DOWN}), ("timeouts", "staircase-1", {">"})],
)
def test_what_lies_beyond_an_axis_is_an_arrow_head_and_not_hollow(
    charts_of: Callable[[str], ChartSet], name: str, start: str, heads: set[str | int]
) -> None:
    """Hollow is what answers nothing."""
    [chart] = [each for each in charts_of(name).all if each.name == start]
    lines = [line for axes in chart.sheet.axes for line in axes.lines]
    faces = [line.get_markerfacecolor() for line in lines if line.get_marker() in heads]
    assert faces
    assert PAPER not in faces
