"""Bars that are made of parts: where a request's time goes, told by colour and hatching."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from reports import words
from reports.charts.style import INK, PAPER, SMALL_PT
from reports.charts.tags import tag

ROOM_FOR_A_NUMBER = 0.11
"""Of the widest bar: a part at least so wide has its number inside."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a response time and how its bar is told from the others."""

    key: str
    label: str
    colour: str
    hatch: str


PARTS = (
    Part("thread", "waiting for a thread", "#E69F00", "//"),
    Part("pool", "waiting for a connection", "#CC79A7", "||"),
    Part("db", "in the database", "#56B4E9", ""),
    Part("own", "the app's own work", "#009E73", "\\\\"),
    Part("outside", "before and after the app", "#9aa4ae", "xx"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """Whose a bar is, and how its parts are said: `sync, 16 users: in the database 1.2 ms`."""

    arm: int | None
    whose: str
    size: Callable[[float], str]


def draw_parts(
    axes: Axes,
    y: float,
    sizes: Mapping[str, float],
    parts: Sequence[Part],
    widest: float,
    total: str,
    told: Told,
) -> None:
    """One bar of `parts` with its total at the end; numbers stand where they have room."""
    left = 0.0
    for part in parts:
        width = sizes[part.key]
        piece = _draw_part(axes, y, left, width, part)
        tag(piece, told.arm, [f"{told.whose}: {part.label} {told.size(width)}"])
        if width > ROOM_FOR_A_NUMBER * widest:
            tag(_number_in(axes, left + width / 2, y, width, part), told.arm)
        left += width
    whole = axes.annotate(
        total,
        (left, y),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL_PT,
        color=INK,
        annotation_clip=False,
    )
    tag(whole, told.arm)


def _draw_part(axes: Axes, y: float, left: float, width: float, part: Part) -> Rectangle:
    piece: Rectangle = axes.barh(
        y,
        width,
        left=left,
        height=0.68,
        color=part.colour,
        hatch=part.hatch,
        edgecolor=PAPER,
        linewidth=0.6,
    )[0]
    return piece


def _number_in(axes: Axes, x: float, y: float, size: float, part: Part) -> Text:
    """A part's size in its middle, on a ground of its own so that no hatch runs through it."""
    return axes.text(
        x,
        y,
        words.rounded(size),
        ha="center",
        va="center",
        fontsize=SMALL_PT,
        color="#000000",
        bbox={"facecolor": part.colour, "edgecolor": "none", "pad": 1.5},
    )


def parts_legend(axes: Axes, parts: Sequence[Part]) -> None:
    """What the colours and hatches mean, above the axes."""
    for part in parts:
        axes.barh(0, 0, color=part.colour, hatch=part.hatch, edgecolor=PAPER, label=part.label)
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=2,
        frameon=False,
        fontsize=SMALL_PT,
        handlelength=1.6,
        columnspacing=1.4,
        borderaxespad=0.2,
        labelcolor=INK,
    )
