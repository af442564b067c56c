"""A whole run: warm up, freeze the loads, then rounds of interleaved blocks until it is enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loadtests.plan import (
    Block,
    Origin,
    RoundShape,
    ScenarioLoads,
    derived_seed,
    plan_round,
    scenario_loads,
)
from loadtests.sameness.record import Proof
from loadtests.scenarios.model import Scenario
from loadtests.schedule import (
    LEAD_IN_S,
    PILOT_INSTANCES,
    PILOT_S,
    WARM_UP_S,
    Sizes,
    another_round_fits,
)
from loadtests.spec import Spec
from loadtests.store import RunStore
from loadtests.telemetry import Telemetry
from loadtests.testbed import Bed
from loadtests.trial_facts import (
    app_facts,
    disturbances,
    order_facts,
    outcome_facts,
    reading_facts,
)
from loadtests.trials import ClosedLoad, Generator, Load, OpenLoad, Target, TrialOrder, TrialOutcome

FEWEST_ROUNDS_TO_STOP = 2
MOST_ATTEMPTS = 2
"""How often a block is measured in which something stood still."""
BEFORE_ROUNDS = -1
"""The number of the round after which a session first looks at everything."""


class Interim(Protocol):
    """A primary comparison as it stands after some rounds."""

    @property
    def half_width_pct(self) -> float | None:
        """Half the width of its interval; None while it cannot be computed."""
        ...


class Watcher(Protocol):
    """Whoever shows progress."""

    def say(self, message: str) -> None:
        """Show one message."""
        ...

    def trial(self, order: TrialOrder, done: int, planned: int) -> None:
        """One trial is about to start; `done` of `planned` of this round are finished."""
        ...

    def round_finished(self, number: int, interims: Sequence[Interim]) -> None:
        """A round is stored, and its primaries stand like this."""
        ...


class Interruption:
    """The first Ctrl-C sets `requested`; the run ends after the trial it is in."""

    def __init__(self) -> None:
        self.requested = False


@dataclass
class Run:
    """Everything one run touches."""

    spec: Spec
    sizes: Sizes
    store: RunStore
    bed: Bed
    generator: Generator
    watcher: Watcher
    assess: Callable[[], Sequence[Interim]]
    interruption: Interruption = field(default_factory=Interruption)
    origin: Origin = field(default_factory=Origin)
    prove: Callable[[], Proof] | None = None
    """Looks whether the twins among the arms are the same; None where nothing real runs."""
    frozen: Mapping[str, tuple[Load, ...]] = field(default_factory=dict)
    """Loads that an earlier session of this run has frozen."""
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self.telemetry = Telemetry(self.bed, rows=self.store.read_telemetry())
        self.next_trial = self.origin.trial
        self.dirty: set[str] = set()
        self.targets: dict[tuple[str, int], Target] = {
            (target.arm, target.instance): target for target in self.bed.targets
        }


class _InterruptedError(Exception):
    """The person asked to stop; the trial in hand is finished."""


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
    except _InterruptedError:
        status, reason = "interrupted", "interrupted by the user"
    except BaseException as error:
        run.store.journal.write(
            "end", status="interrupted", reason=f"{type(error).__name__}: {error}"
        )
        raise
    finally:
        run.telemetry.close()
    run.store.journal.write("end", status=status, reason=reason)
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


def unrecorded_rate(
    run: Run, scenario: Scenario, target: Target, steady_s: float, seed: int
) -> float:
    """Load one instance with the scenario's users; good completions per second."""
    _check_interruption(run)
    order = TrialOrder(
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
    _put_back(run, order)
    outcome = run.generator.run_trial(order)
    run.bed.check()
    return completions_per_s(outcome)


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
            now_s - started_s, now_s - round_started_s, run.spec.run.budget_s
        ):
            return f"another round would not fit the budget of {run.spec.run.budget_s:g} s"
    return "all planned rounds are done"


def narrow_enough(interims: Sequence[Interim], target_pct: float) -> bool:
    """Whether every primary interval is as narrow as asked (never whether it is significant)."""
    widths = [interim.half_width_pct for interim in interims]
    return bool(widths) and all(width is not None and width <= target_pct for width in widths)


def measure_round(run: Run, blocks: Sequence[Block], number: int) -> None:
    """Run one round's blocks and store them, also when it ends early."""
    run.store.journal.write("round", round=number, state="planned", blocks=len(blocks))
    kept: dict[tuple[str, str], list[pa.Table]] = {}
    planned = sum(len(block.arms) for block in blocks)
    state = "abandoned"
    try:
        done = 0
        for block in blocks:
            samples = kept.setdefault((block.scenario, block.load.name), [])
            measure_block(run, block, samples, done, planned)
            done += len(block.arms)
        state = "finished"
    finally:
        for (scenario, load), tables in kept.items():
            run.store.write_samples(scenario, load, number, tables)
        run.store.write_telemetry(run.telemetry.rows)
        run.store.journal.write("round", round=number, state=state)


def measure_block(run: Run, block: Block, samples: list[pa.Table], done: int, planned: int) -> None:
    """One trial of each arm; all of them once more if something stood still in one of them.

    A block is dropped because of that sign alone, whatever it measured, and for all arms alike. Its
    samples are kept, and the journal says why they do not count.
    """
    for attempt in range(1, MOST_ATTEMPTS + 1):
        seen: dict[int, list[str]] = {}
        again = False
        try:
            for position, arm in enumerate(block.arms):
                _check_interruption(run)
                order = _order(run, block, arm)
                run.watcher.trial(order, done + position, planned)
                outcome, seen[order.trial] = measure_trial(run, order, position)
                samples.append(outcome.samples)
            again = attempt < MOST_ATTEMPTS
        finally:
            if any(seen.values()):
                _drop(run, block, seen, again=again)
        if not any(seen.values()):
            return


def _drop(run: Run, block: Block, seen: Mapping[int, Sequence[str]], *, again: bool) -> None:
    """Say openly that a block does not count, and why."""
    reason = "; ".join(
        f"{what} in trial {trial}" for trial, disturbances in seen.items() for what in disturbances
    )
    run.store.journal.write(
        "block",
        block=block.block,
        round=block.round,
        scenario=block.scenario,
        load=block.load.name,
        state="dropped",
        trials=list(seen),
        reason=reason,
        again=again,
    )
    then = "it is measured again" if again else "it is left out"
    run.watcher.say(f"Block {block.block} does not count: {reason}; {then}.")


def inspect(run: Run, number: int) -> None:
    """Look at resources, settings and tables while nothing is loaded, and write what was seen."""
    for arm in sorted(run.dirty):
        run.bed.put_back(arm)
    run.dirty.clear()
    seen = run.bed.inspect(number)
    run.store.journal.write("inspection", **seen.model_dump(mode="json"))


def _order(run: Run, block: Block, arm: str) -> TrialOrder:
    order = TrialOrder(
        trial=run.next_trial,
        round=block.round,
        block=block.block,
        scenario=block.scenario,
        load=block.load,
        target=_partner(run, arm, block.instance),
        seed=block.seed,
        lead_in_s=LEAD_IN_S,
        steady_s=run.spec.block_s_of(run.spec.scenario_named(block.scenario)),
    )
    run.next_trial += 1
    return order


def _partner(run: Run, arm: str, instance: int) -> Target:
    """The arm's instance of this number; an arm with one instance only (a URL) lends that one."""
    found = run.targets.get((arm, instance))
    return found or next(target for (name, _), target in run.targets.items() if name == arm)


def measure_trial(run: Run, order: TrialOrder, position: int) -> tuple[TrialOutcome, list[str]]:
    """One trial with its readings and its line in the journal; and what stood still in it."""
    _put_back(run, order)
    before = run.telemetry.begin(order)
    try:
        with run.bed.watching(order.target) as stops:
            outcome = run.generator.run_trial(order)
        run.bed.check()
    except BaseException as error:
        run.store.journal.write(
            "trial",
            **order_facts(order, position),
            state="abandoned",
            reason=str(error) or repr(error),
        )
        raise
    left_in_flight = run.bed.settle(order.target)
    after, counted_before = run.telemetry.end(order)
    failure = run.bed.failure(order.target)
    run.store.journal.write(
        "trial",
        **order_facts(order, position),
        state="invalid" if failure else "finished",
        **outcome_facts(outcome),
        left_in_flight=left_in_flight,
        **reading_facts(before, after),
        **app_facts(counted_before, after),
        last_error=None if pc.all(outcome.samples.column("ok")).as_py() else after.last_error,
        reason=failure,
    )
    return outcome, disturbances(outcome, stops)


def _put_back(run: Run, order: TrialOrder) -> None:
    """Restore the arm's tables before a trial that writes, and after one that did."""
    arm, writes = order.target.arm, run.spec.scenario_named(order.scenario).writes
    if writes or arm in run.dirty:
        run.bed.put_back(arm)
    run.dirty.discard(arm)
    if writes:
        run.dirty.add(arm)


def _check_interruption(run: Run) -> None:
    if run.interruption.requested:
        raise _InterruptedError


def with_rounds(sizes: Sizes, rounds: int) -> Sizes:
    """The same sizes for another number of rounds (a resumed run does what is left)."""
    return replace(sizes, rounds=rounds)
