"""Response time against offered load, with the knee: the highest load within the objective."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import inf, log10

from matplotlib.axes import Axes

from loadtests.tuning.score import Objective
from reports import words
from reports.charts.chart import Chart
from reports.charts.knee_rows import draw_knee_rows, mark_knees
from reports.charts.knees import ArmKnee, arm_knee, objective_words
from reports.charts.latency import ms_axis, of_what
from reports.charts.scene import Scene
from reports.charts.style import INK, MUTED, PAPER, SMALL_PT, Mark, new_sheet, quiet
from reports.charts.tags import tag
from reports.model import LATENCY, LatencyMs, LoadFacts, Result, ScenarioSummary

CURVES_PT = 200.0
PLOT_PT = 165.0
"""About how high the axes come out."""
KNEE_ROW_PT = 15.0
KNEES_PT = 50.0
LABEL_PT = 9.5
LINES = (("p50", 1.1), ("p95", 1.6), ("p99", 2.2))
"""Percentiles with their line widths: the slower, the heavier."""

Results = Mapping[tuple[str, str], Result]
"""By load and arm."""


def staircase_chart(scene: Scene, objective: Objective) -> Chart | None:
    """None with fewer than two open loads, or where errors are expected."""
    loads = scene.open_loads
    results = _results(scene.summary, scene.judged_request)
    arms = [arm for arm in scene.arms if any(_points(loads, results, arm, "p50"))]
    if len(loads) < 2 or scene.expects_errors or not arms:
        return None
    knees = _knees(scene, loads, arms, objective)
    title = scene.caveats.title(
        _finding(scene.name, loads, results, arms, knees, objective),
        scene.name, loads, arms, LATENCY,
    )  # fmt: skip
    rows_pt = KNEES_PT + KNEE_ROW_PT * len(knees)
    heights = [CURVES_PT, rows_pt] if knees else [CURVES_PT]
    note = scene.caveats.note(scene.name, loads, arms)
    sheet = new_sheet(sum(heights), title, note, heights=heights)
    invalid = {
        arm: {load.rate_per_s or 0.0 for load in loads if scene.failed(load, arm, LATENCY)}
        for arm in arms
    }
    marks = {arm: scene.marks[arm] for arm in arms}
    right = (loads[-1].rate_per_s or 1.0) * 1.02
    _draw_curves(sheet.axes[0], loads, results, marks, invalid, objective)
    if knees:
        mark_knees(sheet.axes[0], knees, marks)
        draw_knee_rows(sheet.axes[1], knees, marks, right)
    for axes in sheet.axes:
        axes.set_xlim(0.0, right)
    sheet.axes[-1].set_xlabel("offered load (requests/s)")
    return Chart(
        name=f"staircase-{scene.number}",
        title=title,
        caption=scene.caveats.caption(
            _caption(scene, objective),
            [(scene.name, load.load, arm) for load in loads for arm in arms],
            LATENCY,
        ),
        sheet=sheet,
        columns=("Offered load", "Arm", "p50", "p95", "p99", "Answered well", "Objective"),
        rows=(
            *(
                _table_row(load, arm, results[load.load, arm], knees.get(arm))
                for load in loads
                for arm in arms
                if (load.load, arm) in results
            ),
            *(_knee_row(arm, each) for arm, each in knees.items()),
        ),
    )


def _results(scenario: ScenarioSummary, request: str | None) -> Results:
    """Results of the judged request where it has its own."""
    whole = {(each.load, each.arm): each for each in scenario.results if each.request is None}
    own = {(each.load, each.arm): each for each in scenario.results if each.request == request}
    return {**whole, **own}


def _knees(
    scene: Scene, loads: Sequence[LoadFacts], arms: Sequence[str], objective: Objective
) -> dict[str, ArmKnee]:
    data = [scene.at(load) for load in loads]
    found = {
        arm: arm_knee(
            data, arm, scene.judged_request, objective,
            claimed=not any(scene.failed(load, arm, LATENCY) for load in loads),
        )
        for arm in arms
    }  # fmt: skip
    return {arm: each for arm, each in found.items() if each is not None}


def _draw_curves(
    axes: Axes,
    loads: Sequence[LoadFacts],
    results: Results,
    marks: Mapping[str, Mark],
    invalid: Mapping[str, Collection[float]],
    objective: Objective,
) -> None:
    """Every arm's percentiles, named at their ends; `invalid`: rates with failed checks, by arm."""
    axes.set_yscale("log")
    ends = []
    for arm, mark in marks.items():
        for percentile, width in LINES:
            if points := _points(loads, results, arm, percentile):
                tips = [
                    f"{words.tidy(arm)}: {percentile} {words.ms(value)} at {words.per_s(rate)}"
                    for rate, value in points
                ]
                _draw(axes, points, mark, width, invalid[arm], tips)
                ends.append((points[-1], f"{words.tidy(arm, 16)} {percentile}", mark))
    _draw_objective(axes, objective)
    quiet(axes, "y")
    ms_axis(axes)
    _name_the_ends(axes, ends)
    axes.set_ylabel("response time (ms)")


def _draw_objective(axes: Axes, objective: Objective) -> None:
    limit_ms = objective.p99_ms
    axes.axhline(limit_ms, color=INK, linewidth=1.0, linestyle=(0.0, (2.0, 2.0)))
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, limit_ms / 2), max(high, limit_ms * 2))
    axes.annotate(
        f"objective: p99 within {limit_ms:g} ms",
        (0.0, limit_ms),
        xytext=(3, 2),
        textcoords="offset points",
        fontsize=SMALL_PT,
        color=MUTED,
        va="bottom",
    )


def _points(
    loads: Sequence[LoadFacts], results: Results, arm: str, percentile: str
) -> list[tuple[float, float]]:
    points = []
    for load in loads:
        result = results.get((load.load, arm))
        value = None if result is None else _of(result.response_ms, percentile)
        if value is not None and value > 0 and load.rate_per_s is not None:
            points.append((load.rate_per_s, value))
    return points


def _of(latency: LatencyMs, percentile: str) -> float | None:
    return {"p50": latency.p50, "p95": latency.p95, "p99": latency.p99}[percentile]


def _finding(
    scenario: str,
    loads: Sequence[LoadFacts],
    results: Results,
    arms: Sequence[str],
    knees: Mapping[str, ArmKnee],
    objective: Objective,
) -> str:
    """Who keeps the objective up to which load; how p95 grows, where that is not known."""
    start = words.tidy(scenario, 40)
    if knees:
        parts = [f"{words.tidy(arm, 24)} {_reach(each)}" for arm, each in knees.items()]
        return f"{start}: p99 stays within {objective.p99_ms:g}{words.NBSP}ms {_listed(parts)}"
    low, high = (words.rounded(load.rate_per_s or 0.0) for load in (loads[0], loads[-1]))
    parts = []
    for arm in arms:
        points = _points(loads, results, arm, "p95")
        if len(points) > 1:
            first, last = words.ms(points[0][1]), words.ms(points[-1][1])
            parts.append(f"from {first} to {last} ({words.tidy(arm, 24)})")
    if not parts:
        return f"{start}: response time from {low} to {high} requests/s"
    return f"{start}: between {low} and {high} requests/s, p95 goes {words.listed(parts)}"


def _reach(each: ArmKnee) -> str:
    rate = f"{words.rounded(each.knee.per_s)}{words.NBSP}requests/s"
    return {
        None: f"up to about {rate}",
        "above": f"at every load tried, up to {rate}",
        "below": f"at no load tried, from {rate} on",
    }[each.knee.censored]


def _listed(parts: Sequence[str]) -> str:
    return f"with {words.listed(parts)}"


def _caption(scene: Scene, objective: Objective) -> str:
    return (
        f"Median, p95 and p99 of the response time {of_what(scene)}in ms at each offered load; "
        "heavier lines are rarer, slower answers. Where a line bends upwards, requests begin to "
        f"queue. The knee is the highest offered load that keeps the objective "
        f"({objective_words(objective)}), read off between the loads that were measured, with its "
        "95% interval over instances: a band above, a bar below. An arrow: the knee lies beyond "
        "the loads tried."
    )


def _draw(
    axes: Axes,
    points: list[tuple[float, float]],
    mark: Mark,
    width: float,
    invalid: Collection[float],
    tips: Sequence[str],
) -> None:
    """A line with its points; hollow at the loads that are `invalid`."""
    [line] = axes.plot(
        *zip(*points, strict=True),
        color=mark.colour,
        linestyle=mark.dash,
        linewidth=width,
        marker=mark.marker,
        markersize=4.5,
        markeredgecolor=PAPER,
        markeredgewidth=0.7,
    )
    tag(line, mark.arm, tips)
    hollow = [point for point in points if point[0] in invalid]
    if hollow:
        [line] = axes.plot(
            *zip(*hollow, strict=True),
            linestyle="none",
            marker=mark.marker,
            markersize=4.5,
            markerfacecolor=PAPER,
            markeredgecolor=mark.colour,
            markeredgewidth=1.0,
        )
        tag(line, mark.arm)


def _name_the_ends(axes: Axes, ends: list[tuple[tuple[float, float], str, Mark]]) -> None:
    """Names beside the last points, moved apart where they would cover each other."""
    low, high = (log10(end) for end in axes.get_ylim())
    per_decade_pt = PLOT_PT / (high - low)
    free_pt = -inf
    for (x, y), name, mark in sorted(ends, key=lambda end: end[0][1]):
        wanted_pt = (log10(y) - low) * per_decade_pt
        at_pt = max(wanted_pt, free_pt)
        free_pt = at_pt + LABEL_PT
        named = axes.annotate(
            name,
            (x, y),
            xytext=(7, at_pt - wanted_pt),
            textcoords="offset points",
            va="center",
            fontsize=SMALL_PT,
            color=INK,
            annotation_clip=False,
        )
        tag(named, mark.arm)


def _table_row(load: LoadFacts, arm: str, result: Result, knee: ArmKnee | None) -> tuple[str, ...]:
    latency = result.response_ms
    good = words.NOTHING if result.goodput_pct is None else f"{result.goodput_pct:.1f}%"
    kept = None if knee is None else knee.kept.get(load.rate_per_s or 0.0)
    return (
        words.load_short(load),
        arm,
        *(words.ms(each) for each in (latency.p50, latency.p95, latency.p99)),
        good,
        {True: "kept", False: "missed", None: words.NOTHING}[kept],
    )


def _knee_row(arm: str, knee: ArmKnee) -> tuple[str, ...]:
    """The knee as a load of its own, with its interval."""
    nothing = (words.NOTHING,) * 4
    return (knee.said, arm, *nothing, "knee" if knee.claimed else "no claim: a check failed")
