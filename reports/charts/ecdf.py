"""Which share of answers came within which time: the empirical distribution, on a log axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from reports import words
from reports.charts.chart import Chart
from reports.charts.latency import MOST_INSTANCES, STEPS_MS, by_instance, legend, of_what
from reports.charts.scene import Scene
from reports.charts.style import PAPER, Mark, new_sheet, quiet
from reports.charts.tags import tag
from reports.model import LATENCY, LoadFacts
from reports.percentiles import FEWEST_BEYOND, Floats
from reports.symbols import named

BODY_PT = 205.0
MOST_POINTS = 100
"""A curve has this many points at most, however many samples there are."""
POINTS_OF_AN_INSTANCE = 12
FEWEST_ANSWERS = 2 * FEWEST_BEYOND
JUDGED_BY = "response_ms.p50"
"""The comparison that speaks of shares at a time near the median, as the title has them."""
MOST_STEPS = 9
"""So many milliseconds are read off at most: beyond, every other decade's 2 and 5 are left out."""


def ecdf_chart(scene: Scene, times: Mapping[str, pd.DataFrame]) -> Chart | None:
    """At the load that response times are judged at; None without an arm of FEWEST_ANSWERS.

    `times` as `latency.response_times` gives them.
    """
    load = scene.judged_load
    values = {arm: frame["response_ms"].to_numpy() for arm, frame in times.items()}
    drawn = {arm: each for arm, each in values.items() if len(each) >= FEWEST_ANSWERS}
    if load is None or not drawn:
        return None
    steps = steps_of(list(drawn.values()))
    asked = (scene.name, load.load, JUDGED_BY, scene.judged_request)
    finding = _finding(scene.name, load, drawn, steps) + scene.caveats.apart(asked, list(drawn))
    title = scene.caveats.title(finding, scene.name, [load], list(drawn), LATENCY)
    sheet = new_sheet(BODY_PT, title, scene.caveats.note(scene.name, [load], list(drawn)))
    [axes] = sheet.axes
    for arm in drawn:
        _draw_instances(axes, times[arm], scene.marks[arm])
    for arm, own in drawn.items():
        hollow = scene.failed(load, arm, LATENCY)
        _draw_arm(axes, arm, own, steps, scene.marks[arm], hollow=hollow)
    _finish(axes, drawn, steps)
    return Chart(
        name=f"ecdf-{scene.number}",
        title=title,
        caption=_caption(scene, load),
        sheet=sheet,
        columns=("Answered within", *(words.tidy(arm) for arm in drawn)),
        rows=tuple(
            (words.ms(step), *(words.share(within(own, step)) for own in drawn.values()))
            for step in steps
        ),
    )


def distribution(sorted_ms: Floats, points: int) -> tuple[Floats, Floats]:
    """At most `points` values in ms, and the share of answers that came within each.

    The shares are evenly spaced and end where fewer than FEWEST_BEYOND samples stand beyond; none
    for fewer than FEWEST_ANSWERS.
    """
    if len(sorted_ms) < FEWEST_ANSWERS:
        return np.empty(0), np.empty(0)
    last = 1.0 - FEWEST_BEYOND / len(sorted_ms)
    share = np.linspace(1.0 / len(sorted_ms), last, points)
    return np.quantile(sorted_ms, share, method="inverted_cdf"), share


def within(sorted_ms: Floats, limit_ms: float) -> float:
    """The share of answers that came within `limit_ms`."""
    return float(np.searchsorted(sorted_ms, limit_ms, side="right") / len(sorted_ms))


def steps_of(values: Sequence[Floats]) -> list[float]:
    """The round milliseconds at which the curves are read off: where any arm is between 0.5% and
    the end of its curve; at least one."""
    ends = [1.0 - FEWEST_BEYOND / len(each) for each in values]
    inside = [
        step
        for step in STEPS_MS
        if any(0.005 <= within(each, step) <= end for each, end in zip(values, ends, strict=True))
    ]
    if len(inside) > MOST_STEPS:
        inside = [step for step in inside if f"{step:e}".startswith("1")]
    return inside or [_nearest(STEPS_MS, float(np.median(values[0])))]


def _nearest(steps: Sequence[float], value_ms: float) -> float:
    return min(steps, key=lambda step: abs(np.log(step / max(value_ms, STEPS_MS[0]))))


def _finding(
    scenario: str, load: LoadFacts, values: Mapping[str, Floats], steps: Sequence[float]
) -> str:
    """The shares at the step nearest to the first arm's median."""
    step = _nearest(steps, float(np.median(next(iter(values.values())))))
    (arm, own), *others = values.items()
    parts = [
        f"{words.share(within(own, step))} of {words.tidy(arm, 24)}'s answers",
        *(f"{words.share(within(own, step))} of {words.tidy(arm, 24)}'s" for arm, own in others),
    ]
    return (
        f"{words.tidy(scenario, 40)}: {words.listed(parts)} came within {words.ms(step)}, "
        f"{words.load_phrase(load)}"
    )


def _caption(scene: Scene, load: LoadFacts) -> str:
    return (
        f"The share of answers {of_what(scene)}that came within a time, from the planned send to "
        f"the last byte, in ms on a logarithmic axis, {words.load_phrase(load)}. A line further "
        "left is faster. Strong lines are all instances together, faint lines single instances (of "
        f"each arm, the first {MOST_INSTANCES}). "
        "A timeout counts as at least the timeout, other errors are not in here. Lines end where "
        f"fewer than {FEWEST_BEYOND} answers are slower."
    )


def _draw_instances(axes: Axes, frame: pd.DataFrame, mark: Mark) -> None:
    for _, own in by_instance(frame):
        value_ms, share = distribution(own, POINTS_OF_AN_INSTANCE)
        if len(share):
            [line] = axes.plot(
                value_ms, 100 * share, color=mark.colour, linestyle=mark.dash, linewidth=0.6,
                alpha=0.35,
            )  # fmt: skip
            tag(line, mark.arm)


def _draw_arm(
    axes: Axes, arm: str, values: Floats, steps: Sequence[float], mark: Mark, *, hollow: bool
) -> None:
    value_ms, share = distribution(values, MOST_POINTS)
    [line] = axes.plot(
        value_ms,
        100 * share,
        color=mark.colour,
        linestyle=mark.dash,
        linewidth=2.0,
        label=named(words.tidy(arm, 24), failed=hollow),
    )
    tag(line, mark.arm)
    read = [(step, within(values, step)) for step in steps]
    read = [(step, part) for step, part in read if share[0] <= part <= share[-1]]
    if not read:
        return
    [points] = axes.plot(
        [step for step, _ in read],
        [100 * part for _, part in read],
        linestyle="none",
        marker=mark.marker,
        color=mark.colour,
        markersize=5,
        markerfacecolor=PAPER if hollow else mark.colour,
        markeredgecolor=mark.colour if hollow else PAPER,
        markeredgewidth=0.8,
    )
    tips = [f"{words.tidy(arm)}: {words.share(part)} within {words.ms(at)}" for at, part in read]
    tag(points, mark.arm, tips)


def _finish(axes: Axes, values: Mapping[str, Floats], steps: Sequence[float]) -> None:
    quiet(axes, "y")
    axes.set_xscale("log")
    curves = [distribution(own, MOST_POINTS)[0] for own in values.values()]
    low = min(float(each[0]) for each in curves)
    high = max(float(each[-1]) for each in curves)
    low = max(low, STEPS_MS[0])
    axes.set_xlim(min(low, steps[0]) * 0.93, max(high, steps[-1]) * 1.08)
    axes.xaxis.set_major_locator(FixedLocator(list(steps)))
    axes.xaxis.set_major_formatter("{x:,g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, 102)
    axes.set_yticks([0, 25, 50, 75, 100])
    axes.yaxis.set_major_formatter("{x:g}%")
    axes.set_xlabel("response time (ms)")
    axes.set_ylabel("share of answers")
    legend(axes)
