"""Percentile spectra of one arm in every run, laid over each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from matplotlib.axes import Axes

from reports import words
from reports.charts.chart import Chart
from reports.charts.latency import READ_AT, legend, ms_axis, percentile_axis
from reports.charts.style import INK, MUTED, PAPER, new_sheet, quiet
from reports.charts.tags import tag
from reports.compare.charts.runs import HOLLOW, NO_CLAIM, key, marks_of_runs, numbers_of
from reports.compare.model import Compared
from reports.compare.record import Curve
from reports.percentiles import FEWEST_BEYOND

PANEL_PT = 165.0
MOST_ARMS = 4
P95 = 95.0

Curves = Mapping[str, Sequence[Curve]]
"""By the letter of the run."""
Panels = dict[str, dict[str, Curve]]
"""By arm, then by the letter of the run."""


def spectrum_charts(compared: Compared, curves: Curves) -> list[Chart]:
    """One chart per scenario with a panel for each arm; arms of one run alone are left out where
    others are in several."""
    charts = []
    scenarios = dict.fromkeys(each.scenario for own in curves.values() for each in own)
    for number, scenario in enumerate(scenarios, start=1):
        panels = _panels(scenario, curves)
        if panels:
            charts.append(_chart(f"spectra-{number}", scenario, panels, compared))
    return charts


def _panels(scenario: str, curves: Curves) -> Panels:
    panels: Panels = {}
    for letter, own in curves.items():
        for curve in own:
            if curve.scenario == scenario and len(curve.share):
                panels.setdefault(curve.arm, {})[letter] = curve
    shared = {arm: found for arm, found in panels.items() if len(found) > 1}
    return dict(list(shared.items())[:MOST_ARMS])


def _chart(name: str, scenario: str, panels: Panels, compared: Compared) -> Chart:
    title = _finding(scenario, panels)
    sheet = new_sheet(
        PANEL_PT * len(panels),
        title,
        f"{NO_CLAIM}. {key(compared.runs)}",
        heights=[1.0] * len(panels),
    )
    everything = [curve for found in panels.values() for curve in found.values()]
    furthest = max(10.0, *(curve.answers / FEWEST_BEYOND for curve in everything)) * 1.05
    for axes, (arm, found) in zip(sheet.axes, panels.items(), strict=True):
        _draw_panel(axes, arm, found, compared)
        _finish(axes, furthest)
    lowest = min(axes.get_ylim()[0] for axes in sheet.axes)
    highest = max(axes.get_ylim()[1] for axes in sheet.axes)
    for axes in sheet.axes:
        axes.set_ylim(lowest, highest)
        ms_axis(axes)
    sheet.axes[-1].set_xlabel("share of answers at least this fast")
    caption = (
        "Response time in ms of one arm in every run that has it, a panel for each arm. The "
        f"horizontal axis stretches the tail; lines end where fewer than {FEWEST_BEYOND} answers "
        "are slower. A line means nothing without its load, which stands with the run. Runs were "
        "made at different hours: two lines that stand apart do not show what made them so."
    )
    return Chart(
        name=name,
        title=title,
        caption=caption if all(curve.valid for curve in everything) else caption + HOLLOW,
        sheet=sheet,
        columns=("Arm", "Run", "Load", *(f"{each:g}%" for each in READ_AT), "Answers"),
        rows=tuple(_table(panels)),
    )


def _finding(scenario: str, panels: Panels) -> str:
    told = []
    for arm, found in panels.items():
        read = [
            f"{words.ms(curve.read_ms[P95])} in {letter}"
            for letter, curve in found.items()
            if P95 in curve.read_ms and curve.valid
        ]
        if read:
            told.append(f"{words.tidy(arm, 24)} {words.listed(read)}")
    name = words.tidy(scenario, 40)
    if not told:
        return f"{name}: no p95 to be told"
    return f"{name}: 95 of 100 answers came within: {'; '.join(told)} (side by side)"


def _draw_panel(axes: Axes, arm: str, found: Mapping[str, Curve], compared: Compared) -> None:
    marks, numbers = marks_of_runs(compared.runs), numbers_of(compared.runs)
    for letter, curve in found.items():
        mark, number = marks[letter], numbers[letter]
        label = f"{letter}, {words.load_short(curve.load)}"
        [line] = axes.plot(
            1 / (1 - curve.share),
            curve.value_ms,
            color=mark.colour,
            linestyle=mark.dash,
            linewidth=1.8,
            label=label,
        )
        tag(line, number)
        if curve.read_ms:
            [points] = axes.plot(
                [100 / (100 - each) for each in curve.read_ms],
                list(curve.read_ms.values()),
                linestyle="none",
                marker=mark.marker,
                color=mark.colour,
                markersize=5,
                markerfacecolor=mark.colour if curve.valid else PAPER,
                markeredgecolor=PAPER if curve.valid else mark.colour,
                markeredgewidth=0.8,
            )
            tips = [
                f"{words.tidy(arm)}, {letter}: {each:g}% within {words.ms(value)}"
                for each, value in curve.read_ms.items()
            ]
            tag(points, number, tips)
    axes.set_title(words.tidy(arm, 40), loc="right", fontsize=8.5, color=INK, pad=3)


def _finish(axes: Axes, furthest: float) -> None:
    quiet(axes, "y")
    percentile_axis(axes, furthest)
    axes.set_yscale("log")
    axes.set_ylabel("response time (ms)", color=MUTED)
    legend(axes)


def _table(panels: Panels) -> Iterator[tuple[str, ...]]:
    for arm, found in panels.items():
        for letter, curve in found.items():
            read = (words.ms(curve.read_ms.get(each)) for each in READ_AT)
            yield (arm, letter, words.load_short(curve.load), *read, words.count(curve.answers))
