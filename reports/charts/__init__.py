"""Draws every chart of a report from a stored run and its summary."""

from __future__ import annotations

from dataclasses import dataclass

from reports.charts.capacity import capacity_charts
from reports.charts.caveats import caveats_of
from reports.charts.chart import Chart, chart_style
from reports.charts.cost import cost_charts
from reports.charts.forest import forest_charts
from reports.charts.latency import latency_charts
from reports.charts.staircase import staircase_charts
from reports.charts.style import marks_of
from reports.charts.time_split import time_split_charts
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

    @property
    def all(self) -> tuple[Chart, ...]:
        """Every chart, in the order of the report."""
        return (*self.changes, *self.latency, *self.capacity, *self.time)


def draw_charts(stored: StoredRun, summary: Summary) -> ChartSet:
    """Every chart for which there is data; a run without samples has none but the forest plot."""
    marks = marks_of(stored.arms)
    judged = {name: stored.scenario(name).judged_request for name in stored.scenarios}
    caveats = caveats_of(stored, summary, durability_line(stored.manifest))
    margin_pct = stored.spec.run.equivalence_pct
    with chart_style():
        return ChartSet(
            changes=tuple(forest_charts(summary, marks, margin_pct, caveats)),
            latency=(
                *latency_charts(stored, marks, caveats),
                *staircase_charts(summary, judged, marks, caveats),
            ),
            capacity=(
                *capacity_charts(stored, marks, caveats),
                *cost_charts(summary, marks, caveats),
            ),
            time=tuple(time_split_charts(summary, stored.arms, caveats)),
        )
