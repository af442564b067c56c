"""What each arm of each run reached by itself: side by side, which is not a comparison."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports import words
from reports.charts.chart import Chart
from reports.charts.style import INK, PAPER, ROUND_STEPS, SMALL_PT, new_sheet, quiet
from reports.charts.tags import tag
from reports.compare.charts.runs import HOLLOW, NO_CLAIM, key, marks_of_runs, numbers_of
from reports.compare.model import Absolute, Compared
from reports.model import CAPACITY
from reports.symbols import FAILED

ROW_PT = 15.0
PANEL_PT = 46.0


def absolute_charts(compared: Compared) -> list[Chart]:
    """One chart per scenario: capacity, and p95 where there is an open load."""
    charts = []
    scenarios = dict.fromkeys(each.scenario for each in compared.absolutes)
    for number, scenario in enumerate(scenarios, start=1):
        own = [
            each
            for each in compared.absolutes
            if each.scenario == scenario and each.value is not None
        ]
        if own:
            charts.append(_chart(f"side-by-side-{number}", scenario, own, compared))
    return charts


def _chart(name: str, scenario: str, points: Sequence[Absolute], compared: Compared) -> Chart:
    panels = {
        metric: _ordered([each for each in points if each.metric == metric])
        for metric in dict.fromkeys(each.metric for each in points)
    }
    title = (
        f"{words.tidy(scenario, 40)}: what each run reached, side by side; "
        "no run is compared with another here"
    )
    heights = [PANEL_PT + ROW_PT * len(panel) for panel in panels.values()]
    sheet = new_sheet(sum(heights), title, f"{NO_CLAIM}. {key(compared.runs)}", heights=heights)
    for axes, (metric, panel) in zip(sheet.axes, panels.items(), strict=True):
        _draw_panel(axes, metric, panel, compared)
    caption = (
        "Good answers per second under the closed load, and p95 response time at the open load, "
        "of each arm in each run, with a 95% interval over the instances of that run. These "
        "intervals hold nothing of what changes between runs (the hour, the machine's state): two "
        "that stand apart do not show that one set-up is faster."
    )
    return Chart(
        name=name,
        title=title,
        caption=caption if all(each.valid for each in points) else caption + HOLLOW,
        sheet=sheet,
        columns=("Measure", "Load", "Arm", "Run", "Value", "95% interval", "Checks"),
        rows=tuple(_table_row(each) for panel in panels.values() for each in panel),
    )


def _ordered(points: Sequence[Absolute]) -> list[Absolute]:
    """The runs of one arm together."""
    arms = list(dict.fromkeys(each.arm for each in points))
    return sorted(points, key=lambda each: (arms.index(each.arm), each.letter))


def _draw_panel(axes: Axes, metric: str, points: Sequence[Absolute], compared: Compared) -> None:
    quiet(axes, "x")
    marks, numbers = marks_of_runs(compared.runs), numbers_of(compared.runs)
    for y, point in enumerate(points):
        mark, number = marks[point.letter], numbers[point.letter]
        if point.ci95 is not None:
            [line] = axes.plot(point.ci95, [y, y], color=mark.colour, linewidth=2.0)
            tag(line, number)
        [dot] = axes.plot(
            [point.value or 0.0],
            [y],
            mark.marker,
            color=mark.colour,
            markerfacecolor=mark.colour if point.valid else PAPER,
            markersize=6,
        )
        tag(dot, number, [f"{_place(point)}: {_value(point)} ({_interval(point)})"])
        axes.annotate(
            _value(point),
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL_PT,
            color=INK,
            annotation_clip=False,
        )
    axes.set_xlim(left=0.0)
    axes.set_ylim(len(points) - 0.4, -0.6)
    axes.set_yticks(range(len(points)), [_place(each) for each in points], color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND_STEPS))
    axes.xaxis.set_major_formatter("{x:,g}")
    unit = "good answers per second" if metric == CAPACITY else "p95 response time (ms)"
    axes.set_xlabel(unit)


def _place(point: Absolute) -> str:
    return f"{words.tidy(point.arm, 20)}, {point.letter}, {words.load_short(point.load)}"


def _value(point: Absolute) -> str:
    said = words.metric_value(point.metric, point.value)
    return said if point.valid else f"{FAILED} {said}"


def _interval(point: Absolute) -> str:
    if point.ci95 is None:
        return "no interval"
    low, high = (words.metric_value(point.metric, end) for end in point.ci95)
    return f"{low} to {high}"


def _table_row(point: Absolute) -> tuple[str, ...]:
    return (
        words.metric_name(point.metric, point.request),
        words.load_short(point.load),
        point.arm,
        point.letter,
        words.metric_value(point.metric, point.value),
        _interval(point),
        "passed" if point.valid else "failed",
    )
