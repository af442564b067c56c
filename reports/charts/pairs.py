"""Pairs block by block: what every block and every pair of instances says of the primaries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reports import words
from reports.charts.block_ratios import FEWEST_ANSWERS, block_ratios
from reports.charts.caveats import kind_of
from reports.charts.chart import Chart
from reports.charts.pairs_panel import Panel, draw_panel, neighbours
from reports.charts.scene import Scene
from reports.charts.style import new_sheet
from reports.log_ratio import as_pct
from reports.model import Comparison
from reports.symbols import named

PANEL_PT = 100.0
FOOT_PT = 24.0
WIDTHS = (2.0, 1.0)
MOST_PANELS = 6
LEAST_TOLD_PCT = 0.05


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
        kind_of(told.comparison.metric),
    )
    heights = [PANEL_PT] * len(drawn)
    note = ". ".join(filter(None, [_note(panels), scene.caveats.note(scene.name, [], arms)]))
    sheet = new_sheet(sum(heights) + FOOT_PT, title, note, heights=heights, widths=WIDTHS)
    for place, panel in enumerate(drawn):
        left, right = sheet.axes[2 * place : 2 * place + 2]
        draw_panel(left, right, panel, scene.marks[panel.comparison.candidate])
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
        heading = f"{who}{name}, {words.load_short(load)}"
        failed = any(scene.failed(load, arm, kind_of(each.metric)) for arm in arms)
        ratios = block_ratios(scene.at(load), each)
        panels.append(Panel(each, load, ratios, named(heading, failed=failed), failed))
    return panels


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
    instances = (
        f", beyond that, about {words.percent(spread.instances_pct)} between instances"
        if spread.instances_pct >= LEAST_TOLD_PCT
        else " none beyond that to be seen between instances"
    )
    blocks = f"standard deviation {words.percent(spread.blocks_pct)} from block to block and"
    return f"{words.tidy(scenario, 40)}: {what}: {blocks}{instances}"


def _note(panels: Sequence[Panel]) -> str:
    parts = []
    if (hidden := len(panels) - MOST_PANELS) > 0:
        parts.append(f"{hidden} more comparisons stand in the table only")
    lost = sum(int(np.isnan(each.ratios.logs).sum()) for each in panels[:MOST_PANELS])
    if lost:
        parts.append(f"{lost} blocks had no good answer, or too few for a percentile: no point")
    if any(np.isinf(each.ratios.logs).any() for each in panels[:MOST_PANELS]):
        parts.append("+ at the edge: only one of the arms gave a good answer in that block")
    return ". ".join(parts)


def _caption(panels: Sequence[Panel]) -> str:
    shared = max(neighbours(each.ratios.logs) for each in panels)
    together = f" {shared} neighbouring blocks are drawn as one." if shared > 1 else ""
    return (
        "Change of the candidate against the baseline (%, on a logarithmic axis), block by block. "
        "Left: every block in the order of time, with the mean of each round as a short line; "
        "points that climb or sink would be drift of one arm. Right: instance pairs, each with its "
        "blocks as small points. The dashed line is the change that the report states, the shaded "
        "band its interval. A single block's p95 rests on few answers (at least "
        f"{FEWEST_ANSWERS}) and scatters more than that of a pair, whose answers are levelled as "
        f"for the stated change: what slowed both arms of a block is taken out.{together}"
    )


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
                *(words.change(None if log is None else as_pct(log)) for log in told),
            )
        )
    return rows
