"""A panel of costs: a row per place, in it every arm's value and those of its instances."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports import words
from reports.charts.style import FAINT, INK, PAPER, ROUND_STEPS, SMALL_PT, Mark, quiet
from reports.charts.tags import tag

MOST_TIPS = 120
"""Of a panel's instances: with more of them only the arms' marks say their value."""
MOST_STEP = 0.26
"""Of a row's height, between the lines of two arms."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One arm's value in a row, its instances', and what the mark says."""

    value: float
    instances: Mapping[int, float]
    said: str
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows of cells by arm; `told` says a value with its unit."""

    label: str
    told: Callable[[float], str]
    rows: Mapping[str, Mapping[str, Cell]]

    @property
    def instances(self) -> int:
        """Marks of single instances in all rows."""
        return sum(len(cell.instances) for row in self.rows.values() for cell in row.values())


def draw_panel(axes: Axes, panel: Panel, marks: Mapping[str, Mark]) -> None:
    """From nought to the right; further left is cheaper."""
    quiet(axes, "x")
    for y, cells in enumerate(panel.rows.values()):
        drawn = [arm for arm in marks if arm in cells]
        step = min(MOST_STEP, 0.7 / max(len(drawn), 1))
        for position, arm in enumerate(drawn):
            at = y + (position - (len(drawn) - 1) / 2) * step
            _draw_cell(axes, at, arm, cells[arm], panel, marks[arm])
    axes.set_xlim(left=0.0)
    axes.set_xlim(right=axes.get_xlim()[1] * 1.06)
    axes.set_ylim(len(panel.rows) - 0.4, -0.6)
    axes.set_yticks(range(len(panel.rows)), list(panel.rows), color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND_STEPS))
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.set_xlabel(panel.label)


def _draw_cell(axes: Axes, at: float, arm: str, cell: Cell, panel: Panel, mark: Mark) -> None:
    [stem] = axes.plot([0, cell.value], [at, at], color=FAINT, linewidth=1.0, zorder=1)
    tag(stem, mark.arm)
    if len(cell.instances) > 1:
        [small] = axes.plot(
            list(cell.instances.values()),
            [at] * len(cell.instances),
            linestyle="none",
            marker=mark.marker,
            markersize=2.8,
            color=mark.colour,
            alpha=0.45,
            markeredgewidth=0,
            zorder=2,
        )
        tips = [
            f"{words.tidy(arm)}, instance {each + 1}: {panel.told(value)}"
            for each, value in cell.instances.items()
        ]
        tag(small, mark.arm, tips if panel.instances <= MOST_TIPS else ())
    [point] = axes.plot(
        [cell.value],
        [at],
        mark.marker,
        color=mark.colour,
        markersize=6,
        markerfacecolor=PAPER if cell.hollow else mark.colour,
        markeredgecolor=mark.colour if cell.hollow else PAPER,
        markeredgewidth=0.8,
        zorder=3,
    )
    tag(point, mark.arm, [f"{words.tidy(arm)}: {cell.said}"])


def arms_legend(axes: Axes, arms: Sequence[str], marks: Mapping[str, Mark]) -> None:
    """What the marks are, above the first panel."""
    for arm in arms:
        mark = marks[arm]
        axes.plot([], [], mark.marker, color=mark.colour, markersize=6, label=words.tidy(arm, 24))
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=2,
        frameon=False,
        fontsize=SMALL_PT + 0.5,
        handletextpad=0.2,
        borderaxespad=0.2,
        labelcolor=INK,
    )
