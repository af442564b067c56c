"""The lines of a staircase: each arm's p50, p95 and p99 against the offered load."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import inf, log10

from matplotlib.axes import Axes

from loadtests.tuning.score import Objective
from reports import words
from reports.charts.latency import ms_axis
from reports.charts.style import INK, MUTED, PAPER, SMALL_PT, Mark, quiet
from reports.charts.tags import tag
from reports.model import LatencyMs, LoadFacts, Result
from reports.symbols import named
from reports.tuning import numbers

PLOT_PT = 165.0
"""About how high the axes come out."""
LABEL_PT = 9.5
LINES = (("p50", 1.1), ("p95", 1.6), ("p99", 2.2))
"""Percentiles with their line widths: the slower, the heavier."""

Results = Mapping[tuple[str, str], Result]
"""By load and arm."""


def draw_curves(
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
            if points := points_of(loads, results, arm, percentile):
                tips = [
                    f"{words.tidy(arm)}: {percentile} {words.ms(value)} at {words.per_s(rate)}"
                    for rate, value in points
                ]
                _draw(axes, points, mark, width, invalid[arm], tips)
                name = f"{words.tidy(arm, 16)} {percentile}"
                failed = points[-1][0] in invalid[arm]
                ends.append((points[-1], named(name, failed=failed), mark))
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
        f"objective: {numbers.p99_limit(objective)}",
        (0.0, limit_ms),
        xytext=(3, 2),
        textcoords="offset points",
        fontsize=SMALL_PT,
        color=MUTED,
        va="bottom",
    )


def points_of(
    loads: Sequence[LoadFacts], results: Results, arm: str, percentile: str
) -> list[tuple[float, float]]:
    """Offered load per second and ms, where the percentile (`p50`, `p95`, `p99`) is known."""
    points = []
    for load in loads:
        result = results.get((load.load, arm))
        value = None if result is None else _of(result.response_ms, percentile)
        if value is not None and value > 0 and load.rate_per_s is not None:
            points.append((load.rate_per_s, value))
    return points


def _of(latency: LatencyMs, percentile: str) -> float | None:
    return {"p50": latency.p50, "p95": latency.p95, "p99": latency.p99}[percentile]


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
    ordered = sorted(ends, key=lambda end: end[0][1])
    wanted_pt = [(log10(y) - low) * per_decade_pt for (_, y), _, _ in ordered]
    for ((x, y), name, mark), wanted, at in zip(ordered, wanted_pt, apart(wanted_pt), strict=True):
        beside = axes.annotate(
            name,
            (x, y),
            xytext=(7, at - wanted),
            textcoords="offset points",
            va="center",
            fontsize=SMALL_PT,
            color=INK,
            annotation_clip=False,
        )
        tag(beside, mark.arm)


def apart(wanted_pt: Sequence[float]) -> list[float]:
    """Places from below to above, LABEL_PT apart and near where they are wanted, none above
    PLOT_PT."""
    places, free_pt = list[float](), -inf
    for wanted in wanted_pt:
        places.append(max(wanted, free_pt))
        free_pt = places[-1] + LABEL_PT
    room_pt = PLOT_PT
    for index in reversed(range(len(places))):
        places[index] = min(places[index], room_pt)
        room_pt = places[index] - LABEL_PT
    return places
