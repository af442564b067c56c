"""What a request costs: CPU time per request and memory, for each arm."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports import words
from reports.charts.caveats import Caveats
from reports.charts.chart import Chart
from reports.charts.style import FAINT, INK, PAPER, ROUND_STEPS, SMALL_PT, Mark, new_sheet, quiet
from reports.model import COST, LoadFacts, Result, Summary

ROW_PT = 22.0
ARM_PT = 9.0
PANEL_PT = 34.0
LEGEND_PT = 22.0
MOST_LOADS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """One scenario at one load, with every arm's result."""

    scenario: str
    load: LoadFacts
    results: Mapping[str, Result]


def cost_charts(summary: Summary, marks: Mapping[str, Mark], caveats: Caveats) -> list[Chart]:
    """One chart of CPU and memory, where at least one arm's processes could be watched."""
    places = [
        place for place in _places(summary, marks) if any(map(_watched, place.results.values()))
    ]
    return [_chart(places, marks, caveats)] if places else []


def _watched(result: Result) -> bool:
    return result.cpu_ms_per_request is not None or result.rss_mb_peak is not None


def _places(summary: Summary, marks: Mapping[str, Mark]) -> list[Place]:
    places = []
    for scenario in summary.scenarios:
        for load in scenario.loads[:MOST_LOADS]:
            found = {
                each.arm: each
                for each in scenario.results
                if each.load == load.load and each.request is None and each.arm in marks
            }
            places.append(Place(scenario.name, load, found))
    return places


def _chart(places: Sequence[Place], marks: Mapping[str, Mark], caveats: Caveats) -> Chart:
    first = places[0]
    title = caveats.title(
        _finding(first, marks), first.scenario, [first.load], list(first.results), COST
    )
    scenarios = list(dict.fromkeys(place.scenario for place in places))
    row_pt = max(ROW_PT, ARM_PT * max(len(place.results) for place in places))
    heights = [PANEL_PT + row_pt * len(each) for each in (places, scenarios)]
    note = caveats.shared_note(scenarios)
    sheet = new_sheet(sum(heights) + LEGEND_PT, title, note, heights=heights)
    cpu = {
        _label(each): {arm: result.cpu_ms_per_request for arm, result in each.results.items()}
        for each in places
    }
    memory = {words.tidy(name, 24): _most_memory(name, places) for name in scenarios}
    invalid = {
        _label(place): {arm for arm in marks if caveats.failures(_at(place, arm), COST)}
        for place in places
    }
    _draw_panel(sheet.axes[0], "CPU per request (ms)", cpu, marks, invalid)
    _draw_panel(sheet.axes[1], "most memory of one instance (MB)", memory, marks)
    _legend(sheet.axes[0], places, marks)
    return Chart(
        name="cost",
        title=title,
        caption=caveats.caption(
            "CPU time of the app's own processes per request, answered well or not, in ms, and "
            "the most memory one instance held, in MB, at each scenario's load. Further left is "
            "cheaper.",
            [_at(place, arm) for place in places for arm in marks],
            COST,
        ),
        sheet=sheet,
        columns=("Scenario", "Load", "Arm", "CPU per request", "Memory", "Threads", "Connections"),
        rows=tuple(row for place in places for row in _table_rows(place, marks)),
    )


def _label(place: Place) -> str:
    return f"{words.tidy(place.scenario, 24)}, {words.load_short(place.load)}"


def _at(place: Place, arm: str) -> tuple[str, str, str]:
    return place.scenario, place.load.load, arm


def _finding(place: Place, marks: Mapping[str, Mark]) -> str:
    parts = [
        f"{words.tidy(arm, 24)} {words.ms(result.cpu_ms_per_request)}"
        for arm in marks
        if (result := place.results.get(arm)) and result.cpu_ms_per_request is not None
    ]
    if not parts:
        return "Memory held by each arm"
    return (
        f"A request of {words.tidy(place.scenario, 30)} costs {words.listed(parts)} of CPU, "
        f"{words.load_phrase(place.load)}"
    )


def _most_memory(scenario: str, places: Sequence[Place]) -> dict[str, float | None]:
    most: dict[str, float | None] = {}
    for place in places:
        for arm, result in place.results.items():
            if place.scenario == scenario and result.rss_mb_peak is not None:
                most[arm] = max(most.get(arm) or 0.0, result.rss_mb_peak)
    return most


def _draw_panel(
    axes: Axes,
    label: str,
    rows: Mapping[str, Mapping[str, float | None]],
    marks: Mapping[str, Mark],
    invalid: Mapping[str, Collection[str]] = {},
) -> None:
    """One row per entry of `rows`; `invalid`: arms of a row whose marks are hollow."""
    quiet(axes, "x")
    for y, (row, values) in enumerate(rows.items()):
        drawn = [arm for arm in marks if arm in values]
        step = min(0.26, 0.7 / max(len(drawn), 1))
        for position, arm in enumerate(drawn):
            if (value := values[arm]) is not None:
                hollow = arm in invalid.get(row, ())
                at = y + (position - (len(drawn) - 1) / 2) * step
                axes.plot([0, value], [at, at], color=FAINT, linewidth=1.0, zorder=1)
                axes.plot(
                    [value],
                    [at],
                    marks[arm].marker,
                    color=marks[arm].colour,
                    markersize=6,
                    markerfacecolor=PAPER if hollow else marks[arm].colour,
                    markeredgecolor=marks[arm].colour if hollow else PAPER,
                    markeredgewidth=0.8,
                    zorder=2,
                )
    axes.set_xlim(left=0.0)
    axes.set_xlim(right=axes.get_xlim()[1] * 1.06)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), list(rows), color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND_STEPS))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,g}"))
    axes.set_xlabel(label)


def _legend(axes: Axes, places: Sequence[Place], marks: Mapping[str, Mark]) -> None:
    for arm, mark in marks.items():
        if any(arm in place.results for place in places):
            axes.plot(
                [], [], mark.marker, color=mark.colour, markersize=6, label=words.tidy(arm, 24)
            )
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


def _table_rows(place: Place, marks: Mapping[str, Mark]) -> list[tuple[str, ...]]:
    return [
        (
            place.scenario,
            words.load_short(place.load),
            arm,
            words.ms(result.cpu_ms_per_request),
            words.megabytes(result.rss_mb_peak),
            words.count(result.threads_peak),
            words.count(result.connections_peak),
        )
        for arm in marks
        if (result := place.results.get(arm))
    ]
