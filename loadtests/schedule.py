"""PURE: how many instances and rounds fit the memory, the connections and the budget, and how long
a run takes."""

from __future__ import annotations

from dataclasses import dataclass

from loadtests.plan import RoundShape, load_count
from loadtests.spec import Arm, Spec

USUAL_INSTANCES = 12
FEWEST_INSTANCES = 3
FEWEST_ROUNDS = 2
MOST_ROUNDS = 40
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
DISTANCE_S = 2.5
"""Starting the relay and measuring through it, where a distance was asked for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the machine and the database allow."""

    memory_mb: float | None
    connections: int | None
    """Connections free for arms; None where there is no database of ours."""


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

    @property
    def measuring_s(self) -> float:
        """Wall time from the first trial to the last."""
        return self.rounds * self.round_s


def choose_sizes(spec: Spec, limits: Limits) -> Sizes:
    """Replace every "auto" by a number: instances first (12, or what fits), then rounds."""
    pairs = 1 if spec.run.pairs == "auto" else spec.run.pairs
    instances, notes = _instances(spec, limits)
    per_instance_s = round_seconds(spec, 1, pairs)
    if spec.run.instances == "auto" and spec.run.rounds == "auto":
        fits = int(spec.run.budget_s / (FEWEST_ROUNDS * per_instance_s))
        if fits < instances:
            instances = min(instances, max(FEWEST_INSTANCES, fits))
            notes.append(f"{instances} instances, so that {FEWEST_ROUNDS} rounds fit the budget")
    round_s = round_seconds(spec, instances, pairs)
    fixed = spec.run.rounds != "auto"
    rounds = (
        spec.run.rounds
        if spec.run.rounds != "auto"
        else max(1, min(MOST_ROUNDS, int(spec.run.budget_s / round_s)))
    )
    return Sizes(
        instances=instances,
        rounds=rounds,
        pairs=pairs,
        round_s=round_s,
        set_up_s=set_up_seconds(spec, instances),
        rounds_are_fixed=fixed,
        notes=tuple(notes),
    )


def _instances(spec: Spec, limits: Limits) -> tuple[int, list[str]]:
    if spec.run.instances != "auto":
        return spec.run.instances, []
    instances, notes = USUAL_INSTANCES, []
    ours = [arm for arm in spec.arm if arm.kind != "url"]
    processes = sum(arm.workers for arm in ours)
    if limits.memory_mb is not None and processes:
        fits = int(limits.memory_mb * MEMORY_SHARE / (processes * PROCESS_MEMORY_MB))
        if fits < instances:
            instances = max(1, fits)
            notes.append(f"{instances} instances: more would not fit {limits.memory_mb:.0f} MB")
    wanted = sum(arm.connections for arm in ours)
    if limits.connections is not None and wanted:
        fits = limits.connections // wanted
        if fits < instances:
            instances = max(1, fits)
            notes.append(
                f"{instances} instances: the server leaves {limits.connections} connections"
            )
    return instances, notes


def connections_needed(arms: tuple[Arm, ...], instances: int) -> int:
    """Connections all instances together may hold."""
    return instances * sum(arm.connections for arm in arms if arm.kind != "url")


def trial_seconds(spec: Spec, writes: bool) -> float:
    """Wall time of one trial with its lead-in, gap and tables put back."""
    return LEAD_IN_S + spec.run.block_s + GAP_S + (RESET_S if writes else 0.0)


def round_seconds(spec: Spec, instances: int, pairs: int) -> float:
    """Wall time of one round."""
    per_instance = sum(
        load_count(scenario) * trial_seconds(spec, scenario.writes) for scenario in spec.scenario
    )
    return per_instance * len(spec.arm) * instances * pairs


def set_up_seconds(spec: Spec, instances: int) -> float:
    """Wall time before the first trial: starting instances, warming each up, the pilot …"""
    processes = sum(arm.workers for arm in spec.arm if arm.kind != "url") * instances
    warm_up_s = instances * len(spec.scenario) * (LEAD_IN_S + WARM_UP_S + GAP_S)
    piloted = sum(scenario.load.model == "auto" for scenario in spec.scenario)
    pilot_s = min(instances, PILOT_INSTANCES) * piloted * (LEAD_IN_S + PILOT_S + GAP_S)
    distance_s = DISTANCE_S if spec.run.database_rtt_ms else 0.0
    return distance_s + START_S_PER_PROCESS * processes + len(spec.arm) * (warm_up_s + pilot_s)


def round_shape(spec: Spec, sizes: Sizes) -> RoundShape:
    """The round's shape before loads are known (for counting only)."""
    from loadtests.plan import ScenarioLoads
    from loadtests.trials import ClosedLoad

    return RoundShape(
        arms=tuple(arm.name for arm in spec.arm),
        scenarios=tuple(
            ScenarioLoads(entry.name, tuple(ClosedLoad(n + 1) for n in range(load_count(entry))))
            for entry in spec.scenario
        ),
        instances=sizes.instances,
        pairs=sizes.pairs,
    )


def another_round_fits(elapsed_s: float, last_round_s: float, budget_s: float) -> bool:
    """Whether one more round ends within the budget (2% grace: estimates are not exact)."""
    return elapsed_s + last_round_s <= budget_s * 1.02
