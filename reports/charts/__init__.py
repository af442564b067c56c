"""Draws every chart of a report from a stored run and its summary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from loadtests.tuning.score import Objective
from loadtests.tuning.world import objective_of
from reports.charts.capacity import capacity_chart
from reports.charts.caveats import caveats_of
from reports.charts.chart import Chart, chart_style
from reports.charts.cost import cost_charts
from reports.charts.ecdf import ecdf_chart
from reports.charts.forest import forest_charts
from reports.charts.heat_map import heat_map
from reports.charts.latency import latency_chart, response_times
from reports.charts.pairs import pairs_chart
from reports.charts.rendering import Ahead, as_drawn
from reports.charts.scene import Scene
from reports.charts.staircase import staircase_chart
from reports.charts.style import marks_of
from reports.charts.time_split import time_split_charts
from reports.charts.unseen import unseen_chart
from reports.facts import durability_line
from reports.model import Summary
from reports.run_folder import StoredRun

__all__ = ["Chart", "ChartSet", "draw_charts"]


Section = Literal["changes", "latency", "capacity", "time", "trust"]
Placed = tuple[Section, Chart | None]
"""A chart, where there is one, and where it belongs."""


@dataclass(frozen=True)
class ChartSet:
    """The charts by the section of the report they belong to."""

    changes: tuple[Chart, ...] = ()
    latency: tuple[Chart, ...] = ()
    capacity: tuple[Chart, ...] = ()
    time: tuple[Chart, ...] = ()
    trust: tuple[Chart, ...] = ()

    @property
    def sections(self) -> tuple[tuple[str, str, tuple[Chart, ...]], ...]:
        """Identifier, heading and charts of the sections that are charts alone and have any."""
        every = (
            ("changes", "How much changes", self.changes),
            ("latency", "Response times", self.latency),
            ("capacity", "Capacity and cost", self.capacity),
            ("time", "Where the time goes", self.time),
        )
        return tuple(each for each in every if each[2])

    @property
    def all(self) -> tuple[Chart, ...]:
        """Every chart, in the order of the report."""
        return (*self.changes, *self.latency, *self.capacity, *self.time, *self.trust)


def draw_charts(stored: StoredRun, summary: Summary, ahead: Ahead = as_drawn) -> ChartSet:
    """Every chart for which there is data; a run without samples has none but the forest plot.

    Each is handed to `ahead` as soon as it is drawn.
    """
    sections: defaultdict[Section, list[Chart]] = defaultdict(list)
    with chart_style():
        for section, chart in _drawn(stored, summary):
            if chart is not None:
                sections[section].append(ahead(chart))
    return ChartSet(**{section: tuple(charts) for section, charts in sections.items()})


def _drawn(stored: StoredRun, summary: Summary) -> Iterator[Placed]:
    marks = marks_of(stored.arms)
    caveats = caveats_of(stored, summary, durability_line(stored.manifest))
    margin_pct = stored.spec.run.equivalence_pct
    objective = objective_of(stored.spec.run.objective)
    for chart in forest_charts(summary, marks, margin_pct, caveats):
        yield "changes", chart
    for number, scenario in enumerate(summary.scenarios, start=1):
        yield from _of_scene(Scene(stored, scenario, number, marks, caveats), objective)
    for chart in cost_charts(stored, summary, marks, caveats):
        yield "capacity", chart
    for chart in time_split_charts(summary, stored.arms, caveats):
        yield "time", chart
    yield "trust", unseen_chart(summary, marks, margin_pct, caveats)


def _of_scene(scene: Scene, objective: Objective) -> Iterator[Placed]:
    """What is drawn from the samples of one scenario: only one's arrays are held at a time."""
    times = response_times(scene)
    yield "latency", latency_chart(scene, times)
    yield "latency", ecdf_chart(scene, times)
    yield "latency", staircase_chart(scene, objective)
    yield "latency", heat_map(scene)
    yield "capacity", capacity_chart(scene)
    yield "trust", pairs_chart(scene)
