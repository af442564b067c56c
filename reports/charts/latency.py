"""The latency distribution of each scenario, as a percentile spectrum that shows the tail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from reports import words
from reports.charts.chart import Chart
from reports.charts.scene import Scene
from reports.charts.style import INK, PAPER, SMALL_PT, Mark, new_sheet, quiet
from reports.charts.tags import tag
from reports.model import LATENCY, PRIMARY_LATENCY, LoadFacts
from reports.percentiles import FEWEST_BEYOND, Floats, exact_percentile
from reports.symbols import named

BODY_PT = 215.0
MOST_POINTS = 160
"""A curve has this many points at most, however many samples there are."""
POINTS_OF_AN_INSTANCE = 15
MOST_INSTANCES = 24
SHORTEST_MS = 0.001
"""Logarithmic axes know no shorter time; nor does any network."""
FIRST_BEYOND = 0.98
"""Curves begin where this share is slower: the very fastest say nothing."""
READ_AT = (50.0, 90.0, 95.0, 99.0, 99.9, 99.99)


def response_times(scene: Scene) -> dict[str, pd.DataFrame]:
    """Per arm the steady response times of the request the scenario is about, at its judged load.

    Columns `instance` and `response_ms`, in order of size, as every percentile counts them. Empty
    where errors are expected: they would be those of the requests that survived.
    """
    load = scene.judged_load
    if load is None or scene.expects_errors:
        return {}
    data = scene.at(load)
    chosen = data.steady & data.of_request(scene.judged_request) & np.isfinite(data.response_ms)
    frame = pd.DataFrame(
        {
            "arm": data.trials["arm"].to_numpy()[data.row[chosen]],
            "instance": data.trials["instance"].to_numpy()[data.row[chosen]],
            "response_ms": np.maximum(data.response_ms[chosen], SHORTEST_MS),
        }
    ).sort_values("response_ms")
    return {arm: part for arm in scene.arms if len(part := frame[frame["arm"] == arm])}


def spectrum(sorted_ms: Floats, points: int) -> tuple[Floats, Floats]:
    """At most `points` percentiles, evenly spaced on the 1/(1−p) axis, and their values in ms.

    Ends where fewer than FEWEST_BEYOND samples stand beyond.
    """
    last = 1.0 - FEWEST_BEYOND / len(sorted_ms)
    if 1.0 - last >= FIRST_BEYOND:
        return np.empty(0), np.empty(0)
    share = 1.0 - np.logspace(np.log10(FIRST_BEYOND), np.log10(1.0 - last), points)
    return share, np.quantile(sorted_ms, share, method="inverted_cdf")


def latency_chart(scene: Scene, times: Mapping[str, pd.DataFrame]) -> Chart | None:
    """At the load that response times are judged at; `times` as `response_times` gives them."""
    load = scene.judged_load
    if load is None or not times:
        return None
    values = {arm: frame["response_ms"].to_numpy() for arm, frame in times.items()}
    finding = _finding(scene, load, values)
    title = scene.caveats.title(finding, scene.name, [load], list(times), LATENCY)
    sheet = new_sheet(BODY_PT, title, scene.caveats.note(scene.name, [load], list(times)))
    [axes] = sheet.axes
    for arm, frame in times.items():
        _draw_instances(axes, arm, frame, scene.marks[arm])
    for arm in times:
        hollow = scene.failed(load, arm, LATENCY)
        _draw_arm(axes, arm, values[arm], scene.marks[arm], hollow=hollow)
    _finish(axes, values)
    return Chart(
        name=f"latency-{scene.number}",
        title=title,
        caption=_caption(scene, load),
        sheet=sheet,
        columns=("Share of answers within", *(words.tidy(arm) for arm in times)),
        rows=tuple(_table(values)),
    )


def _finding(scene: Scene, load: LoadFacts, values: Mapping[str, Floats]) -> str:
    """The p95 of each arm, with what its comparison says."""
    start, where = words.tidy(scene.name, 40), words.load_phrase(load)
    found = {arm: _percentile(times, 95.0) for arm, times in values.items()}
    known = {arm: value_ms for arm, value_ms in found.items() if value_ms is not None}
    if not known:
        return f"{start}: too few answers for a percentile, {where}"
    parts = [f"{words.ms(each)} from {words.tidy(arm, 24)}" for arm, each in known.items()]
    asked = (scene.name, load.load, PRIMARY_LATENCY, scene.judged_request)
    told = f"{start}: 95 of 100 answers came within {words.listed(parts)}, {where}"
    return told + scene.caveats.apart(asked, list(known))


def of_what(scene: Scene) -> str:
    """The request whose response times are drawn, for a caption: `of “get” `."""
    judged = scene.judged_request
    return f"of “{words.tidy(judged)}” " if judged else ""


def _caption(scene: Scene, load: LoadFacts) -> str:
    return (
        f"Response time {of_what(scene)}from the planned send to the last byte, in ms, "
        f"{words.load_phrase(load)}. The horizontal axis stretches the tail, where the rare slow "
        "answers are. Strong lines are all instances together, faint lines single instances (of "
        f"each arm, the first {MOST_INSTANCES}). Lines end where fewer than "
        f"{FEWEST_BEYOND} answers are slower."
    )


def _percentile(sorted_ms: Floats, percentile: float) -> float | None:
    return exact_percentile(sorted_ms, percentile / 100.0)


def _table(values: Mapping[str, Floats]) -> list[tuple[str, ...]]:
    rows = []
    for percentile in READ_AT:
        found = [_percentile(times, percentile) for times in values.values()]
        if any(each is not None for each in found):
            rows.append((f"{percentile:g}%", *(words.ms(each) for each in found)))
    counts = tuple(words.count(len(times)) for times in values.values())
    return [*rows, ("answers counted", *counts)]


def by_instance(frame: pd.DataFrame) -> Iterator[tuple[int, Floats]]:
    """The first MOST_INSTANCES instances with their response times in order of size."""
    for instance in np.unique(frame["instance"].to_numpy())[:MOST_INSTANCES]:
        yield int(instance), frame.loc[frame["instance"] == instance, "response_ms"].to_numpy()


def _draw_instances(axes: Axes, arm: str, frame: pd.DataFrame, mark: Mark) -> None:
    for instance, own in by_instance(frame):
        share, value_ms = spectrum(own, POINTS_OF_AN_INSTANCE)
        if len(share):
            [line] = axes.plot(
                1 / (1 - share), value_ms, color=mark.colour, linestyle=mark.dash, linewidth=0.6,
                alpha=0.35,
            )  # fmt: skip
            tag(line, mark.arm, [f"{words.tidy(arm)}: instance {instance + 1}"])


def _draw_arm(axes: Axes, arm: str, values: Floats, mark: Mark, *, hollow: bool) -> None:
    share, value_ms = spectrum(values, MOST_POINTS)
    if not len(share):
        return
    [line] = axes.plot(
        1 / (1 - share),
        value_ms,
        color=mark.colour,
        linestyle=mark.dash,
        linewidth=2.0,
        label=named(words.tidy(arm, 24), failed=hollow),
    )
    tag(line, mark.arm)
    read_at = [each for each in READ_AT if (_percentile(values, each)) is not None]
    [points] = axes.plot(
        [100 / (100 - each) for each in read_at],
        [_percentile(values, each) or 0.0 for each in read_at],
        linestyle="none",
        marker=mark.marker,
        color=mark.colour,
        markersize=5,
        markerfacecolor=PAPER if hollow else mark.colour,
        markeredgecolor=mark.colour if hollow else PAPER,
        markeredgewidth=0.8,
    )
    tag(points, mark.arm, [f"{words.tidy(arm)}: {row}" for row in _read(values, read_at)])


def _read(values: Floats, read_at: Sequence[float]) -> list[str]:
    return [f"{each:g}% within {words.ms(_percentile(values, each))}" for each in read_at]


def _finish(axes: Axes, values: Mapping[str, Floats]) -> None:
    quiet(axes, "y")
    furthest = max(len(times) / FEWEST_BEYOND for times in values.values())
    percentile_axis(axes, max(furthest, 10.0) * 1.05)
    axes.set_yscale("log")
    ms_axis(axes)
    axes.set_xlabel("share of answers at least this fast")
    axes.set_ylabel("response time (ms)")
    legend(axes)


def percentile_axis(axes: Axes, furthest: float) -> None:
    """A horizontal axis of 1/(1−p) from 1 to `furthest`, on which each nine takes the same room."""
    axes.set_xscale("log")
    axes.set_xlim(1.0, furthest)
    shown = [each for each in READ_AT if 100 / (100 - each) <= furthest]
    axes.xaxis.set_major_locator(FixedLocator([1.0, *(100 / (100 - each) for each in shown)]))
    axes.xaxis.set_major_formatter(_percentile_tick)
    axes.xaxis.set_minor_locator(NullLocator())


def _percentile_tick(x: float, _position: float | None) -> str:
    return f"{100 - 100 / x:.5g}%"


STEPS_MS = tuple(float(f"{m}e{k}") for k in range(-3, 8) for m in (1, 2, 5))
"""Where an axis of milliseconds has its numbers, as far as they fall within it."""


def ms_axis(axes: Axes) -> None:
    """A logarithmic axis of milliseconds with plain numbers at 1, 2, 5, 10 …"""
    low, high = axes.get_ylim()
    inside = [step for step in STEPS_MS if low <= step <= high]
    axes.yaxis.set_major_locator(FixedLocator(inside if len(inside) > 1 else [low, *inside, high]))
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(low, high)


def legend(axes: Axes) -> None:
    """Arm names above the axes, where no curve runs."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=2,
            frameon=False,
            handlelength=2.6,
            borderaxespad=0.2,
            fontsize=SMALL_PT + 0.5,
            labelcolor=INK,
        )
