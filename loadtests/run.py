"""A whole run: warm up, freeze the loads, then rounds of interleaved blocks until it is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loadtests.plan import (
    RoundShape,
    ScenarioLoads,
    derived_seed,
    plan_round,
    scenario_loads,
)
from loadtests.rounds import inspect, measure_round
from loadtests.run_state import Interim, InterruptedByUser, Run
from loadtests.scenarios.model import Scenario
from loadtests.schedule import (
    PILOT_INSTANCES,
    PILOT_S,
    WARM_UP_S,
    another_round_fits,
)
from loadtests.second_opinion.seek import seek_second_opinion
from loadtests.trials import ClosedLoad, Load, OpenLoad, Target
from loadtests.unrecorded import unrecorded_rate

FEWEST_ROUNDS_TO_STOP = 2
BEFORE_ROUNDS = -1
"""The number of the round after which a session first looks at everything."""


def execute(run: Run) -> str:
    """Run to the end: `complete` or `interrupted`. What was measured is stored either way."""
    status, reason = "complete", "finished"
    try:
        prove_sameness(run)
        warm_up(run)
        loads = freeze_loads(run, pilot(run))
        for target in run.targets.values():
            run.telemetry.prime(target)
        reason = measure(run, loads)
    except InterruptedByUser:
        status, reason = "interrupted", "interrupted by the user"
    except BaseException as error:
        run.store.journal.write(
            "end", status="interrupted", reason=f"{type(error).__name__}: {error}"
        )
        raise
    finally:
        run.telemetry.close()
    run.store.journal.write("end", status=status, reason=reason)
    if status == "complete":
        seek_second_opinion(run)
    return status


def prove_sameness(run: Run) -> None:
    """Look whether the twins are the same, and write what was seen to the journal.

    A difference does not end the run, whose other comparisons may be worth having; the report's
    gate `same-work` makes those between the twins invalid.
    """
    if run.prove is None:
        return
    proof = run.prove()
    run.store.journal.write("sameness", **proof.model_dump(mode="json"))
    for arm, sides in proof.arms.items():
        wrong = [side.detail for side in sides.judged.values() if side.ok is False]
        doubt = [side.detail for side in sides.judged.values() if side.ok is None]
        said = "are the same service but for the awaiting"
        if wrong or doubt:
            said = "are not the same" if wrong else "may or may not be the same"
            said += f" ({'; '.join(wrong or doubt)})"
        run.watcher.say(f"{arm} and {proof.reference} {said}.")


def warm_up(run: Run) -> None:
    """Load every instance under every scenario for a moment, and throw the samples away."""
    run.watcher.say(f"Warming up {len(run.targets)} instances under each scenario …")
    for scenario in run.spec.scenario:
        for index, target in enumerate(_targets_of(run, scenario)):
            seed = derived_seed(run.spec.run.seed, "warm-up", scenario.name, index)
            unrecorded_rate(run, scenario, target, WARM_UP_S, seed)


def pilot(run: Run) -> dict[str, dict[str, float]]:
    """Closed-load throughput of warm instances, per scenario with an `auto` load and per arm.

    The median over PILOT_INSTANCES instances, in requests/s; arms take turns.
    """
    capacities: dict[str, dict[str, float]] = {}
    for scenario in run.spec.scenario:
        if scenario.load.model != "auto":
            continue
        rates: dict[str, list[float]] = {}
        for target in _pilots(run, scenario):
            seed = derived_seed(run.spec.run.seed, "pilot", scenario.name, target.instance)
            rate = unrecorded_rate(run, scenario, target, PILOT_S, seed)
            rates.setdefault(target.arm, []).append(rate)
        capacities[scenario.name] = {arm: float(np.median(each)) for arm, each in rates.items()}
    return capacities


def _targets_of(run: Run, scenario: Scenario) -> list[Target]:
    """Every instance that a scenario loads."""
    arms = {arm.name for arm in run.spec.arms_of(scenario)}
    return [target for target in run.targets.values() if target.arm in arms]


def _pilots(run: Run, scenario: Scenario) -> list[Target]:
    """The first few instances of each of a scenario's arms, arms taking turns."""
    in_turn = sorted(_targets_of(run, scenario), key=lambda target: target.instance)
    end = run.origin.instance + PILOT_INSTANCES
    return [target for target in in_turn if target.instance < end]


def freeze_loads(run: Run, capacities: dict[str, dict[str, float]]) -> tuple[ScenarioLoads, ...]:
    """Decide every load once, and write it to the journal."""
    entries = []
    for scenario in run.spec.scenario:
        measured = {arm: round(rate, 1) for arm, rate in capacities.get(scenario.name, {}).items()}
        loads = run.frozen.get(scenario.name) or scenario_loads(scenario, measured)
        assert loads is not None
        run.store.journal.write(
            "rates",
            scenario=scenario.name,
            capacity_per_s=measured or None,
            loads=[load_facts(load) for load in loads],
        )
        arms = tuple(arm.name for arm in run.spec.arms_of(scenario))
        entries.append(ScenarioLoads(scenario.name, loads, arms))
    return tuple(entries)


def load_facts(load: Load) -> dict[str, Any]:
    """A load as the journal and the summary write it."""
    if isinstance(load, ClosedLoad):
        return {"load": load.name, "model": "closed", "users": load.users}
    return {
        "load": load.name,
        "model": "open",
        "rate_per_s": load.rate_per_s,
        "arrivals": load.arrivals,
    }


def load_from_facts(facts: Mapping[str, Any]) -> Load:
    """The load that `load_facts` wrote."""
    if facts["model"] == "closed":
        return ClosedLoad(facts["users"])
    return OpenLoad(facts["rate_per_s"], facts["arrivals"])


def measure(run: Run, loads: tuple[ScenarioLoads, ...]) -> str:
    """Measure round after round; returns why it ended."""
    shape = RoundShape(
        scenarios=loads,
        instances=run.sizes.instances,
        pairs=run.sizes.pairs,
        origin=run.origin,
    )
    inspect(run, BEFORE_ROUNDS)
    started_s = run.clock()
    for number in range(run.origin.round, run.origin.round + run.sizes.rounds):
        round_started_s = run.clock()
        measure_round(run, plan_round(shape, number, run.spec.run.seed), number)
        inspect(run, number)
        interims = run.assess()
        run.watcher.round_finished(number, interims)
        if run.sizes.rounds_are_fixed:
            continue
        if number + 1 >= FEWEST_ROUNDS_TO_STOP and narrow_enough(
            interims, run.spec.run.target_ci_pct
        ):
            return f"every primary interval is within ±{run.spec.run.target_ci_pct:g}%"
        now_s = run.clock()
        if not another_round_fits(
            now_s - started_s,
            now_s - round_started_s,
            run.spec.run.budget_s - run.sizes.second_opinion.seconds,
        ):
            return f"another round would not fit the budget of {run.spec.run.budget_s:g} s"
    return "all planned rounds are done"


def narrow_enough(interims: Sequence[Interim], target_pct: float) -> bool:
    """Whether every primary interval is as narrow as asked (never whether it is significant)."""
    widths = [interim.half_width_pct for interim in interims]
    return bool(widths) and all(width is not None and width <= target_pct for width in widths)
