"""Rounds of blocks of trials: measured, journalled, measured again when something stood still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from loadtests.plan import Block
from loadtests.run_state import Run, check_interruption
from loadtests.schedule import LEAD_IN_S
from loadtests.trial_facts import (
    app_facts,
    counter_facts,
    disturbances,
    order_facts,
    outcome_facts,
    reading_facts,
)
from loadtests.trials import Target, TrialOrder, TrialOutcome

MOST_ATTEMPTS = 2
"""How often a block is measured in which something stood still."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial that was measured: what the generator saw, what stood still in it, what the app
    says of its last error if there were any, why the instance can be measured no more, and how many
    requests it still had to do after the wait for it (None where it does not tell)."""

    number: int
    outcome: TrialOutcome
    disturbed: Sequence[str]
    last_error: str | None
    failure: str | None
    left_in_flight: int | None = None


Trials = dict[str, Trial]
"""The trials of a block by arm; empty when the block does not count."""


def measure_round(run: Run, blocks: Sequence[Block], number: int) -> list[Trials]:
    """Run one round's blocks and store them, also when it ends early."""
    run.store.journal.write("round", round=number, state="planned", blocks=len(blocks))
    kept: dict[tuple[str, str], list[pa.Table]] = {}
    planned = sum(len(block.arms) for block in blocks)
    state = "abandoned"
    measured: list[Trials] = []
    try:
        done = 0
        for block in blocks:
            samples = kept.setdefault((block.scenario, block.load.name), [])
            measured.append(measure_block(run, block, samples, done, planned))
            done += len(block.arms)
        state = "finished"
    finally:
        for (scenario, load), tables in kept.items():
            if tables:
                run.store.write_samples(scenario, load, number, tables)
        run.store.write_telemetry(run.telemetry.rows)
        run.store.journal.write("round", round=number, state=state)
    return measured


def measure_block(
    run: Run, block: Block, samples: list[pa.Table], done: int, planned: int
) -> Trials:
    """One trial of each arm; all of them once more if something stood still in one of them.

    A block is dropped because of that sign alone, whatever it measured, and for all arms alike. Its
    samples are kept, and the journal says why they do not count.
    """
    for attempt in range(1, MOST_ATTEMPTS + 1):
        trials: Trials = {}
        again = False
        try:
            for position, arm in enumerate(block.arms):
                check_interruption(run)
                order = _order(run, block, arm)
                run.watcher.trial(order, done + position, planned)
                trials[arm] = trial = measure_trial(run, order, position)
                samples.append(trial.outcome.samples)
            again = attempt < MOST_ATTEMPTS
        finally:
            if reason := _what_stood_still(trials):
                drop(run, block, trials, reason, again=again)
        if not reason:
            return trials
    return {}


def _what_stood_still(trials: Trials) -> str:
    return "; ".join(
        f"{what} in trial {trial.number}" for trial in trials.values() for what in trial.disturbed
    )


def drop(run: Run, block: Block, trials: Trials, reason: str, *, again: bool) -> None:
    """Say openly that a block does not count, and why."""
    run.store.journal.write(
        "block",
        block=block.block,
        round=block.round,
        scenario=block.scenario,
        load=block.load.name,
        state="dropped",
        trials=[trial.number for trial in trials.values()],
        stood_still=[trial.number for trial in trials.values() if trial.disturbed],
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
        target=partner(run, arm, block.instance),
        seed=block.seed,
        lead_in_s=LEAD_IN_S,
        steady_s=run.spec.block_s_of(run.spec.scenario_named(block.scenario)),
    )
    run.next_trial += 1
    return order


def partner(run: Run, arm: str, instance: int) -> Target:
    """The arm's instance of this number; an arm with one instance only (a URL) lends that one."""
    found = run.targets.get((arm, instance))
    return found or next(target for (name, _), target in run.targets.items() if name == arm)


def measure_trial(run: Run, order: TrialOrder, position: int) -> Trial:
    """One trial with its readings and its line in the journal."""
    put_back(run, order)
    counted = run.bed.server_counters()
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
    left_in_flight = run.bed.settle(order.target, run.settle_within_s)
    after, counted_before = run.telemetry.end(order)
    failure = run.bed.failure(order.target)
    last_error = None if pc.all(outcome.samples.column("ok")).as_py() else after.last_error
    run.store.journal.write(
        "trial",
        **order_facts(order, position),
        state="invalid" if failure else "finished",
        **outcome_facts(outcome),
        left_in_flight=left_in_flight,
        **reading_facts(before, after),
        **app_facts(counted_before, after),
        server=counter_facts(counted, run.bed.server_counters()),
        last_error=last_error,
        reason=failure,
    )
    return Trial(
        order.trial, outcome, disturbances(outcome, stops), last_error, failure, left_in_flight
    )


def put_back(run: Run, order: TrialOrder) -> None:
    """Restore the arm's tables before a trial that writes, and after one that did."""
    arm, writes = order.target.arm, run.spec.scenario_named(order.scenario).writes
    if writes or arm in run.dirty:
        run.bed.put_back(arm)
    run.dirty.discard(arm)
    if writes:
        run.dirty.add(arm)
