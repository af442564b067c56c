"""The heat map of pool by load: good answers, p99 and errors, and where settings are level."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.patches import Rectangle

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import Knob
from reports import words
from reports.charts.chart import Chart
from reports.charts.style import INK, MUTED, PAPER, SMALL_PT, new_sheet
from reports.charts.tags import tag
from reports.tuning import numbers, say
from reports.tuning.charts.grid import Cell, Grid
from reports.tuning.means import P99

ROW_PT = 17.0
HEADING_PT = 20.0
FOOT_PT = 26.0
LEVEL_HATCH = "////"
HATCH_COLOUR = "#7d99ad"
"""On light and dark pages alike, since cells are light on both."""
GOOD = LinearSegmentedColormap.from_list("good", ["#eef5fb", "#6fb0de"])
BAD = LinearSegmentedColormap.from_list("bad", ["#fdebdc", "#f2995c"])
"""Light enough throughout for black numbers to be read on them."""
CELL_INK = "#000000"
TAKEN, LEVEL, BEYOND = "★", "●", ">"


@dataclass(frozen=True, slots=True)
class Heat:
    """What a heat map is drawn from. `plateau`: settings that cannot be told apart from the best
    in the finals, `taken` one of them."""

    name: str
    arm: str
    grid: Grid
    objective: Objective
    knobs: frozenset[Knob]
    taken: Setting | None
    plateau: Collection[Setting]


@dataclass(frozen=True, slots=True)
class Panel:
    """One number of every cell: how it is said, how it is coloured, whether cells are hatched."""

    heading: str
    text: Callable[[Cell], str]
    told: Callable[[Cell], str]
    """With its unit, as the table has it."""
    colour: Callable[[Cell], str]


def heat_chart(heat: Heat) -> Chart | None:
    """Three panels with the same rows and columns; None where nothing was measured."""
    grid = heat.grid
    if not grid.cells:
        return None
    panels = _panels(heat)
    height = HEADING_PT + ROW_PT * len(grid.rows)
    title = _finding(heat)
    sheet = new_sheet(
        height * len(panels) + FOOT_PT, title, _note(grid), heights=[height] * len(panels)
    )
    labels = _labels(heat)
    for axes, panel in zip(sheet.axes, panels, strict=True):
        _draw(axes, grid, panel, labels)
    last = sheet.axes[-1]
    last.tick_params(labelbottom=True)
    last.set_xlabel("offered load (requests/s)")
    return Chart(
        name=heat.name,
        title=title,
        caption=_caption(heat),
        sheet=sheet,
        columns=("Setting", "Offered load", "Good answers", "p99", "Errors", "Trials", "Level"),
        rows=tuple(
            _table_row(heat, row, rate, grid.cells[row, rate])
            for row in grid.rows
            for rate in grid.rates_per_s
            if (row, rate) in grid.cells
        ),
    )


def _panels(heat: Heat) -> tuple[Panel, ...]:
    cells = heat.grid.cells.values()
    most = max((cell.good_per_s for cell in cells), default=1.0) or 1.0
    limit_ms = heat.objective.p99_ms
    return (
        Panel(
            "good answers per second",
            lambda cell: words.rounded(cell.good_per_s),
            lambda cell: f"{words.per_s(cell.good_per_s)} answered well",
            lambda cell: to_hex(GOOD(cell.good_per_s / most)),
        ),
        Panel(
            f"p99 response time in ms (blue: within {limit_ms:g} ms, orange: beyond)",
            lambda cell: _p99(cell.p99),
            lambda cell: f"p99 {numbers.p99_of(cell.p99)}",
            lambda cell: _p99_colour(cell.p99, limit_ms),
        ),
        Panel(
            f"errors in % (limit {heat.objective.max_error_pct:g}%)",
            lambda cell: words.rounded(cell.error_pct),
            lambda cell: f"{words.rounded(cell.error_pct)}% errors",
            lambda cell: _error_colour(cell.error_pct, heat.objective.max_error_pct),
        ),
    )


def _p99(found: P99 | None) -> str:
    """Without its unit, which the heading names; seconds from one second on."""
    if found is None:
        return words.NOTHING
    short = found.ms < 999.5
    said = words.rounded(found.ms) if short else f"{found.ms / 1000:.1f}{words.NBSP}s"
    return f"{BEYOND if found.beyond else ''}{said}"


def _p99_colour(found: P99 | None, limit_ms: float) -> str:
    if found is None:
        return to_hex(GOOD(0.0))
    if found.ms <= limit_ms and not found.beyond:
        return to_hex(GOOD(1.0 - found.ms / limit_ms))
    return to_hex(BAD(min(1.0, max(0.0, found.ms / limit_ms - 1.0) / 4.0)))


def _error_colour(error_pct: float, limit_pct: float) -> str:
    if error_pct <= limit_pct:
        return to_hex(GOOD(0.0))
    return to_hex(BAD(min(1.0, 0.2 + error_pct / 25.0)))


def _labels(heat: Heat) -> list[str]:
    rows = heat.grid.rows
    marks = [TAKEN if row == heat.taken else LEVEL if row in heat.plateau else "" for row in rows]
    named = say.labels(rows, heat.knobs)
    return [f"{mark} {name}".strip() for mark, name in zip(marks, named, strict=True)]


def _draw(axes: Axes, grid: Grid, panel: Panel, labels: Sequence[str]) -> None:
    axes.set_title(panel.heading, loc="left", fontsize=SMALL_PT + 0.5, color=MUTED, pad=3)
    axes.set_xlim(0, len(grid.rates_per_s))
    axes.set_ylim(len(grid.rows), 0)
    for y, row in enumerate(grid.rows):
        for x, rate in enumerate(grid.rates_per_s):
            if (cell := grid.cells.get((row, rate))) is not None:
                where = f"{labels[y]} at {words.per_s(rate)}"
                _draw_cell(axes, x, y, cell, panel, where)
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_yticks([y + 0.5 for y in range(len(labels))], labels, color=INK, fontsize=SMALL_PT)
    axes.set_xticks(
        [x + 0.5 for x in range(len(grid.rates_per_s))],
        [words.rounded(rate) for rate in grid.rates_per_s],
        fontsize=SMALL_PT,
    )
    axes.tick_params(labelbottom=False)


def _draw_cell(axes: Axes, x: int, y: int, cell: Cell, panel: Panel, where: str) -> None:
    colour = panel.colour(cell)
    square = Rectangle((x, y), 1, 1, facecolor=colour, edgecolor=PAPER, linewidth=1.2)
    axes.add_patch(square)
    tag(square, tips=[f"{where}: {panel.told(cell)}"])
    if cell.level:
        hatched = Rectangle((x, y), 1, 1, fill=False, edgecolor=HATCH_COLOUR, linewidth=0.0)
        hatched.set_hatch(LEVEL_HATCH)
        axes.add_patch(hatched)
    axes.text(
        x + 0.5,
        y + 0.5,
        panel.text(cell),
        ha="center",
        va="center",
        fontsize=SMALL_PT,
        color=CELL_INK,
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.0},
    )


def _finding(heat: Heat) -> str:
    """How far the smallest and the best pool go, as the cells have it."""
    arm, grid = words.tidy(heat.arm, 24), heat.grid
    reach = {row: _reach(grid, row) for row in grid.rows}
    best = max(reach.values())
    if best == 0.0:
        lowest = words.rounded(min(grid.rates_per_s))
        limit = numbers.limit(heat.objective)
        return f"{arm}: no pool kept p99 within {limit}, not even at {lowest} requests/s"
    far = [row for row in grid.rows if reach[row] == best]
    near = min(grid.rows, key=lambda row: reach[row])
    far_words = f"{words.listed(say.pool(row) for row in far)} kept the objective up to"
    said = f"{arm}: {far_words} {words.rounded(best)} requests/s"
    if reach[near] == best:
        return said
    if reach[near] == 0.0:
        return f"{said}, {say.pool(near)} at no load that was tried"
    return f"{said}, {say.pool(near)} up to {words.rounded(reach[near])}"


def _reach(grid: Grid, row: Setting) -> float:
    """The highest load at which all trials together met the objective; 0 where at none."""
    levels = [rate for rate in grid.rates_per_s if (row, rate) in grid.cells]
    return max((rate for rate in levels if grid.cells[row, rate].held), default=0.0)


def _note(grid: Grid) -> str:
    blank = len(grid.rows) * len(grid.rates_per_s) - len(grid.cells)
    parts = []
    if blank:
        cells = "1 cell" if blank == 1 else f"{blank} cells"
        parts.append(
            f"Blank ({cells}): never measured; the setting had left the race, or the race did not "
            "stop at that load"
        )
    if grid.left_out:
        loads = "load" if grid.left_out == 1 else "loads"
        parts.append(f"{grid.left_out} more {loads} not shown")
    return ". ".join(parts)


def _caption(heat: Heat) -> str:
    others = [say.KNOB_NAMES[knob] for knob in sorted(heat.knobs)]
    chosen = (
        f" For each pool, that choice of {words.listed(others)} is shown that was taken, or got "
        f"furthest{say.common(heat.grid.rows, heat.knobs)}."
        if others
        else ""
    )
    return (
        "Search and finals: each row is a setting, each column an offered load; numbers are of all "
        f"trials of a cell (p99: the median of its trials{_given_up(heat.grid)}). Hatched cells "
        "are not shown to be worse than the best at their load: at that load, or the nearest below "
        "it where both share blocks enough for an interval, that of their answers in time does "
        f"not lie wholly below the best's; or there is no such load. {TAKEN} is the setting taken "
        f"to the confirmation, {LEVEL} cannot be told apart from the best in the finals.{chosen} "
        "Blank cells were never measured."
    )


def _given_up(grid: Grid) -> str:
    if not any(cell.p99 and cell.p99.beyond for cell in grid.cells.values()):
        return ""
    return f"; {BEYOND}, over: so many requests were given up at that age that it is longer"


def _table_row(heat: Heat, row: Setting, rate: float, cell: Cell) -> tuple[str, ...]:
    return (
        say.short(row, heat.knobs),
        words.per_s(rate),
        words.per_s(cell.good_per_s),
        numbers.p99_of(cell.p99),
        f"{words.rounded(cell.error_pct)}%",
        str(cell.trials),
        "yes" if cell.level else "no",
    )
