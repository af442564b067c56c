"""The plan in words: rounds, trials, wall time, and the smallest effect it expects to resolve."""

from __future__ import annotations

from loadtests.scenarios.model import Scenario
from loadtests.schedule import Sizes, round_shape
from loadtests.second_opinion.plan import NotPlanned, Plan
from loadtests.spec import Spec
from reports.resolution import expected_resolution_pct, planned_primaries
from scripts.console import minutes


def plan_text(spec: Spec, sizes: Sizes) -> str:
    """The plan of a run, several lines."""
    trials = round_shape(spec, sizes).trials
    limit = "" if sizes.rounds_are_fixed else "at most "
    lines = [
        f"Plan ({spec.source}, seed {spec.run.seed}): {_arms(spec)}",
        *(f"  {each.name}: {_who(each)}{_loads(each)}{_window(each)}" for each in spec.scenario),
        f"  {sizes.instances} instances of each arm; {limit}{sizes.rounds} rounds"
        f" of {trials} trials of {spec.run.block_s:g} s",
        *(f"  {note}" for note in sizes.notes),
        f"  {limit}{minutes(sizes.measuring_s)} of measuring after about {minutes(sizes.set_up_s)}"
        " of starting and warming up",
        _second_opinion(sizes.second_opinion),
    ]
    return "\n".join([*lines, _resolution(spec, sizes)])


def _second_opinion(plan: Plan | NotPlanned) -> str:
    if isinstance(plan, NotPlanned):
        return f"  no second opinion by wrk: {plan.reason}"
    return (
        f"  second opinion: {plan.scenario} with {plan.users} users by our generator and wrk in "
        f"turn, {plan.alternations} times each, about {minutes(plan.seconds)}"
    )


def _arms(spec: Spec) -> str:
    if all(scenario.arms is None for scenario in spec.scenario):
        return " against ".join(arm.name for arm in spec.arm)
    return f"{len(spec.arm)} arms in {len(spec.scenario)} scenarios"


def _who(scenario: Scenario) -> str:
    """The arms of a scenario that has its own."""
    return "" if scenario.arms is None else f"{' against '.join(scenario.arms)}, "


def _window(scenario: Scenario) -> str:
    """The length of a scenario's trials where it has its own."""
    return "" if scenario.block_s is None else f", {scenario.block_s:g} s a trial"


def _loads(scenario: Scenario) -> str:
    load = scenario.load
    if load.model == "closed":
        return f"closed load of {load.users} users"
    if load.model == "open":
        return f"open load of {load.rate_per_s:g} requests/s ({load.arrivals})"
    shares = ", ".join(f"{share:.0%}" for share in load.open_shares)
    return f"closed load of {load.users} users; open load at {shares} of the lower capacity"


def _resolution(spec: Spec, sizes: Sizes) -> str:
    primaries = planned_primaries(spec)
    if not primaries:
        return "  one arm: it is measured, and compared with nothing"
    smallest = expected_resolution_pct(
        sizes.instances, max(1, sizes.rounds), sizes.pairs, primaries
    )
    if smallest is None:
        return "  too few instances and rounds to resolve anything"
    expected = f"{smallest:.0f}% on a quiet machine"
    if all(scenario.load.model == "open" for scenario in spec.scenario):
        return (
            f"  smallest change it expects to find: more than {expected}, which would hold for "
            "capacity; p95 varies more, by how much is told by the run"
        )
    return f"  smallest capacity change it expects to find: {expected}; p95 varies more"
