"""The knees of a staircase: bands among its curves, and a row for each arm below them."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from reports import words
from reports.charts.knees import ArmKnee
from reports.charts.rows import draw_reading
from reports.charts.style import INK, MUTED, PAPER, Mark, quiet
from reports.charts.tags import tag
from reports.symbols import named

BAND_ALPHA = 0.12
ARROWS = {"above": ">", "below": "<"}


def mark_knees(axes: Axes, knees: Mapping[str, ArmKnee], marks: Mapping[str, Mark]) -> None:
    """A line at every knee that lies between the loads and is claimed, its interval as a band."""
    for arm, each in knees.items():
        mark = marks[arm]
        if each.knee.censored is not None or not each.claimed:
            continue
        if each.interval_per_s is not None:
            band = axes.axvspan(
                *each.interval_per_s, color=mark.colour, alpha=BAND_ALPHA, linewidth=0, zorder=0
            )
            tag(band, mark.arm)
        line = axes.axvline(
            each.knee.per_s, color=mark.colour, linestyle=mark.dash, linewidth=1.0, zorder=1
        )
        tag(line, mark.arm)


def draw_knee_rows(
    axes: Axes, knees: Mapping[str, ArmKnee], marks: Mapping[str, Mark], right: float
) -> None:
    """Knees with intervals over the same axis of loads; hollow where not claimed."""
    quiet(axes, "x")
    axes.set_title("knee", loc="left", fontsize=8.5, color=MUTED, pad=3)
    axes.set_ylim(len(knees) - 0.4, -0.6)
    labels = [named(words.tidy(arm, 20), failed=not each.claimed) for arm, each in knees.items()]
    axes.set_yticks(range(len(knees)), labels, color=INK)
    for y, (arm, each) in enumerate(knees.items()):
        _draw_row(axes, y, arm, each, marks[arm], right)


def _draw_row(axes: Axes, y: int, arm: str, each: ArmKnee, mark: Mark, right: float) -> None:
    if each.interval_per_s is not None:
        low, high = each.interval_per_s
        [bar] = axes.plot(
            [min(low, right), min(high, right)], [y, y], color=mark.colour, linewidth=2.0,
            solid_capstyle="butt", zorder=2,
        )  # fmt: skip
        tag(bar, mark.arm)
        if high > right:
            [arrow] = axes.plot([right], [y], ">", color=mark.colour, clip_on=False)
            tag(arrow, mark.arm)
    [point] = axes.plot(
        [each.knee.per_s],
        [y],
        ARROWS.get(each.knee.censored or "", mark.marker),
        color=mark.colour,
        markerfacecolor=mark.colour if each.claimed else PAPER,
        markersize=6.0,
        markeredgewidth=1.3,
        zorder=3,
        clip_on=False,
    )
    tag(point, mark.arm, [f"{words.tidy(arm)}: knee {each.said}"])
    tag(draw_reading(axes, y, each.said), mark.arm)
