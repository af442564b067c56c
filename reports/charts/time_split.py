"""Where a request's time goes: waiting for a thread or connection, database, own work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.text import Text

from reports import words
from reports.charts.caveats import Caveats
from reports.charts.chart import Chart
from reports.charts.style import INK, PAPER, SMALL_PT, new_sheet, quiet
from reports.charts.tags import tag
from reports.model import LATENCY, LoadFacts, Result, ScenarioSummary, Summary
from reports.symbols import named

ROW_PT = 17.0
PANEL_PT = 72.0
MOST_LOADS = 5
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
class Bar:
    """Mean milliseconds of one arm at one load, by part."""

    arm: str
    load: LoadFacts
    parts_ms: Mapping[str, float]

    @property
    def total_ms(self) -> float:
        """The whole bar."""
        return sum(self.parts_ms.values())


@dataclass(frozen=True, slots=True)
class Told:
    """Whose a bar is, and how its parts are said: `sync, 16 users: in the database 1.2 ms`."""

    arm: int | None
    whose: str
    size: Callable[[float], str]


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
    places = [(scenario, bar.load.load, bar.arm) for bar in bars]
    heights = _heights(bars)
    sheet = new_sheet(PANEL_PT + ROW_PT * (heights[-1] + 1), title, note)
    [axes] = sheet.axes
    for y, bar in zip(heights, bars, strict=True):
        widest_ms = max(each.total_ms for each in bars)
        told = Told(
            arms_of_run.index(bar.arm),
            f"{words.tidy(bar.arm)}, {words.load_short(bar.load)}",
            words.ms,
        )
        draw_parts(axes, y, bar.parts_ms, PARTS, widest_ms, words.ms(bar.total_ms), told)
    quiet(axes, "x")
    axes.set_ylim(heights[-1] + 0.6, -0.6)
    axes.set_xlim(0, max(bar.total_ms for bar in bars) * 1.001)
    labels = [
        named(
            f"{words.tidy(bar.arm, 20)}, {words.load_short(bar.load)}",
            failed=bool(caveats.failures(place, LATENCY)),
        )
        for bar, place in zip(bars, places, strict=True)
    ]
    axes.set_yticks(heights, labels, color=INK)
    axes.set_xlabel("mean response time (ms)")
    parts_legend(axes, PARTS)
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
        [piece] = axes.barh(
            y,
            width,
            left=left,
            height=0.68,
            color=part.colour,
            hatch=part.hatch,
            edgecolor=PAPER,
            linewidth=0.6,
        )
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


def _table_row(bar: Bar) -> tuple[str, ...]:
    parts = (words.ms(bar.parts_ms[part.key]) for part in PARTS)
    return (bar.arm, words.load_short(bar.load), *parts, words.ms(bar.total_ms))
