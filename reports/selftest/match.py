"""PURE: the plan, the generator's samples and the server's log of a trial, request by request."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from loadtests.selftest.behaviour import Fate
from loadtests.selftest.record import NEVER, Case, Trial
from loadtests.trials import Int64Array
from reports.selftest.theory import Floats, lindley_s, through_stall_s

NS_PER_S = 1e9
NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True)
class Matched:
    """The steady, good requests of a trial, one entry each, in ms; what it takes to judge them.

    `measured_ms`: the response time that was recorded. `log_ms`: from when the request was due
    until its answer left the server, by the server's log. `theory_ms`: the known answer.
    `late_ms`: the server's own lateness in answering. Without a schedule (closed load) a request is
    due when it is sent, and `theory_ms` is what the server meant to take.
    """

    key: Int64Array
    due_ns: Int64Array
    measured_ms: Floats
    log_ms: Floats
    theory_ms: Floats
    late_ms: Floats
    sending_ms: Floats
    way_there_ms: Floats
    way_back_ms: Floats


@dataclass(frozen=True, slots=True)
class Counts:
    """How many requests each side knows of, and what does not fit, in words."""

    planned: int | None
    served: int
    recorded: int
    faults: tuple[str, ...]


def counted(case: Case, trial: Trial) -> Counts:
    """Whether every planned request is in the samples once, at its instant, and in the log once."""
    outcome, samples = trial.outcome, trial.outcome.samples
    recorded, served = samples.num_rows, len(trial.log.key)
    said = {"planned": outcome.planned, "sent": outcome.sent, "recorded": outcome.recorded}
    faults = [
        f"the generator says {number} {word}, its samples are {recorded}"
        for word, number in said.items()
        if number != recorded
    ]
    if not recorded:
        faults.append("nothing was recorded")
    keys = samples["key"].to_numpy(zero_copy_only=False)
    if samples["key"].null_count:
        if served != recorded:
            faults.append(f"{served} served, {recorded} recorded")
        return Counts(None, served, recorded, tuple(faults))
    faults += _differences(trial.log.key, keys.astype(np.int64), "served", "recorded")
    if not case.is_open:
        return Counts(None, served, recorded, tuple(faults))
    plan = trial.planned
    faults += _differences(plan.keys, keys.astype(np.int64), "planned", "recorded")
    faults += _not_as_planned(trial)
    return Counts(len(plan.keys), served, recorded, tuple(faults))


def _differences(first: Int64Array, second: Int64Array, one: str, other: str) -> list[str]:
    """Requests that one side has and the other has not, or that a side has twice."""
    faults = []
    for keys, where in ((first, one), (second, other)):
        if twice := len(keys) - len(np.unique(keys)):
            faults.append(f"{twice} {where} twice")
    if missing := len(np.setdiff1d(first, second)):
        faults.append(f"{missing} {one} but not {other}")
    if missing := len(np.setdiff1d(second, first)):
        faults.append(f"{missing} {other} but not {one}")
    return faults


def _not_as_planned(trial: Trial) -> list[str]:
    """Arrivals in the samples that are not the plan's."""
    due_ns = trial.outcome.start_ns + trial.planned.offset_ns
    arrival_ns = trial.outcome.samples["arrival_ns"].to_numpy()
    if len(due_ns) != len(arrival_ns):
        return []  # told as a difference of counts
    wrong = int(np.sum(due_ns != arrival_ns))
    return [f"{wrong} recorded as due at another instant than planned"] if wrong else []


def expected_counts(case: Case, trial: Trial) -> tuple[int | None, int, int]:
    """Requests that were to go wrong, by the plan, by the log, and by the samples.

    The plan cannot tell where a server closes connections without a word: a request may be under
    way on one already (RFC 9112, 9.3.1); the log has it as never answered.
    """
    wrong = trial.planned.fate != Fate.ANSWERED
    foretold = case.is_open and case.behaviour.hangs_up != "unannounced"
    by_plan = int(wrong[trial.planned.keys].sum()) if foretold else None
    by_log = int((wrong[trial.log.key] | (trial.log.due_ns == NEVER)).sum())
    recorded = trial.outcome.samples["ok"].to_numpy(zero_copy_only=False)
    return by_plan, by_log, int((~recorded).sum())


def matched(case: Case, trial: Trial) -> Matched:
    """The steady, good requests that samples, log and (open load) plan all have."""
    samples = trial.outcome.samples.select(
        ["key", "arrival_ns", "sent_ns", "done_ns", "ok", "phase"]
    ).to_pandas()
    good = samples[samples.ok & (samples.phase == "steady") & samples.key.notna()]
    log = trial.log
    table = pd.DataFrame(
        {
            "key": log.key,
            "read_ns": log.read_ns,
            "start_ns": log.start_ns,
            "answer_ns": log.due_ns,
            "end_ns": log.end_ns,
        }
    )
    table = table[table.end_ns != NEVER].drop_duplicates("key")
    table = table.merge(good.drop_duplicates("key"), on="key")
    table = table.merge(_known(case, trial, table), on="key")
    late_ns = table.end_ns - _visible_ns(trial, table.answer_ns.to_numpy())
    return Matched(
        key=table.key.to_numpy(dtype=np.int64),
        due_ns=table.plan_ns.to_numpy(dtype=np.int64),
        measured_ms=_ms(table.done_ns - table.arrival_ns),
        log_ms=_ms(table.end_ns - table.plan_ns),
        theory_ms=_ms(table.theory_ns),
        late_ms=_ms(late_ns),
        sending_ms=_ms(table.sent_ns - table.plan_ns),
        way_there_ms=_ms(table.read_ns - table.sent_ns),
        way_back_ms=_ms(table.done_ns - table.end_ns),
    )


def _ms(ns: pd.Series) -> Floats:
    return np.asarray(ns.to_numpy(dtype=np.float64) / NS_PER_MS, dtype=np.float64)


def _known(case: Case, trial: Trial, table: pd.DataFrame) -> pd.DataFrame:
    """Per key when it was due and the known answer, both in ns."""
    if not case.is_open:
        means_ns = table.answer_ns - table.read_ns
        return pd.DataFrame({"key": table.key, "plan_ns": table.arrival_ns, "theory_ns": means_ns})
    plan, start_ns = trial.planned, trial.outcome.start_ns
    return pd.DataFrame(
        {
            "key": plan.keys,
            "plan_ns": plan.offset_ns + start_ns,
            "theory_ns": theory_s(case, trial) * NS_PER_S,
        }
    )


def theory_s(case: Case, trial: Trial) -> Floats:
    """The known answer to each planned request, from the plan and the drawn service times; of the
    log nothing is used but when the stall was."""
    plan = trial.planned
    offset_s, service_s = plan.offset_ns / NS_PER_S, plan.service_ns[plan.keys] / NS_PER_S
    one = case.behaviour.one_at_a_time
    for begin_ns, end_ns in trial.log.stalls_ns:
        start_ns = trial.outcome.start_ns
        stall_s = (begin_ns - start_ns) / NS_PER_S, (end_ns - start_ns) / NS_PER_S
        return through_stall_s(offset_s, service_s, stall_s, one_at_a_time=one)
    return lindley_s(offset_s, service_s) if one else service_s


def _visible_ns(trial: Trial, answer_ns: Int64Array) -> Int64Array:
    """When each answer could leave: as it was due, or at the end of the stall it was due in."""
    for begin_ns, end_ns in trial.log.stalls_ns:
        within = (answer_ns >= begin_ns) & (answer_ns < end_ns)
        answer_ns = np.where(within, end_ns, answer_ns)
    return answer_ns
