"""What this run could not have seen: the smallest effect of each primary beside what it saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from reports import verdict_words, words
from reports.charts.caveats import NOTHING_TO_SAY, Caveats, kind_of
from reports.charts.chart import Chart
from reports.charts.compared import Row, rows_of, verdict_mark
from reports.charts.rows import draw_point, draw_reading
from reports.charts.style import FAINT, INK, MUTED, PAPER, Mark, new_sheet, quiet
from reports.charts.tags import tag
from reports.log_ratio import as_log, as_pct
from reports.model import Summary

ROW_PT = 17.0
FOOT_PT = 36.0
MOST_ROWS = 28
LEAST_PCT = 0.5
"""The axis begins here; smaller changes stand at its left end."""
MOST_PCT = 2000.0
"""The axis ends here at the latest; bars go on to its edge."""
STEPS_PCT = (1.0, 10.0, 100.0, 1000.0, 5.0, 50.0, 500.0, 2.0, 20.0, 200.0)
"""Numbers of the axis, the most wanted first."""
APART = 0.17
"""Of the axis' length, between two numbers."""


def unseen_chart(
    summary: Summary,
    marks: Mapping[str, Mark],
    equivalence_pct: float,
    caveats: Caveats = NOTHING_TO_SAY,
) -> Chart | None:
    """One row per primary comparison; None where no smallest effect is known."""
    rows = [row for row in rows_of(summary) if row.comparison.primary and _mde_pct(row) > 0]
    if not rows:
        return None
    shown = rows[:MOST_ROWS]
    title = _title(rows, caveats)
    hidden = len(rows) - len(shown)
    more = f"{hidden} more stand in the table only" if hidden else ""
    note = ". ".join(filter(None, [more, caveats.shared_note([row.scenario for row in shown])]))
    sheet = new_sheet(ROW_PT * len(shown) + FOOT_PT, title, note)
    [axes] = sheet.axes
    _draw(axes, shown, marks, equivalence_pct)
    return Chart(
        name="unseen",
        title=title,
        caption=(
            "The bar of each primary comparison ends at its smallest effect: a true change of that "
            "size would have been found by 4 of 5 runs like this one, smaller ones less often. The "
            "mark is the size of the change that was measured, as far from none as if it were a "
            "growth (a halving stands at 100%, with a doubling), in the colour and shape of the "
            f"better arm where there is one. The dotted line is ±{equivalence_pct:g}%, below which "
            "a change does not matter: a bar that reaches beyond it would have hidden changes that "
            "do (hollow: of an invalid one). Logarithmic axis; what is below "
            f"{LEAST_PCT:g}% stands at its left end."
        ),
        sheet=sheet,
        columns=(
            "Scenario", "Load", "Measure", "Compared", "Measured", "Smallest effect",
            "With twice the instances", "With twice the rounds",
        ),
        rows=tuple(_table_row(row) for row in rows),
    )  # fmt: skip


def _mde_pct(row: Row) -> float:
    """The smallest effect of a row; 0 where it is not known."""
    return row.comparison.mde_pct or 0.0


def _valid(row: Row) -> bool:
    return row.comparison.verdict != "invalid"


def _title(rows: Sequence[Row], caveats: Caveats) -> str:
    """What valid comparisons could have missed; which checks failed where there is none."""
    if valid := [row for row in rows if _valid(row)]:
        return _finding(valid)
    first, finding = rows[0], "No primary comparison is valid"
    compared = first.comparison
    arms = (compared.baseline, compared.candidate)
    return caveats.title(finding, first.scenario, [first.load], arms, kind_of(compared.metric))


def size_pct(change_pct: float) -> float:
    """How far a change is from none, as the growth that is as far: +100% of a halving, as of a
    doubling."""
    return as_pct(abs(as_log(change_pct)))


def _finding(rows: Sequence[Row]) -> str:
    """The ranges of smallest effects by measure."""
    by_metric: dict[str, list[float]] = {}
    for row in rows:
        by_metric.setdefault(row.comparison.metric, []).append(_mde_pct(row))
    parts = [f"{_range(sizes)} in {words.metric_name(name)}" for name, sizes in by_metric.items()]
    return f"Changes smaller than {words.listed(parts)} could have gone unseen"


def _range(sizes: Sequence[float]) -> str:
    low, high = _size(min(sizes)), _size(max(sizes))
    return high if low == high else f"{low.removesuffix('%')} to {high}"


def _size(value_pct: float) -> str:
    return words.percent(value_pct) if value_pct < 10_000 else "more than 10,000%"


def _draw(
    axes: Axes, rows: Sequence[Row], marks: Mapping[str, Mark], equivalence_pct: float
) -> None:
    quiet(axes, "x")
    axes.set_xscale("log")
    sizes = [size_pct(row.comparison.change_pct or 0.0) for row in rows]
    furthest = max([*(_mde_pct(row) for row in rows), *sizes, 2 * equivalence_pct])
    right = min(1.25 * furthest, MOST_PCT)
    axes.set_xlim(LEAST_PCT, right)
    steps = _apart([step for step in STEPS_PCT if step <= right], right)
    axes.xaxis.set_major_locator(FixedLocator(steps))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:,g}%")
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows], color=INK)
    axes.tick_params(axis="y", pad=7)  # a mark may stand at the axis' left end
    axes.axvline(equivalence_pct, color=INK, linewidth=1.0, linestyle=(0.0, (1.0, 2.0)), zorder=2)
    axes.set_xlabel("size of a change (%)")
    for y, (row, size) in enumerate(zip(rows, sizes, strict=True)):
        _draw_row(axes, y, row, min(max(size, LEAST_PCT), right), marks)


def _apart(steps: Sequence[float], right: float) -> list[float]:
    """Those that have room beside the ones before them."""
    room, shown = APART * log10(right / LEAST_PCT), list[float]()
    for step in steps:
        if all(abs(log10(step / other)) >= room for other in shown):
            shown.append(step)
    return shown


def _label(row: Row) -> str:
    compared = row.comparison
    who = words.tidy(compared.candidate, 16) if row.several else words.tidy(row.scenario, 18)
    name = words.metric_name(compared.metric).replace(" response time", "")
    return f"{who} · {name}, {words.load_short(row.load)}"


def _draw_row(axes: Axes, y: int, row: Row, size: float, marks: Mapping[str, Mark]) -> None:
    compared, arm = row.comparison, marks[row.comparison.candidate].arm
    width, face = _mde_pct(row) - LEAST_PCT, FAINT if _valid(row) else PAPER
    bar = axes.barh(
        y, width, left=LEAST_PCT, height=0.55, color=face, edgecolor=FAINT, linewidth=0.8, zorder=1
    )
    tag(bar[0], arm, [f"smallest effect: {_size(_mde_pct(row))}"])
    if compared.change_pct is not None:
        winner = verdict_words.better_arm(compared)
        colour = marks[winner].colour if winner else MUTED
        shape, inside = verdict_mark(compared, marks)
        right = axes.get_xlim()[1]
        point = draw_point(axes, y, size, right, shape, (colour, inside or colour))
        said = f"{words.change(compared.change_pct)}: {verdict_words.brief(compared)}"
        tag(point, arm, [f"measured: {said}"])
    tag(draw_reading(axes, y, _reading(row)), arm)


def _reading(row: Row) -> str:
    return f"from {_size(_mde_pct(row))} on" if _valid(row) else "invalid"


def _table_row(row: Row) -> tuple[str, ...]:
    compared, outlook = row.comparison, row.comparison.outlook
    ahead = (
        (None, None) if outlook is None else (outlook.twice_instances_pct, outlook.twice_rounds_pct)
    )
    return (
        row.scenario,
        words.load_short(row.load),
        words.metric_name(compared.metric, compared.request),
        f"{compared.candidate} against {compared.baseline}",
        words.change(compared.change_pct),
        _size(_mde_pct(row)),
        *(words.NOTHING if each is None else _size(each) for each in ahead),
    )
