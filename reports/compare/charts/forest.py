"""Every run's own change side by side, and below them how the runs' ratios differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports import words
from reports.charts.chart import Chart
from reports.charts.rows import draw_interval, draw_point, draw_reading
from reports.charts.style import (
    BAND,
    FAINT,
    INK,
    MUTED,
    PAPER,
    ROUND_STEPS,
    new_sheet,
    quiet,
    signed_tick,
)
from reports.charts.tags import tag
from reports.compare.charts.runs import marks_of_runs, named, numbers_of
from reports.compare.model import Claim, Compared, Question, Within
from reports.compare.sentences import BRIEF, within_verdict

ROW_PT = 17.0
PANEL_PT = 20.0
AXIS_PT = 30.0
PANELS_OF_A_CHART = 8
WIDEST_PCT = 150.0
"""An interval reaching further is drawn to the edge with an arrow head."""
DECIDED = frozenset({"faster", "slower", "equivalent", "changed"})


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a panel."""

    label: str
    change_pct: float | None
    ci95_pct: tuple[float, float] | None
    said: str
    run: str | None
    """The letter of the run whose own change this is; None for a claim between runs."""
    decided: bool

    @property
    def reading(self) -> str:
        """The words beside the row; a row without a number says why it has none."""
        if self.change_pct is None:
            return self.said
        return f"{words.change(self.change_pct)}: {self.said}"


def forest_charts(compared: Compared) -> list[Chart]:
    """The primary questions of each measure, few enough in one chart to be read."""
    by_metric: dict[str, list[Question]] = {}
    for question in compared.questions:
        if question.primary:
            by_metric.setdefault(question.metric, []).append(question)
    charts = []
    for metric, questions in by_metric.items():
        parts = [
            questions[start : start + PANELS_OF_A_CHART]
            for start in range(0, len(questions), PANELS_OF_A_CHART)
        ]
        for number, part in enumerate(parts, start=1):
            if any(line.change_pct is not None for each in part for line in _lines(compared, each)):
                name = f"runs-{metric.split('_per_')[0].replace('.', '-')}-{number}"
                charts.append(_chart(name, metric, part, compared))
    return charts


def _chart(name: str, metric: str, questions: Sequence[Question], compared: Compared) -> Chart:
    several = len({each.within[0].candidate for each in questions}) > 1
    panels = [(_heading(q, several=several), list(_lines(compared, q))) for q in questions]
    title = _finding(metric, questions)
    heights = [PANEL_PT + ROW_PT * len(lines) for _, lines in panels]
    sheet = new_sheet(sum(heights) + AXIS_PT, title, heights=heights)
    limit = _limit([line for _, lines in panels for line in lines], compared.equivalence_pct)
    for axes, (heading, lines) in zip(sheet.axes, panels, strict=True):
        _draw_panel(axes, heading, lines, compared, limit)
    for axes in sheet.axes[:-1]:
        axes.tick_params(labelbottom=False)
        axes.spines["bottom"].set_visible(False)
    sheet.axes[-1].set_xlabel(_axis_label(questions))
    return Chart(
        name=name,
        title=title,
        caption=(
            "Above the line of each panel: what each run says of its own arms, which it loaded in "
            "turn, with its interval. Below: how much the ratio of the two arms differs between "
            "two runs, by way of the arm both have in common, its interval made of both runs' own "
            "uncertainties. Filled marks are decided, hollow ones are not. The shaded band is "
            f"±{compared.equivalence_pct:g}%. A comparison that failed a check has no number."
        ),
        sheet=sheet,
        columns=("Scenario", "Load", "Compared", "Run", "Change", "95% interval", "Verdict"),
        rows=tuple(_table_row(each, line) for each in questions for line in _lines(compared, each)),
    )


def _heading(question: Question, *, several: bool) -> str:
    """Where a panel's rows were measured, and of which arms where the chart shows several pairs."""
    first, name = question.within[0], words.tidy(question.scenario, 24)
    request = words.tidy(question.request, 14) if question.request else ""
    place = f"{name} · {request}" if request and request != name else name
    arms = f": {words.tidy(first.candidate, 14)}" if several else ""
    return f"{place}, {_loads(question)}{arms}"


def _axis_label(questions: Sequence[Question]) -> str:
    baselines = {each.within[0].baseline for each in questions}
    candidates = {each.within[0].candidate for each in questions}
    against = words.tidy(baselines.pop(), 20) if len(baselines) == 1 else "its baseline"
    of = words.tidy(candidates.pop(), 20) if len(candidates) == 1 else "each candidate"
    return f"change of {of} against {against} (%)"


def _loads(question: Question) -> str:
    return " and ".join(dict.fromkeys(words.load_short(each.load) for each in question.within))


def _finding(metric: str, questions: Sequence[Question]) -> str:
    claims = [claim for each in questions for claim in each.claims]
    changed = sum(claim.verdict == "changed" for claim in claims)
    name = words.metric_heading(metric)
    if not claims or all(claim.verdict == "no claim" for claim in claims):
        return f"{name}: what each run says of its own arms; between runs there is no claim"
    if not changed:
        return f"{name}: no change of the arms' ratio is shown between the runs"
    times = f"{changed} of {len(claims)} cases" if len(claims) > 1 else "the one case there is"
    return f"{name}: the arms' ratio changed between runs in {times}"


def _lines(compared: Compared, question: Question) -> Iterator[Line]:
    names = {run.letter: named(run) for run in compared.runs}
    for within in question.within:
        yield _own(names[within.letter], within)
    for claim in question.claims:
        yield _between(claim)


def _own(label: str, within: Within) -> Line:
    return Line(
        label,
        within.change_pct,
        within.ci95_pct,
        within_verdict(within),
        within.letter,
        within.verdict in DECIDED,
    )


def _between(claim: Claim) -> Line:
    through = f" through {words.tidy(claim.through, 16)}" if claim.through else ""
    return Line(
        f"{claim.other} against {claim.reference}{through}",
        claim.change_pct,
        claim.ci95_pct,
        BRIEF[claim.verdict],
        None,
        claim.verdict in DECIDED,
    )


def _limit(lines: Sequence[Line], equivalence_pct: float) -> float:
    ends = [abs(end) for line in lines for end in line.ci95_pct or ()]
    points = [abs(line.change_pct or 0.0) for line in lines]
    furthest = max([*ends, *points, 2 * equivalence_pct])
    return 1.08 * min(furthest, max(WIDEST_PCT, 1.2 * max(points)))


def _draw_panel(
    axes: Axes, heading: str, lines: Sequence[Line], compared: Compared, limit: float
) -> None:
    quiet(axes, "x")
    axes.set_xlim(-limit, limit)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    axes.set_title(heading, loc="left", fontsize=8.5, color=MUTED, pad=3)
    margin = compared.equivalence_pct
    axes.axvspan(-margin, margin, color=BAND, linewidth=0, zorder=0)
    axes.axvline(0.0, color=MUTED, linewidth=0.8, zorder=1)
    own = sum(line.run is not None for line in lines)
    if own < len(lines):
        axes.axhline(own - 0.5, color=FAINT, linewidth=1.0, zorder=1)
    axes.set_yticks(range(len(lines)), [line.label for line in lines], color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND_STEPS))
    axes.xaxis.set_major_formatter(signed_tick)
    for y, line in enumerate(lines):
        _draw_line(axes, y, line, compared, limit)


def _draw_line(axes: Axes, y: int, line: Line, compared: Compared, limit: float) -> None:
    number = None if line.run is None else numbers_of(compared.runs)[line.run]
    mark = None if line.run is None else marks_of_runs(compared.runs)[line.run]
    colour, shape = (MUTED, "D") if mark is None else (mark.colour, mark.marker)
    tip = f"{line.label}: {line.reading} ({words.interval(line.ci95_pct)})"
    if line.ci95_pct is not None:
        for drawn in draw_interval(axes, y, line.ci95_pct, limit, colour):
            tag(drawn, number)
    if line.change_pct is not None:
        face = colour if line.decided else PAPER
        point = draw_point(axes, y, line.change_pct, limit, shape, (colour, face))
        tag(point, number, [tip])
    draw_reading(axes, y, line.reading)


def _table_row(question: Question, line: Line) -> tuple[str, ...]:
    first = question.within[0]
    return (
        question.scenario,
        _loads(question),
        f"{first.candidate} against {first.baseline}",
        line.label,
        words.change(line.change_pct),
        words.interval(line.ci95_pct),
        line.said,
    )
