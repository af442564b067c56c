"""Draws every chart of a comparison of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.charts.chart import Chart, chart_style
from reports.compare.charts.absolute import absolute_charts
from reports.compare.charts.forest import forest_charts
from reports.compare.charts.spectra import spectrum_charts
from reports.compare.model import Compared
from reports.compare.record import RunRecord

__all__ = ["CompareCharts", "draw_charts"]


@dataclass(frozen=True)
class CompareCharts:
    """The charts by the section of the page they belong to."""

    changes: tuple[Chart, ...]
    absolute: tuple[Chart, ...]
    spectra: tuple[Chart, ...]

    @property
    def all(self) -> tuple[Chart, ...]:
        """Every chart, in the order of the page."""
        return (*self.changes, *self.absolute, *self.spectra)


def draw_charts(compared: Compared, records: Sequence[RunRecord]) -> CompareCharts:
    """Every chart for which there is data. `records`: the runs in the order of `compared.runs`."""
    curves = {run.letter: record.curves for run, record in zip(compared.runs, records, strict=True)}
    with chart_style():
        return CompareCharts(
            changes=tuple(forest_charts(compared)),
            absolute=tuple(absolute_charts(compared)),
            spectra=tuple(spectrum_charts(compared, curves)),
        )
