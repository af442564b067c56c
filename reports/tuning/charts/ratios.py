"""Changes with their intervals, one row each, in panels by stage: gains, and sync against async."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports import words
from reports.charts.chart import Chart
from reports.charts.rows import draw_interval, draw_point, draw_reading
from reports.charts.style import (
    INK,
    MUTED,
    PAPER,
    ROUND_STEPS,
    SMALL_PT,
    Mark,
    new_sheet,
    quiet,
    signed_tick,
)
from reports.charts.tags import tag
from reports.tuning import numbers
from reports.tuning.findings import Change
from reports.tuning.terms import METRICS

ROW_PT = 17.0
HEADING_PT = 18.0
AXIS_PT = 30.0
WIDEST_PCT = 150.0
DECIDED = ("better", "worse")


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison as it is labelled; `winner` marks who is better where that is decided."""

    label: str
    change: Change
    winner: Mark | None


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows that were measured under the same circumstances."""

    heading: str
    rows: tuple[Row, ...]


def ratio_chart(
    name: str, title: str, caption: str, axis: str, panels: Sequence[Panel]
) -> Chart | None:
    """One drawing; None without any row that has a number."""
    panels = [each for each in panels if each.rows]
    changes = [row.change for panel in panels for row in panel.rows]
    if not any(each.change_pct is not None for each in changes):
        return None
    heights = [HEADING_PT + ROW_PT * len(panel.rows) for panel in panels]
    sheet = new_sheet(sum(heights) + AXIS_PT, title, heights=heights)
    limit = reach_pct(changes)
    for axes, panel in zip(sheet.axes, panels, strict=True):
        _draw_panel(axes, panel, limit)
    for axes in sheet.axes[:-1]:
        axes.tick_params(labelbottom=False)
        axes.spines["bottom"].set_visible(False)
    sheet.axes[-1].set_xlabel(axis)
    return Chart(
        name=name,
        title=title,
        caption=caption,
        sheet=sheet,
        columns=("Where", "Compared", "Measure", "Change [95% interval]", "Verdict", "Instances"),
        rows=tuple(
            (
                panel.heading,
                row.label,
                METRICS[row.change.metric].name,
                numbers.change(row.change),
                row.change.word,
                str(row.change.units),
            )
            for panel in panels
            for row in panel.rows
        ),
    )


def reach_pct(changes: Sequence[Change]) -> float:
    """How far the axis reaches to both sides of nought."""
    points = [abs(each.change_pct) for each in changes if each.change_pct is not None]
    ends = [abs(end) for each in changes for end in each.ci95_pct or () if end is not None]
    return 1.08 * min(max([*points, *ends, 10.0]), max(WIDEST_PCT, 1.2 * max(points)))


def _draw_panel(axes: Axes, panel: Panel, limit: float) -> None:
    quiet(axes, "x")
    axes.set_xlim(-limit, limit)
    axes.set_ylim(len(panel.rows) - 0.4, -0.6)
    axes.set_title(panel.heading, loc="left", fontsize=8.5, color=MUTED, pad=3)
    axes.axvline(0.0, color=MUTED, linewidth=0.8, zorder=1)
    labels = [words.tidy(row.label, 26) for row in panel.rows]
    axes.set_yticks(range(len(labels)), labels, color=INK, fontsize=SMALL_PT)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND_STEPS))
    axes.xaxis.set_major_formatter(signed_tick)
    for y, row in enumerate(panel.rows):
        _draw_row(axes, y, row, limit)


def _draw_row(axes: Axes, y: int, row: Row, limit: float) -> None:
    change = row.change
    colour = row.winner.colour if row.winner else MUTED
    if change.ci95_pct is not None:
        draw_interval(axes, y, change.ci95_pct, limit, colour)
    if change.change_pct is not None:
        shape = row.winner.marker if row.winner else "D" if change.word == "equivalent" else "o"
        shape = {"more than": ">", "less than": "<", None: shape}[change.bound]
        face = colour if row.winner else PAPER
        point = draw_point(axes, y, change.change_pct, limit, shape, (colour, face))
        tag(point, tips=[f"{row.label}: {numbers.change(change)}, {change.word}"])
    draw_reading(axes, y, reading(change))


def reading(change: Change) -> str:
    """What stands beside a row: `+12%: better`, `cannot be told apart`."""
    if change.change_pct is None:
        told = numbers.change(change)
        return change.word if told == words.NOTHING else f"{told}: {change.word}"
    bound = {"more than": ">", "less than": "<", None: ""}[change.bound]
    word = "cannot tell" if change.word == "cannot be told apart" else change.word
    return f"{bound}{words.change(change.change_pct)}: {word}"
