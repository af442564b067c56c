"""Draws every chart of a report from a stored run and its summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.tuning.score import Objective
from reports.charts.capacity import capacity_chart
from reports.charts.caveats import caveats_of
from reports.charts.chart import Chart, chart_style
from reports.charts.cost import cost_charts
from reports.charts.ecdf import ecdf_chart
from reports.charts.forest import forest_charts
from reports.charts.heat_map import heat_map
from reports.charts.latency import latency_chart, response_times
from reports.charts.pairs import pairs_chart
from reports.charts.scene import Scene
from reports.charts.staircase import staircase_chart
from reports.charts.style import marks_of
from reports.charts.time_split import time_split_charts
from reports.charts.unseen import unseen_chart
from reports.facts import durability_line
from reports.model import Summary
from reports.run_folder import StoredRun

__all__ = ["Chart", "ChartSet", "draw_charts"]


@dataclass(frozen=True)
class ChartSet:
    """The charts by the section of the report they belong to."""

    changes: tuple[Chart, ...]
    latency: tuple[Chart, ...]
    capacity: tuple[Chart, ...]
    time: tuple[Chart, ...]
    trust: tuple[Chart, ...]

    @property
    def all(self) -> tuple[Chart, ...]:
        """Every chart, in the order of the report."""
        return (*self.changes, *self.latency, *self.capacity, *self.time, *self.trust)


@dataclass(frozen=True, slots=True)
class SceneCharts:
    """What is drawn from the samples of one scenario."""

    latency: tuple[Chart, ...]
    capacity: tuple[Chart, ...]
    pairs: tuple[Chart, ...]


def draw_charts(stored: StoredRun, summary: Summary) -> ChartSet:
    """Every chart for which there is data; a run without samples has none but the forest plot.

    One scenario after the other, so that only one's arrays are held at a time.
    """
    marks = marks_of(stored.arms)
    caveats = caveats_of(stored, summary, durability_line(stored.manifest))
    margin_pct = stored.spec.run.equivalence_pct
    asked = stored.spec.run.objective
    objective = Objective(asked.p99_ms, asked.max_error_pct)
    with chart_style():
        scenes = [
            _of_scene(Scene(stored, scenario, number, marks, caveats), objective)
            for number, scenario in enumerate(summary.scenarios, start=1)
        ]
        return ChartSet(
            changes=tuple(forest_charts(summary, marks, margin_pct, caveats)),
            latency=tuple(chart for each in scenes for chart in each.latency),
            capacity=(
                *(chart for each in scenes for chart in each.capacity),
                *cost_charts(stored, summary, marks, caveats),
            ),
            time=tuple(time_split_charts(summary, stored.arms, caveats)),
            trust=(
                *(chart for each in scenes for chart in each.pairs),
                *_there([unseen_chart(summary, marks, margin_pct, caveats)]),
            ),
        )


def _of_scene(scene: Scene, objective: Objective) -> SceneCharts:
    times = response_times(scene)
    return SceneCharts(
        latency=_there(
            [
                latency_chart(scene, times),
                ecdf_chart(scene, times),
                staircase_chart(scene, objective),
                heat_map(scene),
            ]
        ),
        capacity=_there([capacity_chart(scene)]),
        pairs=_there([pairs_chart(scene)]),
    )


def _there(charts: Sequence[Chart | None]) -> tuple[Chart, ...]:
    return tuple(chart for chart in charts if chart is not None)
