"""PURE: the candidate against the baseline at one load: estimates, then verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from loadtests.scenarios.model import Scenario
from reports.gates import LATENCY_ONLY, saturation, unequal_errors
from reports.measures import Bools, Floats, Ints, LoadData, Pairing, pair_blocks, tidy
from reports.model import Comparison, GateResult
from reports.percentiles import enough_beyond, fewest_samples
from reports.statistics import (
    ALPHA,
    Doubt,
    Estimate,
    Latencies,
    percentile_log_ratio,
    rate_log_ratio,
    t_estimate,
)
from reports.verdicts import judge

CAPACITY, CPU = "capacity_per_s", "cpu_ms_per_request"
PERCENTILES = {"response_ms.p50": 0.5, "response_ms.p95": 0.95, "response_ms.p99": 0.99}
PRIMARY_LATENCY = "response_ms.p95"
FEWEST_CPU_S = 0.1
FEW_INSTANCES = 3


@dataclass(frozen=True, slots=True)
class Question:
    """One metric of one kind of request (None: the whole) to compare."""

    metric: str
    request: str | None
    primary: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """What the spec fixed before the run."""

    primary_alpha: float
    equivalence_pct: float


def questions(
    data: LoadData, scenario: Scenario, requests: Sequence[str], is_primary_load: bool
) -> Iterator[Question]:
    """What is compared at a load, the primary first.

    Closed loads judge capacity and cost, open loads latency and cost. The whole is left out where
    there is one kind of request, since it would say the same twice. Where errors are expected
    capacity is all: it counts good answers, while a cost per request would count failures too.
    """
    if scenario.expect_errors:
        yield Question(CAPACITY, None, is_primary_load)
        return
    if data.facts.model == "closed":
        yield Question(CAPACITY, None, is_primary_load)
    else:
        judged = scenario.judged_request
        if is_primary_load:
            yield Question(PRIMARY_LATENCY, judged, True)
        names = (None, *requests) if len(requests) != 1 else tuple(requests)
        for name in names:
            for metric in PERCENTILES:
                if not (is_primary_load and metric == PRIMARY_LATENCY and name == judged):
                    yield Question(metric, name, False)
    yield Question(CPU, None, False)


def compare(
    data: LoadData,
    baseline: str,
    candidate: str,
    asked: Sequence[Question],
    gates: Sequence[GateResult],
    rules: Rules,
) -> list[Comparison]:
    """A Comparison for each question asked of two arms at one load."""
    pairing = pair_blocks(data.trials, baseline, candidate)
    remarks = _remarks(data, pairing, (baseline, candidate))
    return [
        _comparison(data, baseline, candidate, question, pairing, gates, remarks, rules)
        for question in asked
    ]


def _comparison(
    data: LoadData,
    baseline: str,
    candidate: str,
    question: Question,
    pairing: Pairing,
    gates: Sequence[GateResult],
    remarks: Sequence[str],
    rules: Rules,
) -> Comparison:
    verdict = judge(
        question.metric,
        estimate(data, question, pairing),
        alpha=rules.primary_alpha if question.primary else ALPHA,
        equivalence_pct=rules.equivalence_pct,
        failed_gates=[
            f"{gate.name} ({gate.arm or 'all arms'}): {gate.detail}"
            for gate in gates
            if gate.ok is False and _concerns(gate, data, question, (baseline, candidate))
        ],
        remarks=remarks,
    )
    ci = verdict.ci_pct
    return Comparison(
        load=data.facts.load,
        metric=question.metric,
        request=question.request,
        primary=question.primary,
        baseline=baseline,
        candidate=candidate,
        change_pct=tidy(verdict.change_pct),
        ci95_pct=None if ci is None else (tidy(ci[0]) or 0.0, tidy(ci[1]) or 0.0),
        mde_pct=tidy(verdict.mde_pct),
        instances=pairing.instances,
        rounds=pairing.rounds,
        blocks=len(pairing.block),
        scope=pairing.scope,
        verdict=verdict.word,
        reasons=verdict.reasons,
    )


def _concerns(gate: GateResult, data: LoadData, question: Question, arms: tuple[str, str]) -> bool:
    if gate.arm is not None and gate.arm not in arms:
        return False
    if gate.load is not None and gate.load != data.facts.load:
        return False
    return gate.name not in LATENCY_ONLY or question.metric != CPU


def _remarks(data: LoadData, pairing: Pairing, arms: tuple[str, str]) -> list[str]:
    remarks = [saturation(data, arm) for arm in arms]
    remarks.append(unequal_errors(data, arms))
    remarks.append(_silence(data, pairing, arms))
    if len(pairing.block) == 0:
        return [remark for remark in remarks if remark]
    if pairing.scope == "these instances":
        remarks.append("one instance only: this speaks of these processes, not of the program")
    elif pairing.instances < FEW_INSTANCES:
        remarks.append(f"{pairing.instances} instance pairs only: start more to learn more")
    return [remark for remark in remarks if remark]


def _silence(data: LoadData, pairing: Pairing, arms: tuple[str, str]) -> str | None:
    """A remark when one arm never answered inside a window of a closed load."""
    if data.facts.model != "closed":
        return None
    rates = data.good_per_s()
    silent = [
        arm
        for arm, rows in zip(arms, (pairing.baseline, pairing.candidate), strict=True)
        if len(rows) and not rates[rows].any()
    ]
    if len(silent) != 1:
        return None
    return (
        f"{silent[0]} gave no good answer in any measured window; it counts as half an answer per "
        "instance, so the true difference is larger"
    )


def estimate(data: LoadData, question: Question, pairing: Pairing) -> Estimate | Doubt:
    """The log ratio of one metric, or why there is none."""
    if len(pairing.block) == 0:
        return Doubt("no block was finished by both arms")
    if question.metric == CAPACITY:
        return _capacity(data, pairing)
    if question.metric == CPU:
        return _cost(data, pairing)
    return _latency(data, question, pairing)


def _capacity(data: LoadData, pairing: Pairing) -> Estimate | Doubt:
    """Good answers inside the windows, summed over blocks before dividing."""
    rates = data.good_per_s()
    return rate_log_ratio(
        rates[pairing.baseline],
        rates[pairing.candidate],
        pairing.pair,
        float(np.median(data.window_s[pairing.baseline])),
    )


def _cost(data: LoadData, pairing: Pairing) -> Estimate | Doubt:
    """CPU seconds of an instance over its requests, summed over its blocks before dividing."""
    unit = pairing.pair if pairing.instances > 1 else pairing.block
    _, index = np.unique(unit, return_inverse=True)
    costs = []
    for rows in (pairing.baseline, pairing.candidate):
        cpu_s = _summed(data, "app_cpu_s", rows, index)
        requests = _summed(data, "recorded", rows, index)
        if not np.all(np.isfinite(cpu_s)):
            return Doubt("an arm's CPU time is not known")
        if np.any(cpu_s < FEWEST_CPU_S) or np.any(requests < 1):
            return Doubt(
                f"an instance used less than {FEWEST_CPU_S:g} s of CPU: too little to tell"
            )
        costs.append(cpu_s / requests)
    return t_estimate(np.log(costs[1] / costs[0]))


def _summed(data: LoadData, column: str, rows: Ints, index: Ints) -> Floats:
    values = data.trials[column].to_numpy(dtype="float64")[rows]
    return np.bincount(index, weights=values).astype(np.float64)


def _latency(data: LoadData, question: Question, pairing: Pairing) -> Estimate | Doubt:
    q = PERCENTILES[question.metric]
    counted = data.steady & data.of_request(question.request) & np.isfinite(data.response_ms)
    arms = [
        _latencies(data, counted, rows, pairing) for rows in (pairing.baseline, pairing.candidate)
    ]
    fewest = min(len(arm.values_ms) for arm in arms)
    if not enough_beyond(fewest, q):
        name = question.metric.rpartition(".")[2]
        return Doubt(f"{fewest} answers of one arm; {name} needs {fewest_samples(q)}")
    return percentile_log_ratio(arms[0], arms[1], q)


def _latencies(data: LoadData, counted: Bools, rows: Ints, pairing: Pairing) -> Latencies:
    """The arm's counted requests in paired blocks, with their block and instance pair."""
    place = np.full(len(data.trials), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    chosen = counted & (place[data.row] >= 0)
    where = place[data.row[chosen]]
    return Latencies(data.response_ms[chosen], pairing.block[where], pairing.pair[where])
