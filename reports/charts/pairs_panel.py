"""One comparison's panel among the pairs: its blocks in time, and its instance pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.markers import CARETDOWNBASE, CARETUPBASE
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from reports import words
from reports.charts.block_ratios import Ratios
from reports.charts.ratio_axis import ratio_ticks, reach_of
from reports.charts.style import BAND, INK, MUTED, PAPER, Mark, quiet
from reports.charts.tags import tag
from reports.log_ratio import as_log, as_pct
from reports.measures import Floats
from reports.model import Comparison, LoadFacts

MOST_BLOCKS = 240
"""Of more blocks, neighbours are drawn as one: their mean."""
MOST_TIPS = 60
UP, DOWN = CARETUPBASE, CARETDOWNBASE
Reach = tuple[float, float]
"""Both ends of the axis of log ratios."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One primary comparison with its blocks."""

    comparison: Comparison
    load: LoadFacts
    ratios: Ratios
    heading: str
    hollow: bool
    """Whether a check failed, so that the numbers answer nothing."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the panel's axes and what is there."""

    x: float
    log: float
    tip: str


def neighbours(logs: Floats) -> int:
    """How many blocks in a row share a point."""
    return max(1, -(-len(logs) // MOST_BLOCKS))


def draw_panel(left: Axes, right: Axes, panel: Panel, mark: Mark) -> None:
    """Blocks in the order of time on the left, instance pairs on the right, one axis for both."""
    reach = reach_of(panel.ratios.logs, panel.comparison)
    left.set_title(panel.heading, loc="left", fontsize=8.5, color=MUTED, pad=3)
    ticks = ratio_ticks(*reach)
    for axes in (left, right):
        quiet(axes, "y")
        _draw_answer(axes, panel.comparison, reach)
        axes.set_ylim(*reach)
        axes.yaxis.set_major_locator(FixedLocator([log for log, _ in ticks]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_yticklabels([label for _, label in ticks])
    right.tick_params(labelleft=False)
    _draw_in_time(left, panel, mark, reach)
    _draw_by_pair(right, panel, mark, reach)


def _draw_answer(axes: Axes, comparison: Comparison, reach: Reach) -> None:
    """Nought, and the comparison's own change with its interval."""
    axes.axhline(0.0, color=MUTED, linewidth=0.8, zorder=1)
    if comparison.ci95_pct is not None:
        low, high = (as_log(end) for end in comparison.ci95_pct)
        axes.axhspan(max(low, reach[0]), min(high, reach[1]), color=BAND, linewidth=0, zorder=0)
    if comparison.change_pct is not None and comparison.change_pct > -100:
        change = as_log(comparison.change_pct)
        axes.axhline(change, color=INK, linewidth=1.0, linestyle=(0.0, (3.0, 2.0)), zorder=1)


def _draw_in_time(axes: Axes, panel: Panel, mark: Mark, reach: Reach) -> None:
    ratios = panel.ratios
    group = neighbours(ratios.logs)
    points = _blocks(ratios) if group == 1 else _means(ratios.logs, group)
    told = len(points) <= MOST_TIPS
    _draw_points(axes, points, mark, reach, size=3.6, hollow=panel.hollow, told=told)
    silent = np.flatnonzero(np.isinf(ratios.logs))
    if len(silent):
        _draw_silent(axes, silent / group + 1, ratios.logs[silent].clip(*reach), mark)
    for first, last in pairwise(
        [0, *(np.flatnonzero(np.diff(ratios.round)) + 1), len(ratios.logs)]
    ):
        if first:
            axes.axvline(first / group + 0.5, color=MUTED, linewidth=0.5, alpha=0.5)
        _draw_round(axes, ratios.logs[first:last], (first / group, (last - 1) / group), mark, reach)
    axes.set_xlim(0.2, (len(ratios.logs) - 1) / group + 1.8)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter(partial(_block_number, group=group))


def _block_number(x: float, _position: float | None, group: int) -> str:
    return f"{x * group:.0f}"


def _blocks(ratios: Ratios) -> list[Point]:
    return [
        Point(
            float(place) + 1.0,
            float(ratios.logs[place]),
            f"block {ratios.block[place]}, instance {ratios.pair[place] + 1}: "
            f"{words.change(as_pct(float(ratios.logs[place])))}",
        )
        for place in np.flatnonzero(np.isfinite(ratios.logs))
    ]


def _means(logs: Floats, group: int) -> list[Point]:
    """Of so many neighbouring blocks each; none where no block has a ratio."""
    parts = np.split(logs, range(group, len(logs), group))
    known = [(place, part[np.isfinite(part)]) for place, part in enumerate(parts)]
    return [Point(place + 1, float(np.mean(own)), "") for place, own in known if len(own)]


def _draw_points(
    axes: Axes,
    points: Sequence[Point],
    mark: Mark,
    reach: Reach,
    *,
    size: float,
    hollow: bool,
    told: bool,
) -> None:
    """Points within the axis; those beyond stand at its edge as arrow heads."""
    low, high = reach
    sides: list[tuple[str | int, list[Point]]] = [
        (mark.marker, [each for each in points if low <= each.log <= high]),
        (UP, [each for each in points if each.log > high]),
        (DOWN, [each for each in points if each.log < low]),
    ]
    for marker, own in sides:
        if own:
            [drawn] = axes.plot(
                [each.x for each in own],
                [min(max(each.log, low), high) for each in own],
                linestyle="none",
                marker=marker,
                markersize=size,
                color=mark.colour,
                markerfacecolor=PAPER if hollow else mark.colour,
                markeredgewidth=0.8,
                clip_on=False,
            )
            tag(drawn, mark.arm, [each.tip for each in own] if told else ())


def _draw_silent(axes: Axes, x: Floats, y: Floats, mark: Mark) -> None:
    """Blocks in which one arm gave nothing."""
    [drawn] = axes.plot(x, y, "+", color=INK, markersize=5.5, markeredgewidth=1.2, clip_on=False)
    tag(drawn, mark.arm)


def _draw_round(
    axes: Axes, logs: Floats, ends: tuple[float, float], mark: Mark, reach: Reach
) -> None:
    """The mean of a round's blocks, from its first to its last."""
    known = logs[np.isfinite(logs)]
    if len(known):
        mean = min(max(float(np.mean(known)), reach[0]), reach[1])
        [line] = axes.plot(
            [ends[0] + 0.6, ends[1] + 1.4], [mean, mean], color=mark.colour, linewidth=1.2,
            alpha=0.8,
        )  # fmt: skip
        tag(line, mark.arm)


def _draw_by_pair(axes: Axes, panel: Panel, mark: Mark, reach: Reach) -> None:
    ratios = panel.ratios
    if neighbours(ratios.logs) == 1:
        known = np.isfinite(ratios.logs)
        [blocks] = axes.plot(
            ratios.pair[known] + 1,
            ratios.logs[known].clip(*reach),
            linestyle="none",
            marker="o",
            markersize=2.2,
            color=mark.colour,
            alpha=0.5,
            markeredgewidth=0,
        )
        tag(blocks, mark.arm)
    points = [
        Point(each + 1, log, f"instance {each + 1}: {words.change(as_pct(log))}")
        for each, log in ratios.pairs.items()
    ]
    _draw_points(axes, points, mark, reach, size=4.4, hollow=panel.hollow, told=True)
    axes.set_xlim(0.3, int(max(ratios.pair, default=0)) + 1.7)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
