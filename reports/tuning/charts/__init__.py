"""Draws every chart of a tuning report from its record and its judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from reports import words
from reports.charts.chart import Chart, chart_style
from reports.charts.style import Mark, marks_of
from reports.tuning import say
from reports.tuning.changes import Side, Trials
from reports.tuning.charts.changes import fair_chart, gain_chart
from reports.tuning.charts.frontier import ArmFrontier, Pinned, best_by_connections, frontier_chart
from reports.tuning.charts.grid import grid_of
from reports.tuning.charts.heat import Heat, heat_chart
from reports.tuning.charts.knobs import Answer, Response, knobs_chart
from reports.tuning.charts.load_curve import curves_of, load_curve
from reports.tuning.charts.split import split_chart, splits_of
from reports.tuning.found import (
    choices_along,
    found_of,
    furthest,
    interval_per_s,
    knobs_that_vary,
    searched,
)
from reports.tuning.model import ArmReport, TuneReport
from reports.tuning.record import ArmSearch, Stage, Tried, TuneRecord
from reports.tuning.roles import roles_of

__all__ = ["ArmCharts", "TuneCharts", "draw_tune_charts"]


@dataclass(frozen=True, slots=True)
class ArmCharts:
    """One arm's drawings, in the order of the page."""

    arm: str
    charts: tuple[Chart, ...]


@dataclass(frozen=True, slots=True)
class TuneCharts:
    """The charts by the section of the page they belong to."""

    gains: tuple[Chart, ...]
    fair: tuple[Chart, ...]
    frontier: tuple[Chart, ...]
    arms: tuple[ArmCharts, ...]

    @property
    def all(self) -> tuple[Chart, ...]:
        """Every chart, in the order of the page."""
        own = (chart for each in self.arms for chart in each.charts)
        return (*self.gains, *self.fair, *self.frontier, *own)


def draw_tune_charts(record: TuneRecord, report: TuneReport) -> TuneCharts:
    """Every chart for which there is data."""
    marks = marks_of([each.arm for each in report.arms])
    known = {each.arm: each for each in record.arms}
    with chart_style("tune"):
        drawers = [
            _Arm(record, report, known[each.arm], each, marks[each.arm], number)
            for number, each in enumerate(report.arms, start=1)
            if each.arm in known
        ]
        gains = [gain_chart(f"gain-{each.number}", each.report, each.mark) for each in drawers]
        frontiers = [each.frontier() for each in drawers if each.trials]
        return TuneCharts(
            gains=_there(gains),
            fair=_there([fair_chart("fair", report, marks)]),
            frontier=_there([_frontier(frontiers, marks)]),
            arms=tuple(ArmCharts(each.report.arm, each.charts()) for each in drawers),
        )


def _frontier(arms: list[ArmFrontier], marks: Mapping[str, Mark]) -> Chart | None:
    """Nothing to show where nobody met the objective at any load."""
    reached = any(best_by_connections(each.found) for each in arms)
    return frontier_chart("frontier", arms, marks) if reached else None


def _there(charts: list[Chart | None]) -> tuple[Chart, ...]:
    return tuple(chart for chart in charts if chart is not None)


class _Arm:
    """What one arm's charts are drawn from."""

    def __init__(
        self,
        record: TuneRecord,
        report: TuneReport,
        search: ArmSearch,
        own: ArmReport,
        mark: Mark,
        number: int,
    ) -> None:
        self.search, self.report, self.mark, self.number = search, own, mark, number
        self.tried: tuple[Tried, ...] = record.tried
        self.objective: Objective = report.objective
        self.judged = Trials(record.tried, report.objective, record.spec.run.equivalence_pct)
        self.roles = roles_of(own, report.fair)
        self.knobs = say.telling_knobs(own.app, (*search.settings, own.present))
        self.trials = searched(record.tried, own.arm)
        self.farther = f"database {words.ms(report.rtt_change_ms)} farther"

    @property
    def centre(self) -> Setting | None:
        """The setting around which the knobs are turned."""
        taken = self.search.taken or self.report.recommended
        return taken or furthest(self.trials, self.trials, self.objective)

    def charts(self) -> tuple[Chart, ...]:
        """Those of the search, then those of the confirmation."""
        return _there(
            [self._heat(), self._knobs(), self._split(), self._curve("load"), self._curve("far")]
        )

    def _heat(self) -> Chart | None:
        centre = self.centre
        plateau = [each.found.setting for each in self.report.plateau]
        first = [each for each in (centre, *plateau) if each is not None]
        grid = grid_of(self.tried, self.report.arm, self.objective, first)
        taken = self.search.taken
        return heat_chart(
            Heat(
                f"heat-{self.number}", self.report.arm, grid, self.objective, self.knobs, taken,
                frozenset(plateau),
            )
        )  # fmt: skip

    def _knobs(self) -> Chart | None:
        centre = self.centre
        if centre is None:
            return None
        responses = [
            Response(
                knob,
                tuple(
                    self._answer(setting) for setting in choices_along(self.search, knob, centre)
                ),
            )
            for knob in knobs_that_vary(self.search)
        ]
        return knobs_chart(f"knobs-{self.number}", self.report.arm, centre, responses, self.mark)

    def _answer(self, setting: Setting) -> Answer:
        trials = self.trials.get(setting, [])
        found = found_of(setting, trials, self.objective)
        censored = found.knee is None or found.knee.censored is not None
        return Answer(found, None if censored else interval_per_s(trials, self.objective))

    def _split(self) -> Chart | None:
        centre = self.centre
        if centre is None:
            return None
        pools = choices_along(self.search, "pool_size", centre)
        splits = splits_of(self.tried, self.report.arm, pools)
        if splits is None:
            return None
        return split_chart(f"split-{self.number}", self.report.arm, splits, self.knobs)

    def _curve(self, kind: str) -> Chart | None:
        """p99 against load where the database is (`load`), and farther away (`far`)."""
        near = kind == "load"
        stages: tuple[Stage, ...] = ("confirm", "twice") if near else ("distance",)
        curves = curves_of(self.tried, self.report.arm, self.roles, stages, self.knobs)
        if not curves:
            return None
        twice = max((each.offered_per_s for each in self.report.at_twice), default=None)
        return load_curve(
            f"{kind}-{self.number}",
            self.report.arm,
            curves,
            self.objective,
            where="" if near else self.farther,
            twice_per_s=twice if near else None,
        )

    def frontier(self) -> ArmFrontier:
        """What the search found, with the settings that were confirmed."""
        found = tuple(
            found_of(setting, trials, self.objective) for setting, trials in self.trials.items()
        )
        pinned = []
        for setting, role in self.roles.items():
            knee = self.judged.knee("confirm", Side(self.report.arm, setting))
            if knee is not None and role in PINNED:
                pinned.append(Pinned(role, knee))
        return ArmFrontier(self.report.arm, found, tuple(pinned))


PINNED = ("recommended", "default", "present", "default and present", "recommended and default",
          "recommended and present", "recommended, default and present")  # fmt: skip
