"""Capacity of each arm with every block and every instance to be seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from reports import words
from reports.charts.chart import Chart
from reports.charts.scene import Scene
from reports.charts.style import INK, PAPER, ROUND_STEPS, SMALL_PT, Mark, new_sheet, quiet
from reports.charts.tags import tag
from reports.measures import LoadData
from reports.model import CAPACITY, LoadFacts
from reports.symbols import named

ARM_PT = 62.0
PANEL_PT = 44.0
MOST_VECTORS = 300
"""With more blocks than this their points become one picture inside the SVG."""


def capacity_chart(scene: Scene) -> Chart | None:
    """At the scenario's first closed load; None where it has none, or nothing finished."""
    load = next((each for each in scene.summary.loads if each.model == "closed"), None)
    if load is None:
        return None
    blocks = completions(scene.at(load))
    arms = [arm for arm in scene.arms if (blocks["arm"] == arm).any()]
    if not arms:
        return None
    title = scene.caveats.title(
        _finding(scene.name, load, blocks, arms)
        + scene.caveats.apart((scene.name, load.load, CAPACITY, None), arms),
        scene.name,
        [load],
        arms,
        CAPACITY,
    )
    note = scene.caveats.note(scene.name, [load], arms)
    sheet = new_sheet(PANEL_PT + ARM_PT * len(arms), title, note)
    [axes] = sheet.axes
    for y, arm in enumerate(arms):
        hollow = scene.failed(load, arm, CAPACITY)
        _draw_arm(axes, y, arm, blocks[blocks["arm"] == arm], scene.marks[arm], hollow=hollow)
    labels = [named(words.tidy(arm, 24), failed=scene.failed(load, arm, CAPACITY)) for arm in arms]
    _finish(axes, labels, load)
    return Chart(
        name=f"capacity-{scene.number}",
        title=title,
        caption=(
            f"Good answers per second {words.load_phrase(load)}. Each row of points is one "
            "instance: small points are its blocks, the large one their mean; the upright line is "
            "the mean of the arm. The machine's ups and downs, which all arms of a block share, "
            "are still in here; the comparison takes them out. The axis does not begin at zero."
        ),
        sheet=sheet,
        columns=("Arm", "Mean", "Slowest instance", "Fastest instance", "Instances", "Blocks"),
        rows=tuple(_table_row(arm, blocks[blocks["arm"] == arm]) for arm in arms),
    )


def completions(data: LoadData) -> pd.DataFrame:
    """Per finished trial `arm`, `instance`, `block` and `per_s`: good answers inside the steady
    window per second of it; without those whose window is not known."""
    blocks = data.trials[["arm", "instance", "block"]].assign(per_s=data.good_per_s())
    known: pd.DataFrame = blocks[np.isfinite(blocks["per_s"])]
    return known


def _finish(axes: Axes, labels: list[str], load: LoadFacts) -> None:
    quiet(axes, "x")
    axes.set_ylim(len(labels) - 0.45, -0.55)
    axes.set_yticks(range(len(labels)), labels, color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(7, steps=ROUND_STEPS))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel(f"good answers per second, {words.load_phrase(load)}")


def _finding(scenario: str, load: LoadFacts, blocks: pd.DataFrame, arms: list[str]) -> str:
    parts = []
    for arm in arms:
        mean = float(blocks.loc[blocks["arm"] == arm, "per_s"].mean())
        parts.append(f"{words.tidy(arm, 24)} answers {words.rounded(mean)} requests/s")
    return f"{words.tidy(scenario, 40)}: {words.load_phrase(load)}, {words.listed(parts)}"


def _draw_arm(
    axes: Axes, y: int, arm: str, blocks: pd.DataFrame, mark: Mark, *, hollow: bool
) -> None:
    """Small points are blocks, large ones instances, the upright line is their mean."""
    instances = sorted(set(blocks["instance"]))
    offsets = np.linspace(-0.33, 0.33, len(instances)) if len(instances) > 1 else np.zeros(1)
    places = dict(zip(instances, y + offsets, strict=True))
    [points] = axes.plot(
        blocks["per_s"],
        blocks["instance"].map(places),
        linestyle="none",
        marker="o",
        markersize=2.6,
        color=mark.colour,
        alpha=0.45,
        markeredgewidth=0,
        rasterized=len(blocks) > MOST_VECTORS,
    )
    tag(points, mark.arm)
    name = words.tidy(arm)
    _draw_instances(axes, places, name, blocks, mark, hollow=hollow)
    _draw_mean(axes, y, name, float(blocks["per_s"].mean()), mark)


def _draw_instances(
    axes: Axes,
    places: Mapping[int, float],
    name: str,
    blocks: pd.DataFrame,
    mark: Mark,
    *,
    hollow: bool,
) -> None:
    means = blocks.groupby("instance")["per_s"].mean()
    [large] = axes.plot(
        means.to_numpy(),
        [places[each] for each in means.index],
        linestyle="none",
        marker=mark.marker,
        markersize=5.5,
        color=mark.colour,
        markerfacecolor=PAPER if hollow else mark.colour,
        markeredgecolor=mark.colour if hollow else PAPER,
        markeredgewidth=0.9,
    )
    tips = [
        f"{name}, instance {int(each) + 1}: {words.per_s(float(own))}"
        for each, own in zip(means.index.to_numpy(), means.to_numpy(), strict=True)
    ]
    tag(large, mark.arm, tips)


def _draw_mean(axes: Axes, y: int, name: str, mean: float, mark: Mark) -> None:
    [upright] = axes.plot([mean, mean], [y - 0.37, y + 0.37], color=mark.colour, linewidth=1.6)
    tag(upright, mark.arm, [f"{name}: {words.per_s(mean)} on average"])
    number = axes.annotate(
        words.rounded(mean),
        (mean, y - 0.37),
        xytext=(0, 1.5),
        ha="center",
        va="bottom",
        textcoords="offset points",
        fontsize=SMALL_PT,
        color=INK,
    )
    tag(number, mark.arm)


def _table_row(arm: str, blocks: pd.DataFrame) -> tuple[str, ...]:
    means = blocks.groupby("instance")["per_s"].mean()
    values = (float(blocks["per_s"].mean()), float(means.min()), float(means.max()))
    return (arm, *(words.per_s(each) for each in values), str(len(means)), str(len(blocks)))
