"""p99 against offered load for each confirmed setting, with the objective as a line."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import Knob
from reports import words
from reports.charts.chart import Chart
from reports.charts.latency import ms_axis
from reports.charts.style import INK, MARKS, MUTED, PAPER, SMALL_PT, Mark, new_sheet, quiet
from reports.charts.tags import tag
from reports.tuning import numbers, say
from reports.tuning.means import P99, middle, p99s_of
from reports.tuning.record import Stage, Tried

BODY_PT = 225.0
BEYOND = "^"


@dataclass(frozen=True, slots=True)
class Point:
    """A setting at a load: the median of its instances' p99, and the least and greatest."""

    rate_per_s: float
    p99: P99
    least: P99
    most: P99
    units: int


@dataclass(frozen=True, slots=True)
class Curve:
    """A setting by what it is to the reader, and its points by ascending load."""

    role: str
    setting: Setting
    label: str
    points: tuple[Point, ...]


def curves_of(
    tried: Iterable[Tried],
    arm: str,
    roles: Mapping[Setting, str],
    stages: Sequence[Stage],
    knobs: Collection[Knob],
) -> list[Curve]:
    """A curve for each of `roles` that was measured in `stages`, in their order; a label names
    those of `knobs` in which a setting with the first one's pool differs from it."""
    found: dict[Setting, dict[float, list[Tried]]] = {}
    for each in tried:
        if each.arm == arm and each.stage in stages and each.rate_per_s is not None:
            by_rate = found.setdefault(each.setting, {})
            by_rate.setdefault(each.score.offered_per_s, []).append(each)
    curves = []
    first = next(iter(roles), None)
    for setting, role in roles.items():
        by_rate = found.get(setting, {})
        told = [_point(rate, by_rate[rate]) for rate in sorted(by_rate)]
        if points := tuple(point for point in told if point is not None):
            name = say.apart(setting, None if setting == first else first, knobs)
            curves.append(Curve(role, setting, f"{role}: {name}", points))
    return curves


def _point(rate_per_s: float, trials: Sequence[Tried]) -> Point | None:
    p99s = p99s_of(trials)
    if (median := middle(p99s)) is None:
        return None
    return Point(rate_per_s, median, p99s[0], p99s[-1], len({each.unit for each in trials}))


def load_curve(
    name: str,
    arm: str,
    curves: Sequence[Curve],
    objective: Objective,
    *,
    where: str = "",
    twice_per_s: float | None = None,
) -> Chart:
    """One line per setting. `where`: how far the database is, if that is to be named;
    `twice_per_s`: the load of the trial at twice the knee, if there is one."""
    title = _finding(arm, curves, objective, where)
    sheet = new_sheet(BODY_PT, title)
    [axes] = sheet.axes
    axes.set_yscale("log")
    for depth, (curve, mark) in enumerate(zip(curves, MARKS, strict=False)):
        _draw(axes, curve, mark, depth)
    _frame(axes, curves, objective)
    twice = f" The load of {words.per_s(twice_per_s)} is twice the knee." if twice_per_s else ""
    return Chart(
        name=name,
        title=title,
        caption=(
            "p99 of response times, queueing included, at each offered load of the confirmation: "
            "the median of the instances, upright lines from the least to the greatest. Where a "
            f"line passes {objective.p99_ms:g} ms is that setting's knee.{_given_up(curves)}{twice}"
        ),
        sheet=sheet,
        columns=("Setting", "Offered load", "p99", "least", "greatest", "Instances"),
        rows=tuple(
            (
                curve.label,
                words.per_s(point.rate_per_s),
                *(numbers.p99_of(each) for each in (point.p99, point.least, point.most)),
                str(point.units),
            )
            for curve in curves
            for point in curve.points
        ),
    )


def _draw(axes: Axes, curve: Curve, mark: Mark, depth: int) -> None:
    """The first lies on top; those below are broader, so that equal ones show as well."""
    for point in curve.points:
        axes.plot(
            [point.rate_per_s] * 2,
            [point.least.ms, point.most.ms],
            color=mark.colour,
            linewidth=1.0,
            alpha=0.6,
            zorder=3.0 - 0.1 * depth,
        )
    [line] = axes.plot(
        [point.rate_per_s for point in curve.points],
        [point.p99.ms for point in curve.points],
        color=mark.colour,
        linestyle=mark.dash,
        linewidth=1.4 + 1.0 * depth,
        marker=mark.marker,
        markersize=4.5 + 1.3 * depth,
        markeredgecolor=PAPER,
        markeredgewidth=0.7,
        markevery=[not point.p99.beyond for point in curve.points],
        zorder=3.0 - 0.1 * depth,
        label=curve.label,
    )
    tag(line, tips=[_tip(curve, point) for point in curve.points if not point.p99.beyond])
    if beyond := [point for point in curve.points if point.p99.beyond]:
        _draw_beyond(axes, curve, beyond, mark, depth)


def _draw_beyond(axes: Axes, curve: Curve, beyond: Sequence[Point], mark: Mark, depth: int) -> None:
    """Known from one side only: hollow, with the arrow's head upwards."""
    [points] = axes.plot(
        [point.rate_per_s for point in beyond],
        [point.p99.ms for point in beyond],
        BEYOND,
        color=mark.colour,
        markerfacecolor=PAPER,
        markersize=5.5 + 1.3 * depth,
        markeredgewidth=1.3,
        zorder=3.0 - 0.1 * depth,
    )
    tag(points, tips=[_tip(curve, point) for point in beyond])


def _tip(curve: Curve, point: Point) -> str:
    at = words.per_s(point.rate_per_s)
    return f"{curve.label}: p99 {numbers.p99_of(point.p99)} at {at}"


def _given_up(curves: Sequence[Curve]) -> str:
    if not any(point.most.beyond for curve in curves for point in curve.points):
        return ""
    return (
        " Over, and a hollow mark with its point up: so many requests were given up at that age "
        "that the true p99 is longer."
    )


def _frame(axes: Axes, curves: Sequence[Curve], objective: Objective) -> None:
    axes.axhline(objective.p99_ms, color=INK, linewidth=1.0, linestyle=(0.0, (2.0, 2.0)))
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, objective.p99_ms / 3), max(high, objective.p99_ms * 2))
    quiet(axes, "y")
    ms_axis(axes)
    rates = [point.rate_per_s for curve in curves for point in curve.points]
    axes.set_xlim(0, max(rates) * 1.04)
    axes.annotate(
        f"objective: {objective.p99_ms:g} ms",
        (0.0, objective.p99_ms),
        xytext=(3, 3),
        textcoords="offset points",
        fontsize=SMALL_PT,
        color=MUTED,
        va="bottom",
    )
    axes.set_xlabel("offered load (requests/s)")
    axes.set_ylabel("p99 response time (ms)")
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=2,
        frameon=False,
        handlelength=2.6,
        borderaxespad=0.2,
        fontsize=SMALL_PT,
        labelcolor=INK,
    )


def _finding(arm: str, curves: Sequence[Curve], objective: Objective, where: str) -> str:
    """Up to which measured load each setting kept the objective."""
    said = []
    for curve in curves:
        kept = [
            each.rate_per_s
            for each in curve.points
            if each.p99.ms <= objective.p99_ms and not each.p99.beyond
        ]
        far = f"up to {words.rounded(max(kept))}/s" if kept else "at no load"
        said.append(f"{curve.role} {far}")
    place = f", {where}" if where else ""
    limit = numbers.limit(objective)
    return f"{words.tidy(arm, 24)}{place}: p99 stays within {limit}: {words.listed(said[:3])}"
