"""PURE: how many instances and rounds fit the memory, the connections and the budget, and how long
a run takes."""

from __future__ import annotations

from dataclasses import dataclass

from loadtests.division import MOST_ROUNDS, best_division
from loadtests.plan import RoundShape, ScenarioLoads, load_count
from loadtests.scenarios.model import Scenario
from loadtests.second_opinion.plan import NOT_PLANNED, NotPlanned, Plan, plan_second_opinion
from loadtests.spec import Arm, Spec
from loadtests.trials import ClosedLoad

MOST_INSTANCES = 28
"""Measured with two arms that were both the async twin: with 28 instances of each the one that is
loaded has 6.5% less capacity than with 6 of each, in both arms alike (idle servers wake ten times a
second); see docs/method.md. The sync twin idles on the same server; it was not measured apart."""
MOST_PROCESSES = 60
ALWAYS_INSTANCES = 12
"""However many arms there are, unless memory or connections forbid it."""
PLANNED_SHARE = 0.97
"""Of the budget: estimates are not exact, and a last round that does not fit is lost whole."""
PROCESS_MEMORY_MB = 110.0
"""Upper estimate for one worker process (measured: 70 to 90 MB with telemetry and full pools)."""
MEMORY_SHARE = 0.6
LEAD_IN_S = 0.15
GAP_S = 0.10
RESET_S = 0.12
WARM_UP_S = 0.35
PILOT_S = 0.5
PILOT_INSTANCES = 4
START_S_PER_PROCESS = 0.45
CORES_S = 2.0
"""Looking at the cores, to choose who gets which."""
DISTANCE_S = 2.5
"""Starting the relay and measuring through it, where a distance was asked for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the machine and the database allow."""

    memory_mb: float | None
    connections: int | None
    """Connections free for arms; None where there is no database of ours."""
    wrk: bool = False
    """Whether wrk is installed."""
    max_connections: int | None = None
    """What a server that is not ours allows at all, used or not; None where that is not known."""
    process_mb: float = PROCESS_MEMORY_MB
    """What one worker process takes; an upper estimate until it was measured."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How often everything is repeated, and the estimated times in seconds."""

    instances: int
    rounds: int
    pairs: int
    round_s: float
    set_up_s: float
    rounds_are_fixed: bool
    """Whether the spec gave the number of rounds: then neither width nor budget ends it early."""
    notes: tuple[str, ...] = ()
    second_opinion: Plan | NotPlanned = NOT_PLANNED

    @property
    def measuring_s(self) -> float:
        """Wall time from the first trial to the last."""
        return self.rounds * self.round_s


def choose_sizes(spec: Spec, limits: Limits) -> Sizes:
    """Replace every "auto" by a number, so that the answer is as narrow as the budget allows.

    Where wrk is installed, its share of the budget leaves less for instances and rounds.
    """
    pairs = 1 if spec.run.pairs == "auto" else spec.run.pairs
    most, notes = _most_instances(spec, limits)
    opinion = plan_second_opinion(spec, spec.run.budget_s, wrk=limits.wrk)
    budget_s = PLANNED_SHARE * (spec.run.budget_s - opinion.seconds)
    per_instance_s = round_seconds(spec, 1, pairs)
    instances, rounds = spec.run.instances, spec.run.rounds
    if instances == "auto" and rounds == "auto":
        instances, rounds = best_division(budget_s, per_instance_s, most)
    elif instances == "auto":
        instances = min(most, ALWAYS_INSTANCES)
    elif rounds == "auto":
        rounds = max(1, min(MOST_ROUNDS, int(budget_s / (instances * per_instance_s))))
    assert isinstance(instances, int)
    assert isinstance(rounds, int)
    round_s, fixed = round_seconds(spec, instances, pairs), spec.run.rounds != "auto"
    if fixed:  # whatever the budget says
        opinion = plan_second_opinion(spec, rounds * round_s, wrk=limits.wrk)
    return Sizes(
        instances=instances,
        rounds=rounds,
        pairs=pairs,
        round_s=round_s,
        set_up_s=set_up_seconds(spec, instances),
        rounds_are_fixed=fixed,
        notes=notes if spec.run.instances == "auto" and instances == most else (),
        second_opinion=opinion,
    )


def _most_instances(spec: Spec, limits: Limits) -> tuple[int, tuple[str, ...]]:
    """How many instances the machine and the database allow, and why no more."""
    ours = [arm for arm in spec.arm if arm.kind != "url"]
    processes = max(1, sum(arm.workers for arm in ours))
    most = max(ALWAYS_INSTANCES, min(MOST_INSTANCES, MOST_PROCESSES // processes))
    notes: tuple[str, ...] = ()
    if limits.memory_mb is not None and ours:
        fits = int(limits.memory_mb * MEMORY_SHARE / (processes * PROCESS_MEMORY_MB))
        if fits < most:
            most = max(1, fits)
            notes = (f"{most} instances: more would not fit {limits.memory_mb:.0f} MB",)
    wanted = sum(arm.connections for arm in ours)
    if limits.connections is not None and wanted:
        fits = limits.connections // wanted
        if fits < most:
            most = max(1, fits)
            notes = (f"{most} instances: the server leaves {limits.connections} connections",)
    return most, notes


def connections_needed(arms: tuple[Arm, ...], instances: int) -> int:
    """Connections all instances together may hold."""
    return instances * sum(arm.connections for arm in arms if arm.kind != "url")


def trial_seconds(spec: Spec, scenario: Scenario) -> float:
    """Wall time of one trial with its lead-in, gap and tables put back."""
    put_back_s = RESET_S if scenario.writes else 0.0
    return LEAD_IN_S + spec.block_s_of(scenario) + GAP_S + put_back_s


def round_seconds(spec: Spec, instances: int, pairs: int) -> float:
    """Wall time of one round."""
    per_instance_s = sum(
        load_count(scenario)
        * (len(spec.arms_of(scenario)) * trial_seconds(spec, scenario) + _waiting_s(spec, scenario))
        for scenario in spec.scenario
    )
    return per_instance_s * instances * pairs


def _waiting_s(spec: Spec, scenario: Scenario) -> float:
    """How much longer a block takes where errors are expected: until those who wait give up."""
    if not scenario.expect_errors:
        return 0.0
    return sum(arm.pool_timeout_s for arm in spec.arms_of(scenario)[1:])


def set_up_seconds(spec: Spec, instances: int) -> float:
    """Wall time before the first trial: starting instances, warming each up, the pilot …"""
    processes = sum(arm.workers for arm in spec.arm if arm.kind != "url") * instances
    distance_s = DISTANCE_S if spec.run.database_rtt_ms else 0.0
    return (
        CORES_S
        + distance_s
        + START_S_PER_PROCESS * processes
        + sum(
            len(spec.arms_of(scenario)) * _first_loads_seconds(scenario, instances)
            + instances * _waiting_s(spec, scenario)
            for scenario in spec.scenario
        )
    )


def _first_loads_seconds(scenario: Scenario, instances: int) -> float:
    """Wall time of warming up one arm's instances under a scenario, and of its pilot."""
    warm_up_s = instances * (LEAD_IN_S + WARM_UP_S + GAP_S)
    if scenario.load.model != "auto":
        return warm_up_s
    return warm_up_s + min(instances, PILOT_INSTANCES) * (LEAD_IN_S + PILOT_S + GAP_S)


def round_shape(spec: Spec, sizes: Sizes) -> RoundShape:
    """The round's shape before loads are known (for counting only)."""
    return RoundShape(
        scenarios=tuple(
            ScenarioLoads(
                entry.name,
                tuple(ClosedLoad(n + 1) for n in range(load_count(entry))),
                tuple(arm.name for arm in spec.arms_of(entry)),
            )
            for entry in spec.scenario
        ),
        instances=sizes.instances,
        pairs=sizes.pairs,
    )


def another_round_fits(elapsed_s: float, last_round_s: float, budget_s: float) -> bool:
    """Whether one more round ends within the budget (2% grace: estimates are not exact)."""
    return elapsed_s + last_round_s <= budget_s * 1.02
