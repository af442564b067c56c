"""How every chart looks: sizes in points, colours for light and dark, marks of arms."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.words import MINUS, tidy

POINTS_PER_INCH = 72
WIDTH_PT = 370.0
"""As wide as a telephone shows it at about full size; wider screens magnify it."""
TITLE_PT = 9.5
MARGIN_PT = 6.0
TITLE_LINE_PT = 14.0
TITLE_PAD_PT = 8.0
NOTE_LINE_PT = 11.0
TITLE_CHARACTERS = 56
NOTE_CHARACTERS = 80
ROUND_STEPS = (1, 2, 2.5, 5, 10)
TEXT_SLACK = 0.985
"""Words come out a little wider in print and in browsers than the layout reckons, so that this
much is left free on both sides."""
TITLE_GID = "chart-title"

INK = "#1b1f24"
MUTED = "#5a6370"
FAINT = "#d3d8de"
BAND = "#e9edf1"
PAPER = "#ffffff"
"""The neutral colours; in the page they follow its light or dark scheme (`inline_svg`)."""

FONT_PT = 8.5
SMALL_PT = 7.5
RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": FONT_PT,
    "text.color": INK,
    "text.parse_math": False,  # a scenario may be called "$x$"
    "axes.edgecolor": MUTED,
    "axes.labelcolor": MUTED,
    "axes.labelsize": FONT_PT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.formatter.use_mathtext": False,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelsize": FONT_PT,
    "ytick.labelsize": FONT_PT,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.minor.size": 0,
    "ytick.minor.size": 0,
    "figure.facecolor": PAPER,
    "axes.facecolor": "none",
    "savefig.facecolor": PAPER,
    "svg.fonttype": "none",
    "path.simplify": False,
    "hatch.linewidth": 0.7,
    "image.composite_image": False,  # a picture stays one of its own, cell by cell
}


@dataclass(frozen=True, slots=True)
class Mark:
    """How an arm is drawn: never by colour alone."""

    colour: str
    marker: str
    dash: str | tuple[float, tuple[float, ...]]
    arm: int | None = None
    """The arm's place among the run's arms (the baseline is 0); None for what is no arm."""


MARKS = (
    Mark("#0072B2", "o", "solid"),
    Mark("#D55E00", "s", (0.0, (5.0, 2.0))),
    Mark("#009E73", "^", (0.0, (1.5, 1.5))),
    Mark("#CC79A7", "D", (0.0, (6.0, 2.0, 1.5, 2.0))),
    Mark("#56B4E9", "v", (0.0, (3.0, 1.0))),
    Mark("#E69F00", "P", (0.0, (8.0, 2.0))),
)
"""Okabe and Ito's colours, in the order of the arms (the baseline is blue)."""


def marks_of(arms: Sequence[str]) -> dict[str, Mark]:
    """Every arm's mark, the baseline first; they repeat beyond six arms."""
    return {arm: replace(MARKS[index % len(MARKS)], arm=index) for index, arm in enumerate(arms)}


@dataclass(frozen=True, slots=True)
class Sheet:
    """An empty chart: a title strip of `strip_pt` points, the axes, and a note below."""

    figure: Figure
    axes: list[Axes]
    strip_pt: float


def new_sheet(
    body_pt: float,
    title: str,
    note: str = "",
    *,
    heights: Sequence[float] = (1.0,),
    widths: Sequence[float] = (1.0,),
) -> Sheet:
    """A sheet whose axes share `body_pt` points from top to bottom by `heights`, and its width by
    `widths`; they are listed row by row.

    The layout makes room for labels by itself.
    """
    title_lines = textwrap.wrap(tidy(title), TITLE_CHARACTERS)
    note_lines = textwrap.wrap(tidy(note), NOTE_CHARACTERS)
    strip_pt = TITLE_PAD_PT + TITLE_LINE_PT * len(title_lines)
    foot_pt = NOTE_LINE_PT * len(note_lines) + (MARGIN_PT if note_lines else 0.0)
    height_pt = strip_pt + body_pt + foot_pt
    figure = Figure(figsize=(WIDTH_PT / POINTS_PER_INCH, height_pt / POINTS_PER_INCH))
    pad = MARGIN_PT / POINTS_PER_INCH
    left = 1.0 - TEXT_SLACK
    rect = (left, foot_pt / height_pt, TEXT_SLACK - left, body_pt / height_pt)
    figure.set_layout_engine("constrained", rect=rect, w_pad=pad, h_pad=pad)
    _write(
        figure, title_lines, 1 - MARGIN_PT / height_pt, "top", {"weight": "bold", "gid": TITLE_GID}
    )
    _write(figure, note_lines, MARGIN_PT / height_pt, "bottom", {"size": SMALL_PT, "color": MUTED})
    grid = figure.subplots(
        len(heights),
        len(widths),
        squeeze=False,
        gridspec_kw={"height_ratios": list(heights), "width_ratios": list(widths)},
    )
    return Sheet(figure, list(grid.flat), strip_pt)


def _write(figure: Figure, lines: list[str], y: float, align: str, how: dict[str, Any]) -> None:
    if lines:
        style = {"size": TITLE_PT, "va": align, "linespacing": 1.25, **how}
        figure.text(MARGIN_PT / WIDTH_PT, y, "\n".join(lines), **style)


def quiet(axes: Axes, grid: Literal["x", "y"]) -> None:
    """Only what carries a reading: grid lines across the values, no frame, no ticks."""
    axes.grid(visible=True, axis=grid)
    axes.spines["left"].set_visible(False)


def signed_tick(value: float, _position: float | None) -> str:
    """A change at an axis: `+20`, `0`, `−20`."""
    if value == 0:
        return "0"
    return f"{'+' if value > 0 else MINUS}{abs(value):g}"
