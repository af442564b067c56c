"""The method's promises, checked on simulated runs with recorded noise and fixed seeds.

A longer version with more shapes is benchmarks/statistics/simulate.py.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from loadtests.schedule import Limits, choose_sizes
from loadtests.spec import load_spec
from reports.statistics import (
    ALPHA,
    Estimate,
    adjusted_alpha,
    percentile_log_ratio,
    rate_log_ratio,
)
from reports.verdicts import judge
from tests.support.noise import Design, Shape, capacities, latencies
from tests.support.simulated_gates import outcomes, simulated_changes
from tests.support.simulated_plan import World

RESAMPLES = 200
EFFECT = math.log(1.2)


def covered(estimate: object, truth: float, alpha: float = ALPHA) -> bool:
    assert isinstance(estimate, Estimate)
    return abs(estimate.log_ratio - truth) <= estimate.half_width_log(alpha)


@pytest.mark.parametrize("instances", [3, 12])
@pytest.mark.parametrize("block_sd", [0.08, 0.12, None])
def test_capacity_intervals_cover_the_truth(instances: int, block_sd: float | None) -> None:
    random = np.random.default_rng(5)
    design = Design(instances=instances, block_sd=block_sd, instance_sd=0.06)
    hits = [
        covered(rate_log_ratio(*capacities(random, design, EFFECT)), EFFECT) for _ in range(1500)
    ]
    assert 0.93 <= np.mean(hits) <= 0.97  # Monte Carlo error 0.6%


@pytest.mark.parametrize("silent", [1 / 3, 0.5])
@pytest.mark.parametrize("instances", [3, 12])
def test_capacity_intervals_cover_the_truth_of_an_arm_that_collapsed(
    instances: int, silent: float
) -> None:
    """A deadlocked arm answers about 8/s instead of 300, in bursts with silent blocks between."""
    random = np.random.default_rng(5)
    design = Design(instances=instances, instance_sd=0.06)
    truth = math.log(8 / 300)
    hits = []
    for _ in range(1000):
        baseline, other, pair = capacities(random, design, 0.0)
        answered = random.poisson(8 / (1 - silent) * other / 300)
        candidate = answered * (random.random(len(pair)) >= silent)
        hits.append(covered(rate_log_ratio(baseline, candidate.astype(float), pair), truth))
    assert 0.93 <= np.mean(hits) <= 0.98  # Monte Carlo error 0.7%


@pytest.mark.parametrize(
    ("instances", "q", "low", "high"),
    [(12, 0.95, 0.92, 0.985), (12, 0.99, 0.92, 1.0), (3, 0.95, 0.93, 1.0), (3, 0.99, 0.93, 1.0)],
)
@pytest.mark.parametrize("shape", ["lognormal", "stalls"])
def test_percentile_intervals_cover_the_truth(
    instances: int, q: float, low: float, high: float, shape: Shape
) -> None:
    random = np.random.default_rng(6)
    design = Design(instances=instances, block_sd=0.10)
    hits = [
        covered(
            percentile_log_ratio(*latencies(random, design, shape, EFFECT), q, resamples=RESAMPLES),
            EFFECT,
        )
        for _ in range(250)
    ]
    assert low <= np.mean(hits) <= high  # Monte Carlo error 1.4%


def test_identical_arms_seldom_differ_on_any_primary() -> None:
    """Three scenarios, capacity and p95 each, recorded noise: alarms in at most 5% of runs."""
    random = np.random.default_rng(7)
    design = Design(instance_sd=0.06, requests=100)
    alpha = adjusted_alpha(6)
    runs, alarms = 250, 0
    for _ in range(runs):
        words = set()
        for _scenario in range(3):
            for metric, estimate in (
                ("capacity_per_s", rate_log_ratio(*capacities(random, design, 0.0))),
                (
                    "response_ms.p95",
                    percentile_log_ratio(
                        *latencies(random, design, "lognormal", 0.0), 0.95, resamples=RESAMPLES
                    ),
                ),
            ):
                words.add(judge(metric, estimate, alpha=alpha, equivalence_pct=0.1).word)
        alarms += bool(words & {"faster", "slower"})
    assert alarms / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def test_treating_blocks_as_units_would_be_false() -> None:
    """Why the interval is over instance pairs: over blocks it misses the truth far too often."""
    random = np.random.default_rng(8)
    design = Design(instances=6, rounds=20, block_sd=0.08, instance_sd=0.06)
    hits = []
    for _ in range(400):
        baseline, candidate, _pair = capacities(random, design, 0.0)
        hits.append(covered(rate_log_ratio(baseline, candidate, np.zeros(120, "int64")), 0.0))
    assert np.mean(hits) < 0.7


def test_a_tenth_more_capacity_is_found_with_24_instances() -> None:
    random = np.random.default_rng(9)
    design = Design(instances=24, rounds=4, instance_sd=0.06)
    found = 0
    for _ in range(200):
        estimate = rate_log_ratio(*capacities(random, design, math.log(1.1)))
        found += judge("capacity_per_s", estimate, alpha=0.05, equivalence_pct=5).word == "faster"
    assert found / 200 >= 0.9


@pytest.mark.parametrize(("profile", "runs"), [("quick", 60), ("standard", 15)])
def test_gates_seldom_fail_a_good_run_for_its_noise(profile: str, runs: int) -> None:
    """The machine as recorded. Not one alarm in 75 runs, where each may have one in 200; thousands:
    benchmarks/statistics/gate_alarms.py."""
    random = np.random.default_rng(10)
    spec = load_spec(profile, overrides=(), environ={})
    sizes = choose_sizes(spec, Limits(memory_mb=24_000, connections=None))
    seen = [
        outcome
        for _ in range(runs)
        for outcome in outcomes(list(simulated_changes(random, spec, sizes, World())))
    ]
    assert [name for name, ok in seen if ok is False] == []
    steady = [ok for name, ok in seen if name == "steady-state"]
    assert np.mean([ok is True for ok in steady]) > 0.9, "and it can tell"
