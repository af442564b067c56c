"""Capacity against connections: what each further connection buys, and where that ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from reports import words
from reports.charts.chart import Chart
from reports.charts.style import INK, MUTED, PAPER, ROUND_STEPS, SMALL_PT, Mark, new_sheet, quiet
from reports.charts.tags import tag
from reports.tuning import numbers, say
from reports.tuning.findings import SettingKnee
from reports.tuning.found import Found

PLOT_PT = 125.0
HEADING_PT = 18.0
AXIS_PT = 22.0
SHAPES = ("*", "D", "v", "P")
SIDESTEP = 1.05
"""Marks of equal connections stand side by side."""
NEARLY = 0.97
"""A setting with this share of the best capacity has practically all of it."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """A setting that was confirmed, by what it is to the reader: `recommended`, `default` …"""

    role: str
    found: SettingKnee


@dataclass(frozen=True, slots=True)
class ArmFrontier:
    """What the search found for each setting of an arm, and what the confirmation did."""

    arm: str
    found: tuple[Found, ...]
    pinned: tuple[Pinned, ...]


def best_by_connections(found: Sequence[Found]) -> list[tuple[int, float]]:
    """The steps of the frontier: connections, and the best knee with no more than those.

    Settings that missed the objective at every load do not count.
    """
    steps: list[tuple[int, float]] = []
    for each in sorted(found, key=lambda each: each.setting.cost):
        if each.knee is None or each.missed_everywhere:
            continue
        if not steps or each.knee.per_s > steps[-1][1]:
            if steps and steps[-1][0] == each.setting.connections:
                steps.pop()
            steps.append((each.setting.connections, each.knee.per_s))
    return steps


def frontier_chart(name: str, arms: Sequence[ArmFrontier], marks: Mapping[str, Mark]) -> Chart:
    """One panel per arm, over the same axes."""
    title = "; ".join(_finding(each) for each in arms)
    heights = [HEADING_PT + PLOT_PT] * len(arms)
    sheet = new_sheet(sum(heights) + AXIS_PT, title, heights=heights)
    for axes, each in zip(sheet.axes, arms, strict=True):
        _draw_arm(axes, each, marks[each.arm], arms)
    for axes in sheet.axes[:-1]:
        axes.tick_params(labelbottom=False)
    sheet.axes[-1].set_xlabel("connections of one instance, at most")
    return Chart(
        name=name,
        title=title,
        caption=(
            "Small marks are settings as the search found them (hollow: missed the objective at "
            "every load tried); the line is the best with at most so many connections, all workers "
            "of an instance together. Large marks with intervals are the confirmation's: new "
            "instances, new arrivals. Where the line is flat, more connections buy nothing."
        ),
        sheet=sheet,
        columns=("Arm", "Setting", "Connections", "Knee", "From"),
        rows=tuple(row for each in arms for row in _table_rows(each)),
    )


def _draw_arm(axes: Axes, arm: ArmFrontier, mark: Mark, arms: Sequence[ArmFrontier]) -> None:
    for found in arm.found:
        if found.knee is not None:
            [point] = axes.plot(
                [found.setting.connections],
                [found.knee.per_s],
                mark.marker,
                markersize=3.6,
                color=mark.colour,
                markerfacecolor=PAPER if found.missed_everywhere else mark.colour,
                markeredgewidth=0.8,
                alpha=0.55,
            )
            tag(point, mark.arm, [f"{say.whole(found.setting)}: {numbers.knee(found.knee)}"])
    if steps := best_by_connections(arm.found):
        most = max(each.setting.connections for each in arm.found)
        xs, ys = zip(*steps, (most, steps[-1][1]), strict=True)
        [steps_line] = axes.step(
            xs, ys, where="post", color=mark.colour, linestyle=mark.dash, linewidth=1.3
        )
        tag(steps_line, mark.arm)
    for place, (pin, shape) in enumerate(zip(arm.pinned, SHAPES, strict=False)):
        _draw_pinned(axes, pin, mark, shape, SIDESTEP**place)
    _scales(axes, arms)
    axes.set_title(words.tidy(arm.arm, 40), loc="left", fontsize=8.5, color=MUTED, pad=3)
    _key(axes, arm)


def _draw_pinned(axes: Axes, pin: Pinned, mark: Mark, shape: str, aside: float) -> None:
    found, colour = pin.found, mark.colour
    x = found.setting.connections * aside
    if found.ci95_per_s is not None:
        low, high = (found.per_s if end is None else end for end in found.ci95_per_s)
        [bar] = axes.plot([x, x], [low, high], color=colour, linewidth=2.0, solid_capstyle="butt")
        tag(bar, mark.arm)
    [point] = axes.plot(
        [x],
        [found.per_s],
        linestyle="none",
        marker=shape,
        markersize=11.0 if shape == "*" else 6.5,
        color=colour,
        markerfacecolor=PAPER if found.censored else colour,
        markeredgecolor=colour if found.censored else PAPER,
        markeredgewidth=0.9,
        zorder=4,
        label=f"{pin.role} {say.pool(found.setting)}",
    )
    said = numbers.knee_of(found)
    tag(point, mark.arm, [f"{pin.role}, {say.whole(found.setting)}: {said}"])


def _scales(axes: Axes, arms: Sequence[ArmFrontier]) -> None:
    found = [each for arm in arms for each in arm.found]
    pinned = [pin.found for arm in arms for pin in arm.pinned]
    settings = [each.setting for each in found] + [each.setting for each in pinned]
    connections = {each.connections for each in settings}
    tops = [end for each in pinned for end in each.ci95_per_s or () if end is not None]
    tops += [each.per_s for each in pinned] + [each.knee.per_s for each in found if each.knee]
    axes.set_xscale("log")
    axes.set_xlim(min(connections) * 0.8, max(connections) * 1.25)
    axes.xaxis.set_major_locator(FixedLocator(_apart(sorted(connections))))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=ROUND_STEPS))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_ylim(0, max(tops) * 1.08)
    quiet(axes, "y")
    axes.set_ylabel("requests/s")


def _apart(values: Sequence[int]) -> list[int]:
    """Those far enough apart to be written below a logarithmic axis."""
    shown: list[int] = []
    for value in values:
        if not shown or value >= 1.3 * shown[-1]:
            shown.append(value)
    return shown


def _key(axes: Axes, arm: ArmFrontier) -> None:
    """What the large marks are, above the panel."""
    if arm.pinned:
        axes.legend(
            loc="lower right",
            bbox_to_anchor=(1.0, 0.99),
            ncols=3,
            frameon=False,
            fontsize=SMALL_PT,
            labelcolor=INK,
            handlelength=1.0,
            handletextpad=0.4,
            columnspacing=1.2,
            borderaxespad=0.2,
        )


def _finding(arm: ArmFrontier) -> str:
    steps = best_by_connections(arm.found)
    name = words.tidy(arm.arm, 24)
    if not steps:
        return f"{name}: no setting kept the objective at any load"
    best = steps[-1][1]
    connections, enough = next(step for step in steps if step[1] >= NEARLY * best)
    return (
        f"{name}: {connections} connection{'' if connections == 1 else 's'} already bear "
        f"{words.rounded(enough)} requests/s"
    ) + ("" if enough == best else f" of at most {words.rounded(best)}")


def _table_rows(arm: ArmFrontier) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (
            arm.arm,
            say.whole(each.setting),
            str(each.setting.connections),
            numbers.knee(each.knee),
            "search",
        )
        for each in arm.found
    ]
    for pin in arm.pinned:
        setting = pin.found.setting
        said = numbers.knee_of(pin.found)
        rows.append(
            (
                arm.arm,
                say.whole(setting),
                str(setting.connections),
                said,
                f"confirmation: {pin.role}",
            )
        )
    return rows
