"""Response time against offered load, with the knee: the highest load within the objective."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadtests.tuning.score import Objective
from reports import words
from reports.charts.chart import Chart
from reports.charts.knee_rows import draw_knee_rows, mark_knees
from reports.charts.knees import ArmKnee, arm_knee
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


def staircase_chart(scene: Scene, objective: Objective) -> Chart | None:
    """None with fewer than two open loads, or where errors are expected."""
    loads = scene.open_loads
    results = _results(scene.summary, scene.judged_request)
    arms = [arm for arm in scene.arms if any(points_of(loads, results, arm, "p50"))]
    if len(loads) < 2 or scene.expects_errors or not arms:
        return None
    knees = _knees(scene, loads, arms, objective)
    title = scene.caveats.title(
        _finding(scene.name, loads, results, arms, knees),
        scene.name, loads, arms, LATENCY,
    )  # fmt: skip
    return Chart(
        name=f"staircase-{scene.number}",
        title=title,
        caption=scene.caveats.caption(
            _caption(scene, objective),
            [(scene.name, load.load, arm) for load in loads for arm in arms],
            LATENCY,
        ),
        sheet=_drawn(scene, title, loads, results, arms, knees, objective),
        columns=("Offered load", "Arm", "p50", "p95", "p99", "Answered well", "Objective"),
        rows=(
            *(
                _table_row(load, arm, results[load.load, arm], knees.get(arm))
                for load in loads
                for arm in arms
                if (load.load, arm) in results
            ),
            *(_knee_row(arm, each) for arm, each in knees.items()),
        ),
    )


def _drawn(
    scene: Scene,
    title: str,
    loads: Sequence[LoadFacts],
    results: Results,
    arms: Sequence[str],
    knees: Mapping[str, ArmKnee],
    objective: Objective,
) -> Sheet:
    """The curves, and below them a row for each knee, on one axis of loads."""
    heights = [CURVES_PT, *([KNEES_PT + KNEE_ROW_PT * len(knees)] if knees else [])]
    note = scene.caveats.note(scene.name, loads, arms)
    sheet = new_sheet(sum(heights), title, note, heights=heights)
    invalid = {
        arm: {load.rate_per_s or 0.0 for load in loads if scene.failed(load, arm, LATENCY)}
        for arm in arms
    }
    marks = {arm: scene.marks[arm] for arm in arms}
    right = (loads[-1].rate_per_s or 1.0) * 1.02
    draw_curves(sheet.axes[0], loads, results, marks, invalid, objective)
    if knees:
        mark_knees(sheet.axes[0], knees, marks)
        draw_knee_rows(sheet.axes[1], knees, marks, right)
    for axes in sheet.axes:
        axes.set_xlim(0.0, right)
    sheet.axes[-1].set_xlabel("offered load (requests/s)")
    return sheet


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
            claimed=not any(scene.failed(load, arm, LATENCY) for load in loads),
        )
        for arm in arms
    }  # fmt: skip
    return {arm: each for arm, each in found.items() if each is not None}


def _finding(
    scenario: str,
    loads: Sequence[LoadFacts],
    results: Results,
    arms: Sequence[str],
    knees: Mapping[str, ArmKnee],
) -> str:
    """Who keeps the objective up to which load; how p95 grows, where that is not known."""
    start = words.tidy(scenario, 40)
    if knees:
        (arm, first), *others = knees.items()
        parts = [
            f"{words.tidy(arm, 24)} keeps the objective {_reach(first)}",
            *(f"{words.tidy(name, 24)} {_reach(each)}" for name, each in others),
        ]
        return f"{start}: {words.listed(parts)}"
    low, high = (words.rounded(load.rate_per_s or 0.0) for load in (loads[0], loads[-1]))
    parts = []
    for arm in arms:
        points = points_of(loads, results, arm, "p95")
        if len(points) > 1:
            lowest, highest = words.ms(points[0][1]), words.ms(points[-1][1])
            parts.append(f"from {lowest} to {highest} ({words.tidy(arm, 24)})")
    if not parts:
        return f"{start}: response time from {low} to {high} requests/s"
    return f"{start}: between {low} and {high} requests/s, p95 goes {words.listed(parts)}"


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


def _table_row(load: LoadFacts, arm: str, result: Result, knee: ArmKnee | None) -> tuple[str, ...]:
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
