"""PURE: the log ratio of one metric of two arms at one load, and where its doubt comes from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from loadtests.spreads import Spreads
from reports.measures import Bools, Floats, Ints, LoadData, Pairing
from reports.model import CAPACITY, COST
from reports.percentiles import enough_beyond, fewest_samples
from reports.spreads import percentile_spreads, rate_spreads
from reports.statistics import (
    Doubt,
    Estimate,
    Latencies,
    percentile_log_ratio,
    rate_log_ratio,
    t_estimate,
)

PERCENTILES = {"response_ms.p50": 0.5, "response_ms.p95": 0.95, "response_ms.p99": 0.99}
FEWEST_CPU_S = 0.1


@dataclass(frozen=True, slots=True)
class Question:
    """One metric of one kind of request (None: the whole) to compare."""

    metric: str
    request: str | None
    primary: bool


def estimate(data: LoadData, question: Question, pairing: Pairing) -> Estimate | Doubt:
    """The log ratio of one metric, or why there is none."""
    if len(pairing.block) == 0:
        return Doubt("no block was finished by both arms")
    if question.metric == CAPACITY:
        window_s = float(np.median(data.window_s[pairing.baseline]))
        return rate_log_ratio(*_rates(data, pairing), pairing.pair, window_s)
    if question.metric == COST:
        return _cost(data, pairing)
    return _latency(data, question, pairing)


def spreads(data: LoadData, question: Question, pairing: Pairing) -> Spreads | None:
    """How much capacity or a percentile varies between instances and between blocks.

    None for cost, whose CPU times are too coarse per block, and where there is no telling.
    """
    if pairing.instances < 2 or question.metric == COST:
        return None
    if question.metric == CAPACITY:
        return rate_spreads(*_rates(data, pairing), pairing.pair)
    return percentile_spreads(*_arms(data, question, pairing), PERCENTILES[question.metric])


def _rates(data: LoadData, pairing: Pairing) -> tuple[Floats, Floats]:
    """Good answers inside the windows per second, of the paired trials of both arms."""
    rates = data.good_per_s()
    return rates[pairing.baseline], rates[pairing.candidate]


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
    arms = _arms(data, question, pairing)
    fewest = min(len(arm.values_ms) for arm in arms)
    if not enough_beyond(fewest, q):
        name = question.metric.rpartition(".")[2]
        return Doubt(f"{fewest} answers of one arm; {name} needs {fewest_samples(q)}")
    return percentile_log_ratio(*arms, q)


def _arms(data: LoadData, question: Question, pairing: Pairing) -> tuple[Latencies, Latencies]:
    """Latencies of baseline and candidate in paired blocks."""
    counted = data.steady & data.of_request(question.request) & np.isfinite(data.response_ms)
    return (
        _latencies(data, counted, pairing.baseline, pairing),
        _latencies(data, counted, pairing.candidate, pairing),
    )


def _latencies(data: LoadData, counted: Bools, rows: Ints, pairing: Pairing) -> Latencies:
    """The arm's counted requests in paired blocks, with their block and instance pair."""
    place = np.full(len(data.trials), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    chosen = counted & (place[data.row] >= 0)
    where = place[data.row[chosen]]
    return Latencies(data.response_ms[chosen], pairing.block[where], pairing.pair[where])
