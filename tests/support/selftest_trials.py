"""Trials of known-answer cases as they would be if every process were perfectly punctual."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from loadtests.selftest.behaviour import NS_PER_S, Fate
from loadtests.selftest.desk import Desk
from loadtests.selftest.plan import planned
from loadtests.selftest.record import LOG_COLUMNS, NEVER, Case, Measured, Planned, ServerLog, Trial
from loadtests.trials import SAMPLE_SCHEMA, Int64Array, TrialOutcome

START_NS = 10**12


def ideal_trial(case: Case, seed: int = 1, back_ns: int = 0) -> Trial:
    """An open trial in which all is sent as planned and answered as due; recorded `back_ns`
    later."""
    plan = planned(case, seed)
    return trial_of(case, plan, START_NS + plan.offset_ns, plan.keys, seed, back_ns)


def trial_of(
    case: Case,
    plan: Planned,
    arrival_ns: Int64Array,
    keys: Int64Array,
    seed: int = 1,
    back_ns: int = 0,
) -> Trial:
    """A trial in which these keys are asked for at these instants."""
    log = served(case, seed, arrival_ns.tolist(), keys.tolist())
    end_ns = dict(zip(log.key.tolist(), log.end_ns.tolist(), strict=True))
    timeout_ns = round(case.timeout_s * NS_PER_S)
    done_ns, errors, statuses = [], [], []
    for key, arrival in zip(keys.tolist(), arrival_ns.tolist(), strict=True):
        fate = Fate(int(plan.fate[key]))
        hung = fate == Fate.NEVER_ANSWERED
        done_ns.append(arrival + timeout_ns if hung else end_ns[key] + back_ns)
        errors.append({Fate.ANSWERED: None, Fate.FAILED: "HTTP 500"}.get(fate, "timeout"))
        statuses.append({Fate.ANSWERED: 200, Fate.FAILED: 500}.get(fate, 0))
    steady_ns = START_NS + round(case.lead_in_s * NS_PER_S)
    samples = _table(arrival_ns, keys, done_ns, errors, statuses, steady_ns)
    return Trial(0, plan, _outcome(case, samples, steady_ns), log)


def ideal(case: Case, **how: int) -> Measured:
    """The case, measured perfectly."""
    return Measured(case, (ideal_trial(case, **how),))


def served(case: Case, seed: int, arrivals_ns: list[int], keys: list[int]) -> ServerLog:
    """What the known-answer server would write down."""
    desk = Desk(case.behaviour, seed)
    stalls: tuple[tuple[int, int], ...] = ()
    for arrival_ns, key in zip(arrivals_ns, keys, strict=True):
        stalled = stalls and stalls[0][0] <= arrival_ns < stalls[0][1]
        desk.take_in(key, 0, stalls[0][1] if stalled else arrival_ns)
        if desk.stall_ns is not None:
            stalls = (desk.stall_ns,)
    columns = {name: desk.log()[:, place] for place, name in enumerate(LOG_COLUMNS)}
    columns["end_ns"] = columns["due_ns"]
    for begin_ns, stall_end_ns in stalls:
        within = (columns["due_ns"] >= begin_ns) & (columns["due_ns"] < stall_end_ns)
        columns["end_ns"] = np.where(within, stall_end_ns, columns["due_ns"])
    return ServerLog(**columns, stalls_ns=stalls)


def without_sample(trial: Trial, place: int) -> Trial:
    """The trial with one sample lost, the generator's own counts included."""
    samples = trial.outcome.samples
    kept = pa.concat_tables([samples.slice(0, place), samples.slice(place + 1)])
    return with_samples(trial, kept)


def with_samples(trial: Trial, samples: pa.Table) -> Trial:
    """The trial with other samples, and counts that agree with them."""
    count = samples.num_rows
    outcome = replace(trial.outcome, samples=samples, planned=count, sent=count, recorded=count)
    return replace(trial, outcome=outcome)


def with_column(trial: Trial, name: str, values: pa.Array) -> Trial:
    """The trial with one column of its samples replaced."""
    samples = trial.outcome.samples
    place = samples.schema.get_field_index(name)
    return with_samples(trial, samples.set_column(place, samples.schema.field(place), values))


def _table(arrival_ns, keys, done_ns, errors, statuses, steady_ns: int) -> pa.Table:
    count = len(keys)
    columns = {name: pa.nulls(count) for name in SAMPLE_SCHEMA.names}
    columns |= {
        "key": pa.array(keys),
        "arrival_ns": pa.array(arrival_ns),
        "sent_ns": pa.array(arrival_ns),
        "done_ns": pa.array(done_ns),
        "status": pa.array(statuses),
        "error": pa.array(errors, pa.string()),
        "ok": pa.array([error is None for error in errors]),
        "phase": pa.array(np.where(arrival_ns >= steady_ns, "steady", "lead-in")),
    }
    return pa.table(columns).cast(SAMPLE_SCHEMA)


def _outcome(case: Case, samples: pa.Table, steady_ns: int) -> TrialOutcome:
    count = samples.num_rows
    return TrialOutcome(
        samples=samples,
        start_ns=START_NS,
        steady_start_ns=steady_ns,
        steady_end_ns=steady_ns + round(case.steady_s * NS_PER_S),
        drained_ns=max(samples["done_ns"].to_pylist(), default=NEVER),
        planned=count,
        sent=count,
        recorded=count,
        no_free_user=0,
        generator_cpu_s=0.0,
        generator_wall_s=1.0,
    )
