"""Claims between runs: their arithmetic, and that they are seldom false and not blind."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from reports.compare.arms import ArmPair
from reports.compare.claims import Place, claim_of
from reports.compare.meetings import Meeting
from reports.compare.ratio import inverted, judged, ratio_of_ratios
from reports.model import CAPACITY
from reports.statistics import (
    Doubt,
    Estimate,
    adjusted_alpha,
    percentile_log_ratio,
    rate_log_ratio,
)
from tests.support.noise import Design, capacities, latencies
from tests.support.sample_summary import comparison

RESAMPLES = 200


def ratio(first: Estimate | Doubt, second: Estimate | Doubt) -> Estimate:
    assert isinstance(first, Estimate)
    assert isinstance(second, Estimate)
    return ratio_of_ratios(first, second)


def test_variances_add_and_freedom_is_that_of_welch() -> None:
    """Against scipy's Welch test of two samples of log ratios."""
    random = np.random.default_rng(3)
    one, two = random.normal(0.1, 0.05, 9), random.normal(0.3, 0.2, 5)
    samples = [
        Estimate(float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x))), len(x) - 1.0)
        for x in (one, two)
    ]
    found = ratio_of_ratios(*samples)
    welch = stats.ttest_ind(two, one, equal_var=False)
    low, high = welch.confidence_interval(0.95)
    assert found.df == pytest.approx(welch.df)
    assert found.log_ratio - found.half_width_log() == pytest.approx(low)
    assert found.log_ratio + found.half_width_log() == pytest.approx(high)


def test_to_turn_both_round_turns_the_ratio_round() -> None:
    first, second = Estimate(0.1, 0.02, 8.0), Estimate(0.4, 0.05, 11.0)
    turned = ratio_of_ratios(inverted(first), inverted(second))
    assert turned == inverted(ratio_of_ratios(first, second))


def test_an_uncertain_run_decides_how_much_is_known() -> None:
    sure, unsure = Estimate(0.0, 0.001, 100.0), Estimate(0.0, 0.1, 2.0)
    assert ratio_of_ratios(sure, unsure).df == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize("instances", [(3, 3), (3, 12), (12, 12)])
def test_intervals_between_runs_cover_the_truth(instances: tuple[int, int]) -> None:
    """Two runs with recorded noise; the candidate gained 20% between them, the machine halved."""
    random = np.random.default_rng(11)
    first, second = (Design(instances=each, instance_sd=0.06) for each in instances)
    hits = []
    for _ in range(1000):
        low, high, pair = capacities(random, second, math.log(1.2))
        found = ratio(
            rate_log_ratio(*capacities(random, first, 0.0)),
            rate_log_ratio(low / 2, high / 2, pair),
        )
        hits.append(abs(found.log_ratio - math.log(1.2)) <= found.half_width_log())
    assert 0.93 <= np.mean(hits) <= 0.985  # Monte Carlo error 0.7%


def test_two_runs_of_the_same_thing_seldom_claim_a_change() -> None:
    """Three scenarios, capacity and p95 each, recorded noise: claims in at most 5% of pairs."""
    random = np.random.default_rng(12)
    design = Design(instance_sd=0.06, requests=100)
    alpha = adjusted_alpha(6)
    pairs, alarms = 150, 0
    for _ in range(pairs):
        said = set()
        for _scenario in range(3):
            runs = [
                (
                    rate_log_ratio(*capacities(random, design, 0.0)),
                    percentile_log_ratio(
                        *latencies(random, design, "lognormal", 0.0), 0.95, resamples=RESAMPLES
                    ),
                )
                for _run in range(2)
            ]
            for first, second in zip(*runs, strict=True):
                word, _ = judged(ratio(first, second), alpha=alpha, equivalence_pct=0.1)
                said.add(word)
        alarms += "changed" in said
    assert alarms / pairs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / pairs)


def test_a_change_of_a_fifth_is_found_between_runs_of_24_instances() -> None:
    random = np.random.default_rng(13)
    design = Design(instances=24, rounds=4, instance_sd=0.06)
    found = 0
    for _ in range(200):
        pair = [rate_log_ratio(*capacities(random, design, x)) for x in (0.0, math.log(1.2))]
        word, _ = judged(ratio(*pair), alpha=0.05, equivalence_pct=5.0)
        found += word == "changed"
    assert found / 200 >= 0.9


def test_doubt_is_no_change() -> None:
    word, verdict = judged(Doubt("too little"), alpha=0.05, equivalence_pct=5.0)
    assert (word, verdict.change_pct, verdict.ci_pct) == ("inconclusive", None, None)


def told_by(found: Estimate) -> tuple[str, str]:
    """The word and the first reason of a claim whose reference run saw no difference at all."""
    reference, other = (
        comparison(
            CAPACITY,
            "inconclusive",
            each.change_pct,
            each.interval_pct(),
            log_standard_error=each.standard_error,
            degrees_of_freedom=each.df,
        )
        for each in (Estimate(0.0, 1e-6, 100.0), found)
    )
    arms = ArmPair("sync", "sync", (), ()), ArmPair("async", "async", (), ())
    meeting = Meeting(reference, other, *arms, None, ())
    claim = claim_of(meeting, Place("A", "B", alpha=0.05, equivalence_pct=5.0))
    return claim.verdict, claim.reasons[0]


@pytest.mark.parametrize(
    ("found", "word", "reason"),
    [
        (Estimate(0.5, 0.05, 100.0), "changed", "the whole interval lies on one side of no change"),
        (Estimate(0.0, 0.01, 100.0), "equivalent", "the whole interval lies within ±5%"),
        (Estimate(0.03, 0.005, 100.0), "equivalent", "there is a difference, but provably of less"),
        (Estimate(0.03, 0.05, 100.0), "inconclusive", "the interval holds no change as well as"),
        (Estimate(0.5, 1.0, 1.0), "inconclusive", "the interval is wider than a factor of 100"),
    ],
)
def test_a_claim_says_the_reason_of_its_own_verdict(
    found: Estimate, word: str, reason: str
) -> None:
    said, why = told_by(found)
    assert said == word
    assert why.startswith(reason)
