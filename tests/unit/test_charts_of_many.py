"""Charts of more loads and arms than fit: peaks are over all, and what is not drawn is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from loadtests.trials import ClosedLoad, OpenLoad
from reports.charts import Chart, draw_charts
from reports.run_folder import load_run
from reports.summarise import summarise
from tests.support.run_builder import SimulatedArm, Trial, build_run

Get = Callable[[str], Chart]
LOADS = (ClosedLoad(8), *(OpenLoad(rate) for rate in (40.0, 60.0, 80.0, 100.0, 120.0)))
ARMS = {f"arm{number}": SimulatedArm() for number in range(7)}


def hungry(trial: Trial) -> Trial:
    """Memory grows at the heaviest load alone."""
    return {**trial, "app_rss_mb": 500.0 if trial["load"] == "open-120" else 90.0}


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Get:
    folder: Path = tmp_path_factory.mktemp("many") / "run"
    build_run(folder, arms=ARMS, loads=LOADS, rounds=1, block_s=0.5, edit_trial=hungry)
    stored = load_run(folder)
    drawn = {each.name: each for each in draw_charts(stored, summarise(stored)).all}
    return drawn.__getitem__


def note_of(chart: Chart) -> str:
    return " ".join(" ".join(each.get_text() for each in chart.sheet.figure.texts).split())


def test_a_peak_is_over_every_load_and_hidden_cpu_times_are_counted(chart: Get) -> None:
    cost = chart("cost")
    memory = next(axes for axes in cost.sheet.axes if "memory" in axes.get_xlabel())
    assert memory.get_xlim()[1] > 500.0
    assert "CPU time at further loads (3) stands in the table only" in note_of(cost)
    assert {row[1] for row in cost.rows} >= {"120/s"}


def test_heavier_loads_and_more_arms_are_named_and_stand_in_the_table(chart: Get) -> None:
    time = chart("time-1")
    assert "Heavier loads (1) stand in the table only" in note_of(time)
    assert sum("120/s" in cell for row in time.rows for cell in row) == len(ARMS)
    heat_map = chart("heat-map-1")
    assert "In the table only: arm6" in note_of(heat_map)
    assert "arm6" in {row[0] for row in heat_map.rows}


@pytest.mark.parametrize("name", ["latency-1", "ecdf-1"])
def test_lines_of_instances_say_how_many_there_are(chart: Get, name: str) -> None:
    assert "of each arm, the first 24" in chart(name).caption
