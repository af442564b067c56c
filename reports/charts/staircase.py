"""Response time against offered load, with the knee: the highest load within the objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtests.tuning.score import Objective
from reports import words
from reports.charts.caveats import KNEE, cannot_tell
from reports.charts.chart import Chart
from reports.charts.knee_rows import draw_knee_rows, mark_knees
from reports.charts.knees import ArmKnee, arm_knee, told_apart
from reports.charts.latency import of_what
from reports.charts.load_lines import Results, draw_curves, points_of
from reports.charts.scene import Scene
from reports.charts.style import Sheet, new_sheet
from reports.model import LATENCY, LoadFacts, Result, ScenarioSummary
from reports.tuning import numbers
from reports.tuning.knee import MOST_OF_A_UNIT

CURVES_PT = 200.0
KNEE_ROW_PT = 13.0
KNEES_PT = 20.0
COLUMNS = ("Offered load", "Arm", "p50", "p95", "p99", "Answered well", "Objective")


@dataclass(frozen=True, slots=True)
class Stairs:
    """What is drawn: loads from light to heavy, results of the judged request, knees by arm."""

    scene: Scene
    loads: Sequence[LoadFacts]
    results: Results
    arms: Sequence[str]
    knees: Mapping[str, ArmKnee]
    objective: Objective


def staircase_chart(scene: Scene, objective: Objective) -> Chart | None:
    """None with fewer than two open loads, or where errors are expected."""
    loads = scene.open_loads
    results = _results(scene.summary, scene.judged_request)
    arms = [arm for arm in scene.arms if any(points_of(loads, results, arm, "p50"))]
    if len(loads) < 2 or scene.expects_errors or not arms:
        return None
    stairs = Stairs(scene, loads, results, arms, _knees(scene, loads, arms, objective), objective)
    title = scene.caveats.title(_finding(stairs), scene.name, loads, arms, KNEE)
    return Chart(
        name=f"staircase-{scene.number}",
        title=title,
        caption=_caption(scene, objective),
        sheet=_drawn(stairs, title),
        columns=COLUMNS,
        rows=(*_load_rows(stairs), *(_knee_row(arm, each) for arm, each in stairs.knees.items())),
    )


def _drawn(stairs: Stairs, title: str) -> Sheet:
    """The curves, and below them a row for each knee, on one axis of loads."""
    scene, loads, knees = stairs.scene, stairs.loads, stairs.knees
    heights = [CURVES_PT, *([KNEES_PT + KNEE_ROW_PT * len(knees)] if knees else [])]
    note = scene.caveats.note(scene.name, loads, stairs.arms)
    sheet = new_sheet(sum(heights), title, note, heights=heights)
    marks = {arm: scene.marks[arm] for arm in stairs.arms}
    right = (loads[-1].rate_per_s or 1.0) * 1.02
    draw_curves(sheet.axes[0], loads, stairs.results, marks, _invalid(stairs), stairs.objective)
    if knees:
        mark_knees(sheet.axes[0], knees, marks)
        draw_knee_rows(sheet.axes[1], knees, marks, right)
    for axes in sheet.axes:
        axes.set_xlim(0.0, right)
    sheet.axes[-1].set_xlabel("offered load (requests/s)")
    return sheet


def _invalid(stairs: Stairs) -> dict[str, set[float]]:
    """By arm, the rates at which a check makes its response times invalid."""
    return {
        arm: {
            load.rate_per_s or 0.0
            for load in stairs.loads
            if stairs.scene.failed(load, arm, LATENCY)
        }
        for arm in stairs.arms
    }


def _results(scenario: ScenarioSummary, request: str | None) -> Results:
    """Results of the judged request where it has its own."""
    whole = {(each.load, each.arm): each for each in scenario.results if each.request is None}
    own = {(each.load, each.arm): each for each in scenario.results if each.request == request}
    return {**whole, **own}


def _knees(
    scene: Scene, loads: Sequence[LoadFacts], arms: Sequence[str], objective: Objective
) -> dict[str, ArmKnee]:
    data = [scene.at(load) for load in loads]
    found = {
        arm: arm_knee(
            data, arm, scene.judged_request, objective,
            claimed=not any(scene.failed(load, arm, KNEE) for load in loads),
        )
        for arm in arms
    }  # fmt: skip
    return {arm: each for arm, each in found.items() if each is not None}


def _finding(stairs: Stairs) -> str:
    """Who keeps the objective up to which load, and which of the knees cannot be told apart."""
    start = words.tidy(stairs.scene.name, 40)
    if not stairs.knees:
        low, high = (words.rounded(stairs.loads[end].rate_per_s or 0.0) for end in (0, -1))
        return f"{start}: response time from {low} to {high} requests/s"
    (arm, first), *others = stairs.knees.items()
    parts = [
        f"{words.tidy(arm, 24)} {_reach(first)}",
        *(f"{words.tidy(name, 24)} {_reach(each)}" for name, each in others),
    ]
    undecided = [
        name
        for name, each in others
        if _reach(each) != _reach(first) and not told_apart(first, each, stairs.objective)
    ]
    return (
        f"{start}: {numbers.both_limits(stairs.objective)} is kept by {words.listed(parts)}"
        f"{cannot_tell(arm, undecided, len(others))}"
    )


def _reach(each: ArmKnee) -> str:
    rate = f"{words.rounded(each.knee.per_s)}{words.NBSP}requests/s"
    return {
        None: f"up to about {rate}",
        "above": f"at every load tried, up to {rate}",
        "below": f"at no load tried, from {rate} on",
    }[each.knee.censored]


def _caption(scene: Scene, objective: Objective) -> str:
    return (
        f"Median, p95 and p99 of the response time {of_what(scene)}in ms at each offered load; "
        "heavier lines are rarer, slower answers. Where a line bends upwards, requests begin to "
        "queue. The knee is the highest offered load that keeps the objective "
        f"({numbers.both_limits(objective)}), read off between the loads that were measured, with "
        "its 95% interval over instances: a band above, a bar below. Of an instance's requests at "
        f"a load at most {100 * MOST_OF_A_UNIT:g}% count as late, unless even so the load is "
        "missed: one that stood still once does not make it so. An arrow: the knee lies beyond the "
        "loads tried."
    )


def _load_rows(stairs: Stairs) -> list[tuple[str, ...]]:
    return [
        _load_row(load, arm, stairs.results[load.load, arm], stairs.knees.get(arm))
        for load in stairs.loads
        for arm in stairs.arms
        if (load.load, arm) in stairs.results
    ]


def _load_row(load: LoadFacts, arm: str, result: Result, knee: ArmKnee | None) -> tuple[str, ...]:
    latency = result.response_ms
    good = words.NOTHING if result.goodput_pct is None else f"{result.goodput_pct:.1f}%"
    kept = None if knee is None else knee.kept.get(load.rate_per_s or 0.0)
    return (
        words.load_short(load),
        arm,
        *(words.ms(each) for each in (latency.p50, latency.p95, latency.p99)),
        good,
        {True: "kept", False: "missed", None: words.NOTHING}[kept],
    )


def _knee_row(arm: str, knee: ArmKnee) -> tuple[str, ...]:
    """The knee as a load of its own, with its interval."""
    nothing = (words.NOTHING,) * 4
    return (knee.said, arm, *nothing, "knee" if knee.claimed else "no claim: a check failed")
