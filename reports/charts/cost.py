"""What a request costs, and what each arm holds: CPU time, memory, threads, connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports import words
from reports.charts.caveats import Caveats
from reports.charts.chart import Chart
from reports.charts.cost_panel import Cell, Panel, arms_legend, draw_panel
from reports.charts.style import Mark, new_sheet
from reports.model import COST, LoadFacts, Result, Summary
from reports.run_folder import StoredRun
from reports.usage import Usage, usage_of

ROW_PT = 22.0
ARM_PT = 9.0
PANEL_PT = 34.0
LEGEND_PT = 22.0
MOST_LOADS = 3
"""Of more loads, the CPU time of the first is drawn; peaks are always over all."""
MOST_SCENARIOS = 6
"""With more of them, peaks are those of the whole run."""
ALL_SCENARIOS = "all scenarios"


@dataclass(frozen=True, slots=True)
class Place:
    """One scenario at one load, with every arm's result and the usage of its instances."""

    scenario: str
    load: LoadFacts
    results: Mapping[str, Result]
    usage: Mapping[str, Usage]


@dataclass(frozen=True, slots=True)
class Peak:
    """What is told of the most that one instance held; `field` of `Result`, `key` of `Usage`."""

    key: str
    field: str
    label: str
    unit: str

    def said(self, value: float) -> str:
        """As the table has it."""
        return words.megabytes(value) if self.unit else words.count(value)


PEAKS = (
    Peak("rss_mb", "rss_mb_peak", "most memory of one instance (MB)", "MB"),
    Peak("threads", "threads_peak", "most threads of one instance", ""),
    Peak("connections", "connections_peak", "most database connections of one instance", ""),
)


def cost_charts(
    stored: StoredRun, summary: Summary, marks: Mapping[str, Mark], caveats: Caveats
) -> list[Chart]:
    """One chart of CPU and peaks, where at least one arm's processes could be watched."""
    places = [
        place
        for place in _places(stored, summary, marks)
        if any(map(_watched, place.results.values()))
    ]
    return [_chart(places, marks, caveats)] if places else []


def _watched(result: Result) -> bool:
    return result.cpu_ms_per_request is not None or result.rss_mb_peak is not None


def _places(stored: StoredRun, summary: Summary, marks: Mapping[str, Mark]) -> list[Place]:
    places = []
    for scenario in summary.scenarios:
        for load in scenario.loads:
            found = {
                each.arm: each
                for each in scenario.results
                if each.load == load.load and each.request is None and each.arm in marks
            }
            trials = stored.trials_of(scenario.name, load.load)
            usage = {arm: usage_of(trials[trials["arm"] == arm], stored.telemetry) for arm in found}
            places.append(Place(scenario.name, load, found, usage))
    return places


def _chart(places: Sequence[Place], marks: Mapping[str, Mark], caveats: Caveats) -> Chart:
    first = places[0]
    title = caveats.title(
        _finding(first, marks, caveats), first.scenario, [first.load], list(first.results), COST
    )
    scenarios = list(dict.fromkeys(place.scenario for place in places))
    drawn = _drawn(places)
    panels = [_cpu_panel(drawn, caveats), *(_peak_panel(peak, places) for peak in PEAKS)]
    panels = [panel for panel in panels if any(panel.rows.values())]
    row_pt = max(ROW_PT, ARM_PT * max(len(place.results) for place in places))
    heights = [PANEL_PT + row_pt * len(panel.rows) for panel in panels]
    note = ". ".join(filter(None, [_hidden(places, drawn), caveats.shared_note(scenarios)]))
    sheet = new_sheet(sum(heights) + LEGEND_PT, title, note, heights=heights)
    for axes, panel in zip(sheet.axes, panels, strict=True):
        draw_panel(axes, panel, marks)
    arms_legend(
        sheet.axes[0], [arm for arm in marks if any(arm in p.results for p in places)], marks
    )
    return Chart(
        name="cost",
        title=title,
        caption=(
            "CPU time of the app's own processes per request, answered well or not, in ms, by "
            "scenario and load; and the most memory, threads and database connections that one "
            "instance held at any load. Large marks are the arm, small ones its instances (of "
            "peaks, the arm is its highest instance). Further left is cheaper."
        ),
        sheet=sheet,
        columns=("Scenario", "Load", "Arm", "CPU per request", "Memory", "Threads", "Connections"),
        rows=tuple(row for place in places for row in _table_rows(place, marks)),
    )


def _drawn(places: Sequence[Place]) -> list[Place]:
    """The first MOST_LOADS of each scenario."""
    seen = [place.scenario for place in places]
    return [
        place
        for index, place in enumerate(places)
        if seen[:index].count(place.scenario) < MOST_LOADS
    ]


def _hidden(places: Sequence[Place], drawn: Sequence[Place]) -> str:
    known = [
        any(each.cpu_ms_per_request is not None for each in place.results.values())
        for place in places
        if place not in drawn
    ]
    return (
        f"CPU time at further loads ({sum(known)}) stands in the table only" if any(known) else ""
    )


def _cpu_panel(places: Sequence[Place], caveats: Caveats) -> Panel:
    rows = {}
    for place in places:
        rows[_label(place)] = {
            arm: Cell(
                result.cpu_ms_per_request,
                place.usage[arm].cpu_ms,
                f"{words.ms(result.cpu_ms_per_request)} of CPU per request",
                hollow=bool(caveats.failures(_at(place, arm), COST)),
            )
            for arm, result in place.results.items()
            if result.cpu_ms_per_request is not None
        }
    return Panel("CPU per request (ms)", words.ms, rows)


def _peak_panel(peak: Peak, places: Sequence[Place]) -> Panel:
    scenarios = list(dict.fromkeys(place.scenario for place in places))
    together = len(scenarios) > MOST_SCENARIOS
    rows: dict[str, dict[str, Cell]] = {}
    for place in places:
        label = ALL_SCENARIOS if together else words.tidy(place.scenario, 24)
        row = rows.setdefault(label, {})
        for arm, result in place.results.items():
            value = getattr(result, peak.field)
            if value is not None:
                row[arm] = _higher(row.get(arm), float(value), place.usage[arm], peak)
    return Panel(peak.label, peak.said, rows)


def _higher(before: Cell | None, value: float, usage: Usage, peak: Peak) -> Cell:
    """A peak over several loads or scenarios: of the arm, and of each instance."""
    most = value if before is None else max(before.value, value)
    instances = dict(before.instances) if before else {}
    for instance, own in usage.peaks[peak.key].items():
        instances[instance] = max(own, instances.get(instance, own))
    what = peak.label.removesuffix(" (MB)")
    return Cell(most, instances, f"{what}: {peak.said(most)}")


def _label(place: Place) -> str:
    return f"{words.tidy(place.scenario, 24)}, {words.load_short(place.load)}"


def _at(place: Place, arm: str) -> tuple[str, str, str]:
    return place.scenario, place.load.load, arm


def _finding(place: Place, marks: Mapping[str, Mark], caveats: Caveats) -> str:
    known = {
        arm: result.cpu_ms_per_request
        for arm in marks
        if (result := place.results.get(arm)) and result.cpu_ms_per_request is not None
    }
    if not known:
        return "Memory, threads and connections held by each arm"
    parts = [f"{words.tidy(arm, 24)} {words.ms(each)}" for arm, each in known.items()]
    told = (
        f"A request of {words.tidy(place.scenario, 30)} costs {words.listed(parts)} of CPU, "
        f"{words.load_phrase(place.load)}"
    )
    asked = (place.scenario, place.load.load, COST, None)
    return told + caveats.apart(asked, list(known))


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
