"""Measures the statistical method on simulated runs: coverage, false alarms, alternatives.

    .venv/bin/python -m benchmarks.statistics.simulate [--repetitions N] [--table NAME]

Prints Markdown tables (kept in results.md beside this file). Seeds are fixed.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing.pool import Pool
from typing import Any

import numpy as np

from benchmarks.statistics.alternatives import (
    estimator_table,
    lost_trials_table,
    window_table,
)
from benchmarks.statistics.whole_runs import decisive_table, division_table, stalls_table
from reports.percentiles import clustered_quantiles, rank
from reports.statistics import (
    ALPHA,
    Doubt,
    Estimate,
    Latencies,
    adjusted_alpha,
    percentile_log_ratio,
    rate_log_ratio,
    t_estimate,
)
from tests.support.noise import Design, Shape, capacities, latencies

EFFECT = math.log(1.2)
SHAPES: tuple[Shape, ...] = ("lognormal", "stalls", "queue", "slow-trials")
Method = Callable[[Latencies, Latencies, float], Estimate | Doubt]


def chosen(baseline: Latencies, candidate: Latencies, q: float) -> Estimate | Doubt:
    """The method of the reports."""
    return percentile_log_ratio(baseline, candidate, q, resamples=400)


def not_levelled(baseline: Latencies, candidate: Latencies, q: float) -> Estimate | Doubt:
    """Cluster bootstrap of plainly pooled requests, t with n − 1 degrees of freedom."""
    n = int(baseline.pair.max()) + 1
    random = np.random.default_rng(1).multinomial(n, np.full(n, 1 / n), size=400)
    weights = np.concatenate([np.ones((1, n), dtype=np.int64), random])
    low, high = (
        clustered_quantiles(arm.values_ms, arm.pair, weights, q) for arm in (baseline, candidate)
    )
    logs = np.log(high / low)
    error = float(np.std(logs[1:], ddof=1) * math.sqrt(n / (n - 1)))
    return Estimate(float(logs[0]), error, n - 1.0)


def per_instance(baseline: Latencies, candidate: Latencies, q: float) -> Estimate | Doubt:
    """A t interval over each instance pair's own log ratio of percentiles."""
    return t_estimate(_unit_logs(baseline, candidate, q, "pair"))


def per_block(baseline: Latencies, candidate: Latencies, q: float) -> Estimate | Doubt:
    """A t interval over blocks, as if instances did not differ."""
    return t_estimate(_unit_logs(baseline, candidate, q, "block"))


def per_request(baseline: Latencies, candidate: Latencies, q: float) -> Estimate | Doubt:
    """Requests as the unit: a bootstrap of single requests."""
    random, logs = np.random.default_rng(1), []
    arms = [np.sort(arm.values_ms) for arm in (baseline, candidate)]
    for _ in range(40):
        drawn = [np.sort(random.choice(arm, len(arm))) for arm in arms]
        logs.append(math.log(_quantile(drawn[1], q) / _quantile(drawn[0], q)))
    middle = math.log(_quantile(arms[1], q) / _quantile(arms[0], q))
    return Estimate(middle, float(np.std(logs, ddof=1)), 1e6)


def _unit_logs(baseline: Latencies, candidate: Latencies, q: float, unit: str) -> np.ndarray:
    logs = [
        [
            math.log(_quantile(np.sort(arm.values_ms[getattr(arm, unit) == each]), q))
            for each in np.unique(getattr(arm, unit))
        ]
        for arm in (baseline, candidate)
    ]
    return np.subtract(logs[1], logs[0])


def _quantile(ordered: np.ndarray, q: float) -> float:
    return float(ordered[rank(len(ordered), q) - 1])


METHODS: dict[str, Method] = {
    "chosen": chosen,
    "not levelled": not_levelled,
    "per instance": per_instance,
    "per block": per_block,
    "per request": per_request,
}


def _hit(estimate: Estimate | Doubt, truth: float, alpha: float = ALPHA) -> tuple[bool, float]:
    assert isinstance(estimate, Estimate)
    half = estimate.half_width_log(alpha)
    return abs(estimate.log_ratio - truth) <= half, half


def percentile_coverage(job: tuple[Shape, int, float, float | None, int]) -> str:
    """One row: coverage of 95% intervals and their median half-width, per method."""
    shape, instances, q, block_sd, repetitions = job
    random = np.random.default_rng([instances, round(1000 * q), SHAPES.index(shape)])
    design = Design(instances=instances, block_sd=block_sd)
    truth = 0.0 if shape == "queue" else EFFECT
    seen: dict[str, list[tuple[bool, float]]] = {name: [] for name in METHODS}
    for _ in range(repetitions):
        arms = latencies(random, design, shape, truth)
        for name, method in METHODS.items():
            seen[name].append(_hit(method(*arms, q), truth))
    cells = [_cell(hits) for hits in seen.values()]
    noise = "recorded" if block_sd is None else f"{block_sd:.0%}"
    return f"| {shape} | {instances} | p{100 * q:g} | {noise} | " + " | ".join(cells) + " |"


def _cell(hits: list[tuple[bool, float]]) -> str:
    covered, widths = zip(*hits, strict=True)
    return f"{np.mean(covered):.1%} ±{np.median(widths):.0%}"


def capacity_coverage(job: tuple[int, float | None, float, int]) -> str:
    """One row: coverage of the capacity interval, over pairs and, wrongly, over blocks."""
    instances, block_sd, instance_sd, repetitions = job
    random = np.random.default_rng([instances, round(100 * instance_sd)])
    design = Design(instances=instances, rounds=4, block_sd=block_sd, instance_sd=instance_sd)
    pairs, blocks = [], []
    for _ in range(repetitions):
        baseline, candidate, pair = capacities(random, design, EFFECT)
        pairs.append(_hit(rate_log_ratio(baseline, candidate, pair), EFFECT))
        blocks.append(_hit(rate_log_ratio(baseline, candidate, 0 * pair), EFFECT))
    noise = "recorded" if block_sd is None else f"{block_sd:.0%}"
    return f"| {instances} | {instance_sd:.0%} | {noise} | {_cell(pairs)} | {_cell(blocks)} |"


def collapse_coverage(job: tuple[int, float, int]) -> str:
    """One row: an arm that answers 8/s instead of 300, in bursts with `silent` blocks between."""
    instances, silent, repetitions = job
    random = np.random.default_rng([instances, round(100 * silent)])
    design = Design(instances=instances, instance_sd=0.06)
    truth, hits = math.log(8 / 300), []
    for _ in range(repetitions):
        baseline, other, pair = capacities(random, design, 0.0)
        answered = random.poisson(8 / (1 - silent) * other / 300)
        candidate = (answered * (random.random(len(pair)) >= silent)).astype(np.float64)
        hits.append(_hit(rate_log_ratio(baseline, candidate, pair), truth))
    return f"| {instances} | {silent:.0%} | {_cell(hits)} |"


def false_alarms(job: tuple[int, bool, int]) -> str:
    """One row: identical arms, three scenarios with two primaries each, any alarm counts.

    With `stopping`, rounds are added until every half-width is below 12% or 8 rounds are done.
    """
    instances, stopping, repetitions = job
    random = np.random.default_rng([instances, stopping, 3])
    alpha, alarms, rounds = adjusted_alpha(6), 0, []
    for _ in range(repetitions):
        used, alarm = _simulated_run(random, Design(instances=instances), alpha, stopping)
        rounds.append(used)
        alarms += alarm
    rate = alarms / repetitions
    error = math.sqrt(rate * (1 - rate) / repetitions)
    how = "on width, 2 to 8 rounds" if stopping else "2 rounds, fixed"
    return f"| {instances} | {how} | {np.mean(rounds):.1f} | {rate:.1%} ± {error:.1%} |"


def _simulated_run(
    random: np.random.Generator, design: Design, alpha: float, stopping: bool
) -> tuple[int, bool]:
    most = replace(design, rounds=8 if stopping else 2, requests=100)
    measured = [
        (capacities(random, most, 0.0), latencies(random, most, "lognormal", 0.0)) for _ in range(3)
    ]
    for rounds in range(2, most.rounds + 1):
        estimates = list(_first_rounds(measured, most, rounds))
        widths = [each.half_width_log(alpha) for each in estimates]
        if rounds == most.rounds or max(widths) <= 0.12:
            return rounds, any(
                abs(each.log_ratio) > width for each, width in zip(estimates, widths, strict=True)
            )
    raise AssertionError("unreachable")


def _first_rounds(measured: list, design: Design, rounds: int) -> Iterator[Estimate]:
    for (baseline, candidate, pair), arms in measured:
        early = np.arange(len(pair)) % design.rounds < rounds
        yield rate_log_ratio(baseline[early], candidate[early], pair[early])
        parts = []
        for arm in arms:
            kept = arm.block % design.rounds < rounds
            parts.append(Latencies(arm.values_ms[kept], arm.block[kept], arm.pair[kept]))
        yield percentile_log_ratio(*parts, 0.95, resamples=200)


def percentile_table(pool: Pool, repetitions: int) -> None:
    """Coverage of 95% intervals of percentiles and their median half-width, per method."""
    print(f"## Percentiles: n pairs × 2 rounds × 200 requests, {repetitions} repetitions\n")
    print("| shape | n | q | block sd | " + " | ".join(METHODS) + " |")
    print("|" + "---|" * (4 + len(METHODS)))
    jobs = [
        (shape, n, q, block_sd, repetitions)
        for shape in SHAPES
        for n in (3, 12)
        for q in (0.95, 0.99)
        for block_sd in (0.10, None)
    ]
    _print_rows(pool, percentile_coverage, jobs)


def capacity_table(pool: Pool, repetitions: int) -> None:
    """Coverage of 95% intervals of capacity, over pairs and over blocks."""
    print(f"\n## Capacity: n pairs × 4 rounds, {2 * repetitions} repetitions\n")
    print("| n | instance sd | block sd | over pairs (chosen) | over blocks |")
    print("|---|---|---|---|---|")
    jobs = [
        (n, block_sd, instance_sd, 2 * repetitions)
        for n in (3, 6, 12)
        for instance_sd in (0.04, 0.06)
        for block_sd in (0.08, 0.12, None)
    ]
    _print_rows(pool, capacity_coverage, jobs)


def collapse_table(pool: Pool, repetitions: int) -> None:
    """Coverage of 95% intervals of capacity where one arm all but stopped."""
    print(f"\n## One arm collapsed to 8/s: n pairs × 2 rounds, {2 * repetitions} repetitions\n")
    print("| n | silent blocks | over pairs (chosen) |\n|---|---|---|")
    jobs = [(n, silent, 2 * repetitions) for n in (3, 12) for silent in (0.0, 0.33, 0.5)]
    _print_rows(pool, collapse_coverage, jobs)


def alarm_table(pool: Pool, repetitions: int) -> None:
    """How often identical arms are said to differ on any of six primaries."""
    print(f"\n## Identical arms, six primaries, recorded noise, {repetitions} repetitions\n")
    print("| n | stopping | mean rounds | runs with any alarm |\n|---|---|---|---|")
    jobs = [(12, True, repetitions), (12, False, repetitions), (3, False, repetitions)]
    _print_rows(pool, false_alarms, jobs)


def _print_rows(pool: Pool, row_of: Callable[[Any], str], jobs: Sequence[Any]) -> None:
    for row in pool.imap(row_of, jobs):
        print(row, flush=True)


TABLES = {
    "percentiles": percentile_table,
    "capacity": capacity_table,
    "collapse": collapse_table,
    "alarms": alarm_table,
    "decisive": decisive_table,
    "stalls": stalls_table,
    "division": division_table,
    "windows": window_table,
    "estimators": estimator_table,
    "lost-trials": lost_trials_table,
}


def main() -> None:
    """Print the tables asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=1000)
    parser.add_argument("--table", choices=TABLES, action="append")
    options = parser.parse_args()
    with multiprocessing.Pool(2) as pool:
        for name in options.table or TABLES:
            TABLES[name](pool, options.repetitions)


if __name__ == "__main__":
    main()
