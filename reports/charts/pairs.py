"""Pairs block by block: what every block and every pair of instances says of the primaries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from reports import words
from reports.charts.block_ratios import FEWEST_ANSWERS, Ratios, block_ratios
from reports.charts.chart import Chart
from reports.charts.ratio_axis import limit_of, pct, ratio_ticks
from reports.charts.scene import Scene
from reports.charts.style import BAND, INK, MUTED, PAPER, Mark, new_sheet, quiet
from reports.charts.tags import tag
from reports.measures import Floats
from reports.model import CAPACITY, LATENCY, Comparison, LoadFacts

PANEL_PT = 100.0
FOOT_PT = 24.0
WIDTHS = (2.0, 1.0)
MOST_PANELS = 6
MOST_BLOCKS = 240
"""Of more blocks, neighbours are drawn as one: their mean."""
MOST_TIPS = 96


@dataclass(frozen=True, slots=True)
class Panel:
    """One primary comparison with its blocks."""

    comparison: Comparison
    load: LoadFacts
    ratios: Ratios
    heading: str
    hollow: bool


def pairs_chart(scene: Scene) -> Chart | None:
    """The scenario's primary comparisons; None where no block has a ratio."""
    panels = [each for each in _panels(scene) if np.isfinite(each.ratios.logs).any()]
    drawn = panels[:MOST_PANELS]
    if not drawn:
        return None
    arms = [arm for arm in scene.arms if any(_is_of(each.comparison, arm) for each in drawn)]
    told = next((each for each in drawn if each.comparison.spread), drawn[0])
    title = scene.caveats.title(
        _finding(scene.name, told),
        scene.name,
        [told.load],
        [told.comparison.baseline, told.comparison.candidate],
        _group(told.comparison),
    )
    heights = [PANEL_PT] * len(drawn)
    note = ". ".join(filter(None, [_note(panels), scene.caveats.note(scene.name, [], arms)]))
    sheet = new_sheet(sum(heights) + FOOT_PT, title, note, heights=heights, widths=WIDTHS)
    for place, panel in enumerate(drawn):
        left, right = sheet.axes[2 * place : 2 * place + 2]
        _draw_panel(left, right, panel, scene.marks[panel.comparison.candidate])
    sheet.axes[-2].set_xlabel("blocks in the order of time")
    sheet.axes[-1].set_xlabel("instance pair")
    return Chart(
        name=f"pairs-{scene.number}",
        title=title,
        caption=_caption(panels),
        sheet=sheet,
        columns=(
            "Measure", "Compared", "Instance pair", "Blocks", "Change", "Lowest block",
            "Highest block",
        ),
        rows=tuple(row for panel in panels for row in _table_rows(panel)),
    )  # fmt: skip


def _panels(scene: Scene) -> list[Panel]:
    loads = {load.load: load for load in scene.summary.loads}
    primary = [each for each in scene.summary.comparisons if each.primary]
    several = len({each.candidate for each in primary}) > 1
    panels = []
    for each in primary:
        load = loads[each.load]
        arms = (each.baseline, each.candidate)
        name = words.metric_heading(each.metric).replace(" response time", "")
        who = f"{words.tidy(each.candidate, 20)}: " if several else ""
        panels.append(
            Panel(
                each,
                load,
                block_ratios(scene.at(load), each),
                f"{who}{name}, {words.load_short(load)}",
                any(scene.failed(load, arm, _group(each)) for arm in arms),
            )
        )
    return panels


def _group(comparison: Comparison) -> str:
    return CAPACITY if comparison.metric == CAPACITY else LATENCY


def _is_of(comparison: Comparison, arm: str) -> bool:
    return arm in (comparison.baseline, comparison.candidate)


def _finding(scenario: str, panel: Panel) -> str:
    """How far blocks and instances scatter: what the interval had to be made of."""
    compared, spread = panel.comparison, panel.comparison.spread
    what = (
        f"{words.metric_name(compared.metric)} of {words.tidy(compared.candidate, 24)} against "
        f"{words.tidy(compared.baseline, 24)}"
    )
    if spread is None:
        return f"{words.tidy(scenario, 40)}: {what}, block by block"
    return (
        f"{words.tidy(scenario, 40)}: {what} scatters by {words.percent(spread.blocks_pct)} from "
        f"block to block, by {words.percent(spread.instances_pct)} more between instances"
    )


def _note(panels: Sequence[Panel]) -> str:
    parts = []
    if (hidden := len(panels) - MOST_PANELS) > 0:
        parts.append(f"{hidden} more comparisons stand in the table only")
    lost = sum(int(np.isnan(each.ratios.logs).sum()) for each in panels[:MOST_PANELS])
    if lost:
        parts.append(f"{lost} blocks had no good answer, or too few for a percentile: no point")
    if any(np.isinf(each.ratios.logs).any() for each in panels[:MOST_PANELS]):
        parts.append("✕ at the edge: only one of the arms gave a good answer in that block")
    return ". ".join(parts)


def _caption(panels: Sequence[Panel]) -> str:
    shared = max(_neighbours(each.ratios.logs) for each in panels)
    together = f" {shared} neighbouring blocks are drawn as one." if shared > 1 else ""
    return (
        "Change of the candidate against the baseline (%, on a logarithmic axis), block by block. "
        "Left: every block in the order of time, with the mean of each round as a short line; "
        "points that climb or sink would be drift of one arm. Right: instance pairs, each with its "
        "blocks as small points. The dashed line is the change that the report states, the shaded "
        "band its interval. A single block's p95 rests on few answers (at least "
        f"{FEWEST_ANSWERS}) and scatters more than that of all together.{together}"
    )


def _neighbours(logs: Floats) -> int:
    """How many blocks in a row share a point."""
    return -(-len(logs) // MOST_BLOCKS)


def _draw_panel(left: Axes, right: Axes, panel: Panel, mark: Mark) -> None:
    limit = limit_of(panel.ratios.logs, panel.comparison)
    _draw_in_time(left, panel, mark, limit)
    _draw_by_pair(right, panel, mark, limit)
    left.set_title(panel.heading, loc="left", fontsize=8.5, color=MUTED, pad=3)
    ticks = ratio_ticks(limit)
    for axes in (left, right):
        quiet(axes, "y")
        _draw_answer(axes, panel.comparison, limit)
        axes.set_ylim(-limit, limit)
        axes.yaxis.set_major_locator(FixedLocator([log for log, _ in ticks]))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_yticklabels([label for _, label in ticks])
    right.tick_params(labelleft=False)


def _draw_answer(axes: Axes, comparison: Comparison, limit: float) -> None:
    """Zero, and the comparison's own change with its interval."""
    axes.axhline(0.0, color=MUTED, linewidth=0.8, zorder=1)
    if comparison.ci95_pct is not None:
        low, high = (float(np.log1p(max(end, -99.99) / 100.0)) for end in comparison.ci95_pct)
        axes.axhspan(max(low, -limit), min(high, limit), color=BAND, linewidth=0, zorder=0)
    if comparison.change_pct is not None and comparison.change_pct > -100:
        change = float(np.log1p(comparison.change_pct / 100.0))
        axes.axhline(change, color=INK, linewidth=1.0, linestyle=(0.0, (3.0, 2.0)), zorder=1)


def _draw_in_time(axes: Axes, panel: Panel, mark: Mark, limit: float) -> None:
    ratios, group = panel.ratios, _neighbours(panel.ratios.logs)
    finite = np.isfinite(ratios.logs)
    means = [
        float(np.mean(part[np.isfinite(part)])) if np.isfinite(part).any() else np.nan
        for part in np.split(ratios.logs, range(group, len(ratios.logs), group))
    ]
    places = [place for place, mean in enumerate(means) if np.isfinite(mean)]
    inside = [min(max(means[place], -limit), limit) for place in places]
    [points] = axes.plot(
        places,
        inside,
        linestyle="none",
        marker=mark.marker,
        markersize=3.6,
        color=mark.colour,
        markerfacecolor=PAPER if panel.hollow else mark.colour,
        markeredgewidth=0.8,
        clip_on=False,
    )
    told = group == 1 and len(places) <= MOST_TIPS
    tips = [
        f"block {ratios.block[place]}, instance {ratios.pair[place] + 1}: "
        f"{words.change(pct(means[place]))}"
        for place in places
    ]
    tag(points, mark.arm, tips if told else ())
    _draw_silent(axes, ratios, group, limit, mark)
    edges = [0, *(np.flatnonzero(np.diff(ratios.round)) + 1), len(ratios.round)]
    for first, last in pairwise(edges):
        own = ratios.logs[first:last][finite[first:last]]
        if first:
            axes.axvline(first / group - 0.5, color=MUTED, linewidth=0.5, alpha=0.5)
        if len(own):
            mean = min(max(float(np.mean(own)), -limit), limit)
            span = [first / group - 0.4, (last - 1) / group + 0.4]
            [line] = axes.plot(span, [mean, mean], color=mark.colour, linewidth=1.2, alpha=0.8)
            tag(line, mark.arm)
    axes.set_xlim(-0.8, len(means) - 0.2)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x * group + 1:.0f}"))


def _draw_silent(axes: Axes, ratios: Ratios, group: int, limit: float, mark: Mark) -> None:
    """Blocks in which one arm gave nothing stand at the edge."""
    silent = np.flatnonzero(np.isinf(ratios.logs))
    if len(silent):
        [crosses] = axes.plot(
            silent / group,
            np.sign(ratios.logs[silent]) * limit,
            "x",
            color=INK,
            markersize=4.5,
            markeredgewidth=1.1,
            clip_on=False,
        )
        tag(crosses, mark.arm)


def _draw_by_pair(axes: Axes, panel: Panel, mark: Mark, limit: float) -> None:
    ratios = panel.ratios
    known = np.isfinite(ratios.logs)
    if _neighbours(ratios.logs) == 1:
        [blocks] = axes.plot(
            ratios.pair[known] + 1,
            ratios.logs[known].clip(-limit, limit),
            linestyle="none",
            marker="o",
            markersize=2.2,
            color=mark.colour,
            alpha=0.5,
            markeredgewidth=0,
        )
        tag(blocks, mark.arm)
    if ratios.pairs:
        [points] = axes.plot(
            [each + 1 for each in ratios.pairs],
            [min(max(log, -limit), limit) for log in ratios.pairs.values()],
            linestyle="none",
            marker=mark.marker,
            markersize=4.6,
            color=mark.colour,
            markerfacecolor=PAPER if panel.hollow else mark.colour,
            markeredgecolor=mark.colour if panel.hollow else PAPER,
            markeredgewidth=0.8,
            clip_on=False,
        )
        tag(
            points,
            mark.arm,
            [
                f"instance {each + 1}: {words.change(pct(log))}"
                for each, log in ratios.pairs.items()
            ],
        )
    last = int(max(ratios.pair, default=0)) + 1
    axes.set_xlim(0.3, last + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))


def _table_rows(panel: Panel) -> list[tuple[str, ...]]:
    ratios, compared = panel.ratios, panel.comparison
    measure = words.metric_name(compared.metric, compared.request)
    rows = []
    for each in sorted({int(pair) for pair in ratios.pair}):
        logs = ratios.logs[ratios.pair == each]
        known = [float(log) for log in logs if np.isfinite(log)]
        told = (ratios.pairs.get(each), min(known, default=None), max(known, default=None))
        rows.append(
            (
                f"{measure}, {words.load_short(panel.load)}",
                f"{compared.candidate} against {compared.baseline}",
                str(each + 1),
                str(len(logs)),
                *(words.change(None if log is None else pct(log)) for log in told),
            )
        )
    return rows
