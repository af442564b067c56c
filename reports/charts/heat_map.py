"""The heat map over time: how response times were spread at each moment of a run and of a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import FixedLocator, NullLocator

from reports import words
from reports.charts.chart import Chart
from reports.charts.latency import STEPS_MS, of_what
from reports.charts.moments import (
    FEWEST_ANSWERS,
    ROWS,
    SLOW_TIMES,
    WITHIN_COLUMNS,
    Clock,
    Moments,
    clock_of,
    edges_ms,
    moments_of,
)
from reports.charts.moments_table import COLUMNS, moments_table
from reports.charts.scene import Scene
from reports.charts.style import INK, MUTED, PAPER, SMALL_PT, Mark, new_sheet
from reports.charts.tags import tag
from reports.measures import Floats, Ints
from reports.model import LATENCY, LoadFacts
from reports.symbols import named

PANEL_PT = 92.0
FOOT_PT = 26.0
WIDTHS = (2.3, 1.0)
MOST_ARMS = 6
MOST_MARKED = 8
FAINTEST = 0.16
"""The tint of a single request: even one shows."""
MOST_ROUNDS_NAMED = 6
MOST_NUMBERS = 6


@dataclass(frozen=True, slots=True)
class Panels:
    """What the panels of all arms share."""

    clock: Clock
    edges: Floats
    failed_row: bool
    """Whether any request went without an answer that counts, and a row above shows those."""
    most: tuple[int, int]
    """Requests of the fullest cell, over the run and within a trial."""


def heat_map(scene: Scene) -> Chart | None:
    """At the load that response times are judged at; None where there is none to show."""
    load = scene.judged_load
    if load is None or scene.expects_errors:
        return None
    data = scene.at(load)
    clock = clock_of(data)
    judged = data.of_request(scene.judged_request)
    known = [arm for arm in scene.arms if (data.of_arm(arm) & judged).any()]
    arms = known[:MOST_ARMS]
    if clock is None or not np.isfinite(data.response_ms[judged]).any():
        return None
    edges = edges_ms(data.response_ms[judged])
    found = {arm: moments_of(data, clock, data.of_arm(arm) & judged, edges) for arm in arms}
    shared = _shared(clock, edges, found)
    title = scene.caveats.title(
        _finding(scene.name, load, found), scene.name, [load], arms, LATENCY
    )
    note = ". ".join(filter(None, [_hidden(known), scene.caveats.note(scene.name, [load], arms)]))
    heights = [PANEL_PT] * len(arms)
    sheet = new_sheet(sum(heights) + FOOT_PT, title, note, heights=heights, widths=WIDTHS)
    for place, arm in enumerate(arms):
        left, right = sheet.axes[2 * place : 2 * place + 2]
        name = named(words.tidy(arm, 24), failed=scene.failed(load, arm, LATENCY))
        heading = f"{name}: over the run"
        _over_run(left, arm, heading, found[arm], shared, scene.marks[arm])
        _within(right, found[arm], shared, scene.marks[arm])
        for axes in (left, right) if place < len(arms) - 1 else ():
            axes.tick_params(labelbottom=False)
            axes.set_xlabel("")
    return Chart(
        name=f"heat-map-{scene.number}",
        title=title,
        caption=_caption(scene, load, shared),
        sheet=sheet,
        columns=COLUMNS,
        rows=tuple(moments_table(data, known, judged)),
    )


def _hidden(known: Sequence[str]) -> str:
    more = [words.tidy(arm, 24) for arm in known[MOST_ARMS:]]
    return f"In the table only: {words.listed(more)}" if more else ""


def _shared(clock: Clock, edges: Floats, found: Mapping[str, Moments]) -> Panels:
    return Panels(
        clock,
        edges,
        failed_row=any(each.over_run[ROWS].any() for each in found.values()),
        most=(
            max(int(each.over_run.max()) for each in found.values()),
            max(int(each.within.max()) for each in found.values()),
        ),
    )


def _over_run(
    axes: Axes, arm: str, heading: str, moments: Moments, shared: Panels, mark: Mark
) -> None:
    clock = shared.clock
    _picture(axes, moments.over_run, shared, shared.most[0], mark)
    axes.set_title(heading, loc="left", fontsize=8.5, color=MUTED, pad=11)
    _ms_rows(axes, shared)
    starts = clock.round_starts()
    for left, _ in starts[1:]:
        axes.axvline(left, color=MUTED, linewidth=0.6, alpha=0.6)
    every = int(np.ceil(len(starts) / MOST_ROUNDS_NAMED))
    named = starts[::every]
    axes.set_xticks(
        [left for left, _ in named], [f"round {number + 1}" for _, number in named], ha="left"
    )
    axes.set_xlabel("trials in the order of time")
    marked = moments.slow[:MOST_MARKED]
    if marked:
        [points] = axes.plot(
            [each.column + 0.5 for each in marked],
            [_top(shared)] * len(marked),
            linestyle="none",
            marker="v",
            markersize=4.5,
            color=INK,
            markeredgecolor=PAPER,
            markeredgewidth=0.5,
            clip_on=False,
        )
        tag(
            points,
            mark.arm,
            [
                f"{words.tidy(arm)}: block {each.block}, half took {words.ms(each.median_ms)} or "
                f"more (usually {words.ms(each.usual_ms)})"
                for each in marked
            ],
        )


def _within(axes: Axes, moments: Moments, shared: Panels, mark: Mark) -> None:
    _picture(axes, moments.within, shared, shared.most[1], mark)
    axes.set_title("within a trial", loc="left", fontsize=8.5, color=MUTED, pad=11)
    _ms_rows(axes, shared)
    axes.tick_params(labelleft=False)
    lead_in = shared.clock.lead_in * WITHIN_COLUMNS
    axes.axvline(lead_in, color=INK, linewidth=1.0, linestyle=(0.0, (2.0, 2.0)))
    length_s = shared.clock.length_s
    ends_ms = [1000.0 * shared.clock.lead_in * length_s, 1000.0 * length_s]
    axes.set_xticks([lead_in, WITHIN_COLUMNS], [_plain_ms(each) for each in ends_ms])
    axes.set_xlabel("since it began (ms)")


def _plain_ms(value_ms: float) -> str:
    return f"{value_ms:,.0f}"


def _top(shared: Panels) -> float:
    return ROWS + (2.0 if shared.failed_row else 0.0) + 0.9


def _picture(axes: Axes, counts: Ints, shared: Panels, most: int, mark: Mark) -> None:
    """The counts as tints of the arm's colour, one picture of as many dots as there are cells."""
    tints = np.log1p(counts) / np.log1p(most)
    rgba = np.zeros((*counts.shape, 4))
    rgba[..., :3] = to_rgb(mark.colour)
    rgba[..., 3] = np.where(counts > 0, FAINTEST + (1.0 - FAINTEST) * tints, 0.0)
    columns = counts.shape[1]
    if shared.failed_row:  # apart from the slowest: a blank row in between
        rgba = np.concatenate([rgba[:ROWS], np.zeros((1, columns, 4)), rgba[ROWS:]])
    else:
        rgba = rgba[:ROWS]
    image = axes.imshow(
        (255.0 * rgba).astype(np.uint8),  # as it is drawn: nothing to convert in another process
        extent=(0.0, columns, 0.0, len(rgba)),
        origin="lower",
        aspect="auto",
        interpolation="none",
        zorder=1.5,
    )
    tag(image, mark.arm)
    axes.set_xlim(0, columns)
    axes.set_ylim(0, len(rgba))
    axes.spines["left"].set_visible(False)


def _ms_rows(axes: Axes, shared: Panels) -> None:
    """Numbers beside the rows, at most MOST_NUMBERS, and grid lines behind the cells."""
    low, high = np.log(shared.edges[0]), np.log(shared.edges[-1])
    inside = [step for step in STEPS_MS if low <= np.log(step) <= high]
    if len(inside) > MOST_NUMBERS:
        inside = [step for step in inside if f"{step:e}".startswith("1")]
    inside = inside[:: -(-len(inside) // MOST_NUMBERS) or 1]
    at = [float(ROWS * (np.log(step) - low) / (high - low)) for step in inside]
    labels = [f"{step:,g}" for step in inside]
    if shared.failed_row:
        at, labels = [*at, ROWS + 1.5], [*labels, "failed"]
    axes.yaxis.set_major_locator(FixedLocator(at))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_yticklabels(labels, fontsize=SMALL_PT)
    axes.grid(visible=True, axis="y")


def _finding(scenario: str, load: LoadFacts, found: Mapping[str, Moments]) -> str:
    """How often each arm was much slower than usual for a moment."""
    start = f"{words.tidy(scenario, 40)}, {words.load_phrase(load)}"
    if not any(each.measured for each in found.values()):
        return f"{start}: too few answers at any moment to tell a slow one"
    if not any(each.slow for each in found.values()):
        return f"{start}: no moment took over {SLOW_TIMES:g} times as long as usual"
    parts = [
        f"{words.count(len(each.slow)) if each.slow else 'none'} of {words.tidy(arm, 24)}'s "
        f"{words.count(each.measured)} moments"
        for arm, each in found.items()
    ]
    return f"{start}: {words.listed(parts)} took over {SLOW_TIMES:g} times as long as usual"


def _caption(scene: Scene, load: LoadFacts, shared: Panels) -> str:
    clock = shared.clock
    moment = (
        f"a moment is {words.ms(1000.0 * clock.length_s / clock.per_block)} of a trial"
        if clock.per_block >= 1
        else f"a moment is {round(1 / clock.per_block)} trials"
    )
    failed = " The row above is of requests that failed." if shared.failed_row else ""
    return (
        f"Every request {of_what(scene)}by when it was due (from left to right) and its response "
        f"time in ms (from below to above, logarithmic), {words.load_phrase(load)}. The stronger "
        f"the tint, the more requests, up to {words.count(shared.most[0])} in a cell on the left "
        f"and {words.count(shared.most[1])} on the right; tints are logarithmic, so that even one "
        f"shows. Left: the arm's own trials put end to end, {moment}; arms take turns, so that it "
        "is chance whose trial a stall of the machine falls into. ▼ marks the slowest moments, "
        f"{MOST_MARKED} at most, whose median is over {SLOW_TIMES:g} times the usual (at least "
        f"{FEWEST_ANSWERS} answers). Right: all trials on top of one another. "
        "Lead-ins are drawn (right: before the dashes), but neither make a moment slow nor count "
        f"anywhere else.{failed}"
    )
