"""Where a request's time goes: waiting for a thread or connection, database, own work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from reports import words
from reports.charts.caveats import Caveats
from reports.charts.chart import Chart
from reports.charts.parted_bars import PARTS, Part, Told, draw_parts, parts_legend
from reports.charts.style import INK, new_sheet, quiet
from reports.model import LATENCY, LoadFacts, Result, ScenarioSummary, Summary
from reports.symbols import named

ROW_PT = 17.0
PANEL_PT = 72.0
MOST_LOADS = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """Mean milliseconds of one arm at one load, by part."""

    arm: str
    load: LoadFacts
    parts_ms: Mapping[str, float]

    @property
    def total_ms(self) -> float:
        """The whole bar."""
        return sum(self.parts_ms.values())


def time_split_charts(summary: Summary, arms: Sequence[str], caveats: Caveats) -> list[Chart]:
    """One chart per scenario in which an arm tells where its time goes."""
    charts = []
    for number, scenario in enumerate(summary.scenarios, start=1):
        if everything := _bars(scenario, arms):
            charts.append(_chart(f"time-{number}", scenario.name, everything, caveats, arms))
    return charts


def _bars(scenario: ScenarioSummary, arms: Sequence[str]) -> list[Bar]:
    whole = {(each.load, each.arm): each for each in scenario.results if each.request is None}
    return [
        Bar(arm, load, parts)
        for load in _in_order(scenario.loads)
        for arm in arms
        if (result := whole.get((load.load, arm))) is not None and (parts := split_of(result))
    ]


def _in_order(loads: Sequence[LoadFacts]) -> list[LoadFacts]:
    """Closed loads first, then open loads from light to heavy."""
    return sorted(loads, key=lambda load: (load.model == "open", load.rate_per_s or 0.0))


def _heights(bars: Sequence[Bar]) -> list[float]:
    """Where each bar stands: the arms of one load close together."""
    at, heights = 0.0, []
    for before, bar in zip((None, *bars), bars, strict=False):
        at += 0.0 if before is None else 1.0 if before.load == bar.load else 1.45
        heights.append(at)
    return heights


def split_of(result: Result) -> dict[str, float] | None:
    """Mean ms by part, `outside` being what the app never saw; None where the arm does not tell."""
    split = result.split_ms
    if split.db is None or split.own is None or split.total is None:
        return None
    mean_ms = result.response_ms.mean
    outside = 0.0 if mean_ms is None else max(0.0, mean_ms - split.total)
    return {
        "thread": split.thread or 0.0,
        "pool": split.pool or 0.0,
        "db": split.db,
        "own": max(0.0, split.own),
        "outside": outside,
    }


def _chart(
    name: str,
    scenario: str,
    everything: Sequence[Bar],
    caveats: Caveats,
    arms_of_run: Sequence[str],
) -> Chart:
    """Bars of the first MOST_LOADS; the table has those of all."""
    loads = list(dict.fromkeys(bar.load for bar in everything))
    bars = [bar for bar in everything if bar.load in loads[:MOST_LOADS]]
    arms = list(dict.fromkeys(bar.arm for bar in bars))
    title = caveats.title(_finding(scenario, bars), scenario, [bars[0].load], arms, LATENCY)
    hidden = len(loads[MOST_LOADS:])
    more = f"Heavier loads ({hidden}) stand in the table only" if hidden else ""
    note = ". ".join(filter(None, [more, caveats.note(scenario, loads[:MOST_LOADS], arms)]))
    sheet = new_sheet(PANEL_PT + ROW_PT * (_heights(bars)[-1] + 1), title, note)
    _draw(sheet.axes[0], bars, arms_of_run)
    _name(sheet.axes[0], scenario, bars, caveats)
    return Chart(
        name=name,
        title=title,
        caption=(
            "Mean response time in ms, split as the app itself reports it. “Before and after the "
            "app” is what it cannot see: the network, the accept queue, the event loop's queue."
        ),
        sheet=sheet,
        columns=("Arm", "Load", *(part.label for part in PARTS), "together"),
        rows=tuple(_table_row(bar) for bar in everything),
    )


def _draw(axes: Axes, bars: Sequence[Bar], arms_of_run: Sequence[str]) -> None:
    widest_ms = max(each.total_ms for each in bars)
    for y, bar in zip(_heights(bars), bars, strict=True):
        whose = f"{words.tidy(bar.arm)}, {words.load_short(bar.load)}"
        told = Told(arms_of_run.index(bar.arm), whose, words.ms)
        draw_parts(axes, y, bar.parts_ms, PARTS, widest_ms, words.ms(bar.total_ms), told)
    quiet(axes, "x")
    axes.set_xlim(0, widest_ms * 1.001)
    axes.set_xlabel("mean response time (ms)")
    parts_legend(axes, PARTS)


def _name(axes: Axes, scenario: str, bars: Sequence[Bar], caveats: Caveats) -> None:
    """Arm and load beside each bar."""
    labels = []
    for bar in bars:
        failures = caveats.failures((scenario, bar.load.load, bar.arm), LATENCY)
        label = f"{words.tidy(bar.arm, 20)}, {words.load_short(bar.load)}"
        labels.append(named(label, failed=bool(failures)))
    heights = _heights(bars)
    axes.set_yticks(heights, labels, color=INK)
    axes.set_ylim(heights[-1] + 0.6, -0.6)


def _finding(scenario: str, bars: Sequence[Bar]) -> str:
    """Which part is the largest, for each arm at the first load."""
    load = bars[0].load
    spent: dict[str, list[tuple[str, str]]] = {}
    for bar in (bar for bar in bars if bar.load == load):
        largest = _largest(bar)
        share = 100 * bar.parts_ms[largest.key] / bar.total_ms if bar.total_ms else 0.0
        spent.setdefault(_doing(largest), []).append((words.tidy(bar.arm, 24), f"{share:.0f}%"))
    parts = [
        f"{words.listed(arm for arm, _ in told)} spend{'s' if len(told) == 1 else ''} most time "
        f"{doing} ({words.listed(share for _, share in told)})"
        for doing, told in spent.items()
    ]
    return f"{words.tidy(scenario, 40)}: {words.load_phrase(load)}, {words.listed(parts)}"


def _largest(bar: Bar) -> Part:
    return max(PARTS, key=lambda part: bar.parts_ms[part.key])


def _doing(part: Part) -> str:
    return {"own": "on its own work", "outside": "before and after the app"}.get(
        part.key, part.label
    )


def _table_row(bar: Bar) -> tuple[str, ...]:
    parts = (words.ms(bar.parts_ms[part.key]) for part in PARTS)
    return (bar.arm, words.load_short(bar.load), *parts, words.ms(bar.total_ms))
