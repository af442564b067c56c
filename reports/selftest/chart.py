"""The chart of a selftest: expected against measured, and every difference beside its limit."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from reports.charts.chart import Chart, chart_style
from reports.charts.style import (
    BAND,
    FAINT,
    INK,
    MARKS,
    MUTED,
    PAPER,
    SMALL_PT,
    Mark,
    new_sheet,
    quiet,
)
from reports.charts.tags import tag
from reports.selftest import words
from reports.selftest.model import Check, Selftest

SCATTER_PT = 220.0
CASE_PT = 15.0
FOOT_PT = 44.0
LIMITS_SHOWN = 1.6
"""The axis of differences ends at this many limits; what is beyond stands at its end, hollow."""
DECADES_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
KINDS = {
    "median": "median",
    "tail": "p95 or p99",
    "other": "mean, rate, and the rest",
    "count": "count (below)",
}
"""What is drawn alike, and what the key says of it."""


def draw(selftest: Selftest) -> Chart:
    """One drawing of two parts."""
    with chart_style("selftest"):
        return _draw(selftest)


def _draw(selftest: Selftest) -> Chart:
    cases = [case.case for case in selftest.cases]
    rows_pt = FOOT_PT + CASE_PT * len(cases)
    sheet = new_sheet(SCATTER_PT + rows_pt, selftest.headline, heights=(SCATTER_PT, rows_pt))
    above, below = sheet.axes
    _scatter(above, [check for check in selftest.checks if check.unit == "ms"])
    _differences(below, cases, selftest.checks)
    return Chart(
        name="selftest",
        title=selftest.headline,
        caption=(
            "Above: response times as they ought to be and as they were measured; what lies on the "
            "line is right. Below: each difference as a share of its limit. Counts allow no "
            "difference. Hollow marks are beyond their limits."
        ),
        sheet=sheet,
        columns=words.COLUMNS,
        rows=tuple(words.row_of(check, first=True) for check in selftest.checks),
    )


def kind_of(check: Check) -> str:
    """Which mark a check has: one of KINDS."""
    if not check.unit:
        return "count"
    if check.quantity.startswith("p50"):
        return "median"
    return "tail" if check.quantity.startswith("p9") else "other"


def _mark(check: Check) -> Mark:
    return MARKS[list(KINDS).index(kind_of(check))]


def _scatter(axes: Axes, checks: list[Check]) -> None:
    shown = [
        (check, check.expected, check.measured)
        for check in checks
        if check.expected and check.measured and check.expected > 0 and check.measured > 0
    ]
    axes.set_xscale("log")
    axes.set_yscale("log")
    if shown:
        values = [value for _, *both in shown for value in both]
        ends = min(values) * 0.7, max(values) * 1.4
        axes.plot(ends, ends, color=MUTED, linewidth=0.8, zorder=1)
        axes.set_xlim(*ends)
        axes.set_ylim(*ends)
    for check, expected, measured in shown:
        _dot(axes, expected, measured, check)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(DECADES_MS))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=True, color=FAINT)
    axes.set_xlabel("expected, ms")
    axes.set_ylabel("measured, ms")
    _key(axes)


def _key(axes: Axes) -> None:
    for label, mark in zip(KINDS.values(), MARKS, strict=False):
        axes.plot([], [], linestyle="none", marker=mark.marker, color=mark.colour, label=label)
    axes.legend(loc="upper left", frameon=False, fontsize=SMALL_PT, markerscale=0.8)


def _differences(axes: Axes, cases: list[str], checks: tuple[Check, ...]) -> None:
    axes.axvspan(-1, 1, color=BAND, zorder=0, linewidth=0)
    axes.axvline(0, color=MUTED, linewidth=0.8, zorder=1)
    for check in checks:
        if check.difference is not None:
            share = share_of_limit(check)
            _dot(axes, share, cases.index(check.case) + _offset(check), check)
    quiet(axes, "y")
    axes.set_xlim(-LIMITS_SHOWN * 1.05, LIMITS_SHOWN * 1.05)
    axes.set_ylim(len(cases) - 0.4, -0.6)
    axes.set_yticks(range(len(cases)), cases, color=INK)
    axes.set_xticks([-1, 0, 1], ["−limit", "as expected", "+limit"])
    axes.set_xlabel("measured minus expected, as a share of the limit")


def _offset(check: Check) -> float:
    return {"median": -0.25, "tail": -0.08, "other": 0.08, "count": 0.25}[kind_of(check)]


def share_of_limit(check: Check) -> float:
    """The difference over its limit, cut off where the axis ends; any difference of counts is
    beyond."""
    difference, limit = check.difference or 0.0, check.shown_limit
    at_zero = 0.0 if check.ok else LIMITS_SHOWN
    share = difference / limit if limit else at_zero
    return max(-LIMITS_SHOWN, min(LIMITS_SHOWN, share))


def _dot(axes: Axes, x: float, y: float, check: Check) -> None:
    mark = _mark(check)
    [point] = axes.plot(
        [x],
        [y],
        linestyle="none",
        marker=mark.marker,
        markersize=5.0,
        color=mark.colour,
        markerfacecolor=mark.colour if check.ok else PAPER,
        markeredgecolor=PAPER if check.ok else mark.colour,
        markeredgewidth=0.6 if check.ok else 1.2,
        zorder=3,
    )
    tag(point, tips=[_tip(check)])


def _tip(check: Check) -> str:
    """Measured, difference and limit as the table has them."""
    measured, limit = (
        words.number(each, check.unit) for each in (check.measured, check.shown_limit)
    )
    off_by = words.number(check.difference, check.unit, signed=True)
    unit = f" {check.unit}" if check.unit else ""
    return f"{check.case}, {check.quantity}: {measured}{unit}, off by {off_by} (limit {limit})"
