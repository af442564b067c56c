"""PURE: the log ratio of one metric of two arms at one load, and where its doubt comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

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
    percentile_log_ratios,
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
    return estimates(data, [question], pairing)[0]


def estimates(
    data: LoadData, asked: Sequence[Question], pairing: Pairing
) -> list[Estimate | Doubt]:
    """The log ratio that each question is about, in their order, or why there is none.

    All percentiles of one kind of request are told at once: that sorts its samples once.
    """
    if len(pairing.block) == 0:
        return [Doubt("no block was finished by both arms") for _ in asked]
    found = {each: _of_trials(data, each, pairing) for each in asked if not _is_latency(each)}
    latencies = sorted(filter(_is_latency, asked), key=_request)
    for _, alike in groupby(latencies, key=_request):
        found.update(_latency(data, list(alike), pairing))
    return [found[each] for each in asked]


def _is_latency(question: Question) -> bool:
    return question.metric in PERCENTILES


def _request(question: Question) -> tuple[bool, str]:
    return question.request is not None, question.request or ""


def _of_trials(data: LoadData, question: Question, pairing: Pairing) -> Estimate | Doubt:
    if question.metric == COST:
        return _cost(data, pairing)
    window_s = float(np.median(data.window_s[pairing.baseline]))
    return rate_log_ratio(*_rates(data, pairing), pairing.pair, window_s)


def spreads(data: LoadData, question: Question, pairing: Pairing) -> Spreads | None:
    """How much capacity or a percentile varies between instances and between blocks.

    None for cost, whose CPU times are too coarse per block, and where there is no telling.
    """
    if pairing.instances < 2 or question.metric == COST:
        return None
    if question.metric == CAPACITY:
        return rate_spreads(*_rates(data, pairing), pairing.pair)
    return percentile_spreads(
        *paired_latencies(data, question.request, pairing), PERCENTILES[question.metric]
    )


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


def _latency(
    data: LoadData, alike: Sequence[Question], pairing: Pairing
) -> dict[Question, Estimate | Doubt]:
    """What percentiles of one kind of request say."""
    arms = paired_latencies(data, alike[0].request, pairing)
    fewest = min(len(arm.values_ms) for arm in arms)
    told = [each for each in alike if enough_beyond(fewest, PERCENTILES[each.metric])]
    ratios = percentile_log_ratios(*arms, [PERCENTILES[each.metric] for each in told])
    return {each: _too_few(fewest, each) for each in alike} | dict(zip(told, ratios, strict=True))


def _too_few(answers: int, question: Question) -> Doubt:
    name = question.metric.rpartition(".")[2]
    needed = fewest_samples(PERCENTILES[question.metric])
    return Doubt(f"{answers} answers of one arm; {name} needs {needed}")


def paired_latencies(
    data: LoadData, request: str | None, pairing: Pairing
) -> tuple[Latencies, Latencies]:
    """Latencies of baseline and candidate in paired blocks."""
    counted = data.steady & data.of_request(request) & np.isfinite(data.response_ms)
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
