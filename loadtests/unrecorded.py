"""Trials that leave no trace in a run's record: warm-up, pilot, second opinion."""

from __future__ import annotations

import pyarrow.compute as pc

from loadtests.rounds import put_back
from loadtests.run_state import Run, check_interruption
from loadtests.scenarios.model import Scenario
from loadtests.schedule import LEAD_IN_S
from loadtests.trials import ClosedLoad, Target, TrialOrder, TrialOutcome


def unrecorded_rate(
    run: Run, scenario: Scenario, target: Target, steady_s: float, seed: int
) -> float:
    """Load one instance with the scenario's users; good completions per second."""
    return completions_per_s(unrecorded_trial(run, scenario, target, steady_s, seed))


def unrecorded_trial(
    run: Run, scenario: Scenario, target: Target, steady_s: float, seed: int
) -> TrialOutcome:
    """Load one instance with the scenario's users; nothing of it is stored."""
    check_interruption(run)
    order = unrecorded_order(scenario, target, steady_s, seed)
    put_back(run, order)
    outcome = run.generator.run_trial(order)
    run.bed.check()
    return outcome


def unrecorded_order(scenario: Scenario, target: Target, steady_s: float, seed: int) -> TrialOrder:
    """A closed load of the scenario's users, under no number of a plan."""
    return TrialOrder(
        trial=-1,
        round=-1,
        block=-1,
        scenario=scenario.name,
        load=ClosedLoad(scenario.load.users),
        target=target,
        seed=seed,
        lead_in_s=LEAD_IN_S,
        steady_s=steady_s,
    )


def completions_per_s(outcome: TrialOutcome) -> float:
    """Good completions inside the steady window, per second."""
    done = outcome.samples.column("done_ns")
    inside = pc.and_(
        pc.and_(
            pc.greater_equal(done, outcome.steady_start_ns), pc.less(done, outcome.steady_end_ns)
        ),
        outcome.samples.column("ok"),
    )
    window_s = (outcome.steady_end_ns - outcome.steady_start_ns) / 1e9
    return float(pc.sum(inside).as_py() or 0) / window_s
