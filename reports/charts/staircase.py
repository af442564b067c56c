"""Response time against offered load, for scenarios measured at several open loads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import inf, log10

from matplotlib.axes import Axes

from reports import words
from reports.charts.caveats import Caveats
from reports.charts.chart import Chart
from reports.charts.latency import ms_axis
from reports.charts.style import INK, PAPER, SMALL_PT, Mark, new_sheet, quiet
from reports.model import LATENCY, LatencyMs, LoadFacts, Result, ScenarioSummary, Summary

BODY_PT = 215.0
PLOT_PT = 165.0
"""About how high the axes come out."""
LABEL_PT = 9.5
LINES = (("p50", 1.1), ("p95", 1.6), ("p99", 2.2))
"""Percentiles with their line widths: the slower, the heavier."""

Curves = Mapping[tuple[str, str], list[tuple[float, float]]]
"""(arm, percentile) to points of offered load per second and ms."""


def staircase_charts(
    summary: Summary,
    judged: Mapping[str, str | None],
    marks: Mapping[str, Mark],
    caveats: Caveats,
) -> list[Chart]:
    """One chart per scenario with two open loads or more.

    `judged` names the request that each scenario is about.
    """
    charts = []
    for number, scenario in enumerate(summary.scenarios, start=1):
        loads = sorted(
            (load for load in scenario.loads if load.model == "open"),
            key=lambda load: load.rate_per_s or 0.0,
        )
        results = _results(scenario, judged.get(scenario.name))
        if len(loads) > 1 and results:
            name = f"staircase-{number}"
            charts.append(_chart(name, scenario.name, loads, results, marks, caveats))
    return charts


def _results(scenario: ScenarioSummary, request: str | None) -> dict[tuple[str, str], Result]:
    """Results by load and arm, of the judged request where it has its own."""
    whole = {(each.load, each.arm): each for each in scenario.results if each.request is None}
    own = {(each.load, each.arm): each for each in scenario.results if each.request == request}
    return {**whole, **own}


def _chart(
    name: str,
    scenario: str,
    loads: list[LoadFacts],
    results: Mapping[tuple[str, str], Result],
    marks: Mapping[str, Mark],
    caveats: Caveats,
) -> Chart:
    arms = [arm for arm in marks if any(key[1] == arm for key in results)]
    title = caveats.title(_finding(scenario, loads, results, arms), scenario, loads, arms, LATENCY)
    sheet = new_sheet(BODY_PT, title, caveats.note(scenario, loads, arms))
    invalid = {
        arm: {
            load.rate_per_s or 0.0
            for load in loads
            if caveats.failures((scenario, load.load, arm), LATENCY)
        }
        for arm in arms
    }
    _draw_all(sheet.axes[0], loads, results, {arm: marks[arm] for arm in arms}, invalid)
    return Chart(
        name=name,
        title=title,
        caption=caveats.caption(
            "Median, p95 and p99 of the response time in ms at each offered load; heavier lines "
            "are rarer, slower answers. Where a line bends upwards, requests begin to queue.",
            [(scenario, load.load, arm) for load in loads for arm in arms],
            LATENCY,
        ),
        sheet=sheet,
        columns=("Offered load", "Arm", "p50", "p95", "p99", "Answered well"),
        rows=tuple(
            _table_row(load, arm, results[load.load, arm])
            for load in loads
            for arm in arms
            if (load.load, arm) in results
        ),
    )


def _draw_all(
    axes: Axes,
    loads: list[LoadFacts],
    results: Mapping[tuple[str, str], Result],
    marks: Mapping[str, Mark],
    invalid: Mapping[str, Collection[float]],
) -> None:
    """Every arm's percentiles, named at their ends; `invalid`: rates with failed checks, by arm."""
    axes.set_yscale("log")
    ends = []
    for arm, mark in marks.items():
        for percentile, width in LINES:
            if points := _points(loads, results, arm, percentile):
                _draw(axes, points, mark, width, invalid[arm])
                ends.append((points[-1], f"{words.tidy(arm, 16)} {percentile}"))
    quiet(axes, "y")
    ms_axis(axes)
    _name_the_ends(axes, ends)
    axes.set_xlim(0.0, (loads[-1].rate_per_s or 1.0) * 1.02)
    axes.set_xlabel("offered load (requests/s)")
    axes.set_ylabel("response time (ms)")


def _points(
    loads: list[LoadFacts], results: Mapping[tuple[str, str], Result], arm: str, percentile: str
) -> list[tuple[float, float]]:
    points = []
    for load in loads:
        result = results.get((load.load, arm))
        value = None if result is None else _of(result.response_ms, percentile)
        if value is not None and load.rate_per_s is not None:
            points.append((load.rate_per_s, value))
    return points


def _of(latency: LatencyMs, percentile: str) -> float | None:
    return {"p50": latency.p50, "p95": latency.p95, "p99": latency.p99}[percentile]


def _finding(
    scenario: str,
    loads: list[LoadFacts],
    results: Mapping[tuple[str, str], Result],
    arms: list[str],
) -> str:
    parts = []
    for arm in arms:
        points = _points(loads, results, arm, "p95")
        if len(points) > 1:
            first, last = words.ms(points[0][1]), words.ms(points[-1][1])
            parts.append(f"from {first} to {last} ({words.tidy(arm, 24)})")
    low, high = (words.rounded(load.rate_per_s or 0.0) for load in (loads[0], loads[-1]))
    if not parts:
        return f"{words.tidy(scenario, 40)}: response time from {low} to {high} requests/s"
    return (
        f"{words.tidy(scenario, 40)}: between {low} and {high} requests/s, p95 goes "
        f"{words.listed(parts)}"
    )


def _draw(
    axes: Axes,
    points: list[tuple[float, float]],
    mark: Mark,
    width: float,
    invalid: Collection[float],
) -> None:
    """A line with its points; hollow at the loads that are `invalid`."""
    axes.plot(
        *zip(*points, strict=True),
        color=mark.colour,
        linestyle=mark.dash,
        linewidth=width,
        marker=mark.marker,
        markersize=4.5,
        markeredgecolor=PAPER,
        markeredgewidth=0.7,
    )
    hollow = [point for point in points if point[0] in invalid]
    if hollow:
        axes.plot(
            *zip(*hollow, strict=True),
            linestyle="none",
            marker=mark.marker,
            markersize=4.5,
            markerfacecolor=PAPER,
            markeredgecolor=mark.colour,
            markeredgewidth=1.0,
        )


def _name_the_ends(axes: Axes, ends: list[tuple[tuple[float, float], str]]) -> None:
    """Names beside the last points, moved apart where they would cover each other."""
    low, high = (log10(end) for end in axes.get_ylim())
    per_decade_pt = PLOT_PT / (high - low)
    free_pt = -inf
    for (x, y), name in sorted(ends, key=lambda end: end[0][1]):
        wanted_pt = (log10(y) - low) * per_decade_pt
        at_pt = max(wanted_pt, free_pt)
        free_pt = at_pt + LABEL_PT
        axes.annotate(
            name,
            (x, y),
            xytext=(7, at_pt - wanted_pt),
            textcoords="offset points",
            va="center",
            fontsize=SMALL_PT,
            color=INK,
            annotation_clip=False,
        )


def _table_row(load: LoadFacts, arm: str, result: Result) -> tuple[str, ...]:
    latency = result.response_ms
    good = words.NOTHING if result.goodput_pct is None else f"{result.goodput_pct:.1f}%"
    return (
        words.load_short(load),
        arm,
        *(words.ms(each) for each in (latency.p50, latency.p95, latency.p99)),
        good,
    )
