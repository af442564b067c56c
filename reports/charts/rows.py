"""A row of a forest-like chart: interval cut off at the edges, point, words beside it.

What is drawn is handed back, so that the caller can say whose it is (`tags.tag`).
"""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.text import Annotation

from reports.charts.style import INK, SMALL_PT


def draw_interval(
    axes: Axes, y: float, interval: tuple[float | None, float | None], limit: float, colour: str
) -> list[Line2D]:
    """From end to end, but no further than ±`limit`: where it goes on, or its end is not known
    (None), stands an arrow head."""
    low, high = interval
    cut = [
        -limit if low is None else min(max(low, -limit), limit),
        limit if high is None else min(max(high, -limit), limit),
    ]
    drawn = axes.plot(cut, [y, y], color=colour, linewidth=2.0, solid_capstyle="butt", zorder=2)
    for end, at, arrow in ((low, cut[0], "<"), (high, cut[1], ">")):
        if end is None or abs(end) > limit:
            drawn += axes.plot([at], [y], arrow, color=colour, clip_on=False)
    return drawn


def draw_point(
    axes: Axes, y: float, value: float, limit: float, shape: str, colours: tuple[str, str]
) -> Line2D:
    """The value, at the edge if it lies beyond ±`limit`; `colours` of the line and the face."""
    [point] = axes.plot(
        [min(max(value, -limit), limit)],
        [y],
        shape,
        color=colours[0],
        markerfacecolor=colours[1],
        markersize=6.5,
        markeredgewidth=1.4,
        zorder=3,
        clip_on=False,
    )
    return point


def draw_reading(axes: Axes, y: float, text: str) -> Annotation:
    """Words to the right of the row."""
    return axes.annotate(
        text,
        (1.0, y),
        xycoords=("axes fraction", "data"),
        xytext=(10, 0),
        textcoords="offset points",
        va="center",
        fontsize=SMALL_PT,
        color=INK,
        annotation_clip=False,
    )
