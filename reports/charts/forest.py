"""The forest plot: every comparison as a change with its interval, beside what matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports import verdict_words, words
from reports.charts import forest_words
from reports.charts.caveats import NOTHING_TO_SAY, Caveats
from reports.charts.chart import Chart
from reports.charts.compared import Row, rows_of, verdict_mark
from reports.charts.rows import draw_interval, draw_point, draw_reading
from reports.charts.style import (
    BAND,
    INK,
    MUTED,
    ROUND_STEPS,
    Mark,
    new_sheet,
    quiet,
    signed_tick,
)
from reports.charts.tags import tag
from reports.model import Comparison, Summary

ROW_PT = 17.0
PANEL_PT = 18.0
AXIS_PT = 30.0
NUMBERS_PT = 14.0
"""For the numbers at the foot of a measure's last panel."""
MOST_ROWS = 28
"""More secondary comparisons than this stand in the table only."""
WIDEST_PCT = 150.0
"""An interval reaching further is drawn to the edge with an arrow head."""


def forest_charts(
    summary: Summary,
    marks: Mapping[str, Mark],
    equivalence_pct: float,
    caveats: Caveats = NOTHING_TO_SAY,
) -> list[Chart]:
    """The primary comparisons, and the secondary ones of each scenario."""
    rows = rows_of(summary)
    charts = []
    primary = [row for row in rows if row.comparison.primary]
    if any(row.comparison.change_pct is not None for row in primary):
        charts.append(
            _chart(
                "forest",
                forest_words.primary_title(primary),
                primary,
                marks,
                equivalence_pct,
                "primary",
                caveats,
            )
        )
    for number, scenario in enumerate(summary.scenarios, start=1):
        secondary = [
            row for row in rows if not row.comparison.primary and row.scenario == scenario.name
        ]
        if any(row.comparison.ci95_pct for row in secondary):
            title = forest_words.secondary_title(scenario.name, secondary)
            name = f"forest-secondary-{number}"
            charts.append(
                _chart(name, title, secondary, marks, equivalence_pct, "secondary", caveats)
            )
    return charts


def _chart(
    name: str,
    title: str,
    rows: Sequence[Row],
    marks: Mapping[str, Mark],
    equivalence_pct: float,
    kind: str,
    caveats: Caveats,
) -> Chart:
    shown = [row for row in rows if row.comparison.ci95_pct is not None or kind == "primary"]
    shown = shown[:MOST_ROWS]
    panels = _panels(shown)
    shared = caveats.shared_note([row.scenario for row in shown])
    note = ". ".join(filter(None, [_note(rows, shown), shared]))
    metrics = [panel[0].comparison.metric for panel in panels.values()]
    numbered = [metric != after for metric, after in pairwise([*metrics, None])]
    heights = [
        PANEL_PT + ROW_PT * len(panel) + NUMBERS_PT * own
        for panel, own in zip(panels.values(), numbered, strict=True)
    ]
    sheet = new_sheet(sum(heights) + AXIS_PT - NUMBERS_PT, title, note, heights=heights)
    limits = {each: _limit(shown, each, equivalence_pct) for each in metrics}
    for axes, (heading, panel), metric, own in zip(
        sheet.axes, panels.items(), metrics, numbered, strict=True
    ):
        _draw_panel(axes, heading, panel, marks, equivalence_pct, limits[metric])
        axes.tick_params(labelbottom=own)
        axes.spines["bottom"].set_visible(own)
    sheet.axes[-1].set_xlabel(_axis_label(shown))
    return Chart(
        name=name,
        title=title,
        caption=_caption(kind, equivalence_pct),
        sheet=sheet,
        columns=("Scenario", "Load", "Measure", "Compared", "Change", "95% interval", "Verdict"),
        rows=tuple(_table_row(row) for row in rows),
    )


def _note(rows: Sequence[Row], shown: Sequence[Row]) -> str:
    hidden = len(rows) - len(shown)
    return (
        f"{hidden} more stand in the table only: further loads, or too little measured"
        if hidden
        else ""
    )


def _axis_label(rows: Sequence[Row]) -> str:
    pairs = {(row.comparison.candidate, row.comparison.baseline) for row in rows}
    if len(pairs) == 1:
        candidate, baseline = next(iter(pairs))
        return f"change of {words.tidy(candidate, 24)} against {words.tidy(baseline, 24)} (%)"
    baselines = {baseline for _, baseline in pairs}
    if len(baselines) == 1:
        return f"change against {words.tidy(baselines.pop(), 24)} (%)"
    return "change of each candidate against its baseline (%)"


def _caption(kind: str, equivalence_pct: float) -> str:
    if kind == "secondary":
        return (
            "Read like the primary comparisons, but these were not singled out beforehand: each "
            "95% interval stands by itself, and of many some will stand apart by chance."
        )
    return (
        "Each point is a measured change, each line its 95% interval, widened for the number of "
        "primary comparisons so that all hold together; each measure has an axis of its own. "
        "The shaded band is "
        f"±{equivalence_pct:g}%, too small to matter. Where an arm is better, the mark has its "
        "colour and shape; a diamond stands for no difference that matters."
    )


def _panels(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by panel, in the order of the measures."""
    panels: dict[str, list[Row]] = {}
    order = [*words.METRICS]
    for row in sorted(rows, key=lambda row: _place(order, row.comparison.metric)):
        panels.setdefault(forest_words.heading(row), []).append(row)
    return panels


def _place(order: Sequence[str], metric: str) -> int:
    return order.index(metric) if metric in order else len(order)


def _limit(every: Sequence[Row], metric: str, equivalence_pct: float) -> float:
    """How far a metric's axis reaches to both sides of zero, the same in all its panels."""
    rows = [row for row in every if row.comparison.metric == metric]
    ends = [abs(end) for row in rows for end in row.comparison.ci95_pct or ()]
    points = [abs(row.comparison.change_pct or 0.0) for row in rows]
    furthest = max([*ends, *points, 2 * equivalence_pct])
    return 1.08 * min(furthest, max(WIDEST_PCT, 1.2 * max(points)))


def _draw_panel(
    axes: Axes,
    heading: str,
    rows: Sequence[Row],
    marks: Mapping[str, Mark],
    equivalence_pct: float,
    limit: float,
) -> None:
    quiet(axes, "x")
    axes.set_xlim(-limit, limit)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_title(heading, loc="left", fontsize=8.5, color=MUTED, pad=3)
    axes.axvspan(-equivalence_pct, equivalence_pct, color=BAND, linewidth=0, zorder=0)
    axes.axvline(0.0, color=MUTED, linewidth=0.8, zorder=1)
    axes.set_yticks(range(len(rows)), [forest_words.label(row) for row in rows], color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND_STEPS))
    axes.xaxis.set_major_formatter(signed_tick)
    for y, row in enumerate(rows):
        _draw_row(axes, y, row.comparison, marks, limit)


def _draw_row(
    axes: Axes, y: int, comparison: Comparison, marks: Mapping[str, Mark], limit: float
) -> None:
    winner = verdict_words.better_arm(comparison)
    colour = marks[winner].colour if winner is not None else MUTED
    arm = marks[comparison.candidate].arm if comparison.candidate in marks else None
    if comparison.ci95_pct is not None:
        for line in draw_interval(axes, y, comparison.ci95_pct, limit, colour):
            tag(line, arm)
    if comparison.change_pct is not None:
        shape, face = verdict_mark(comparison, marks)
        point = draw_point(axes, y, comparison.change_pct, limit, shape, (colour, face or colour))
        tag(point, arm, [_tip(comparison)])
    tag(draw_reading(axes, y, _reading(comparison)), arm)


def _tip(comparison: Comparison) -> str:
    """Change, interval and verdict in the words of the table."""
    return (
        f"{words.change(comparison.change_pct)} ({words.interval(comparison.ci95_pct)}): "
        f"{verdict_words.said(comparison)}"
    )


def _reading(comparison: Comparison) -> str:
    return f"{words.change(comparison.change_pct)}: {verdict_words.brief(comparison)}"


def _table_row(row: Row) -> tuple[str, ...]:
    each = row.comparison
    return (
        row.scenario,
        words.load_short(row.load),
        words.metric_name(each.metric, each.request),
        f"{each.candidate} against {each.baseline}",
        words.change(each.change_pct),
        words.interval(each.ci95_pct),
        verdict_words.said(each),
    )
