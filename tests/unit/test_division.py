"""A budget divided between instances and rounds; spreads and what they let one resolve."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from loadtests.division import FEWEST_ROUNDS, best_division
from loadtests.spreads import PRIOR, Spreads
from reports.resolution import Replication, outlook, resolvable_pct
from reports.spreads import nested_spreads, percentile_spreads, rate_spreads
from reports.statistics import Estimate, adjusted_alpha, percentile_log_ratio, rate_log_ratio
from tests.support.noise import Design, capacities, latencies


class TestBestDivision:
    @pytest.mark.parametrize("budget_s", [40, 100, 388, 1862, 9000])
    def test_nothing_that_fits_is_narrower(self, budget_s: float) -> None:
        instances, rounds = best_division(budget_s, 5.0, 28)
        assert instances * rounds * 5.0 <= budget_s
        others = itertools.product(range(3, 29), range(FEWEST_ROUNDS, 41))
        fit = [pair for pair in others if pair[0] * pair[1] * 5.0 <= budget_s]
        best = min(PRIOR.variance(*pair) for pair in fit)
        assert PRIOR.variance(instances, rounds) == pytest.approx(best)

    def test_instances_come_before_rounds_and_then_rounds_fill_the_budget(self) -> None:
        assert best_division(400, 10.0, 28) == (20, 2)
        assert best_division(2800, 10.0, 28) == (28, 10)

    def test_what_does_not_fit_is_the_fewest_instances_once(self) -> None:
        assert best_division(10, 10.0, 28) == (3, 1)
        assert best_division(50, 10.0, 2) == (2, 2)


class TestSpreads:
    def test_they_are_those_of_a_nested_analysis_of_variance(self) -> None:
        """Worked by hand: means 1, 3, 5; MS between 8 (2 blocks each), MS within 2."""
        units = np.array([0.0, 2.0, 2.0, 4.0, 4.0, 6.0])
        found = nested_spreads(units, np.array([7, 7, 8, 8, 9, 9]))
        assert found is not None
        assert found.block_sd == pytest.approx(math.sqrt(2))
        assert found.instance_sd == pytest.approx(math.sqrt((8 - 2) / 2))

    @pytest.mark.parametrize("instance_sd", [0.02, 0.08])
    def test_known_spreads_are_found(self, instance_sd: float) -> None:
        random = np.random.default_rng(4)
        design = Design(instances=24, rounds=4, block_sd=0.10, instance_sd=instance_sd)
        rates, tails = [], []
        for _ in range(60):
            rates.append(rate_spreads(*capacities(random, design, 0.1)))
            arms = latencies(random, design, "lognormal", 0.1)
            tails.append(percentile_spreads(*arms, 0.5))
        for found in (rates, tails):
            between = np.mean([each.instance_sd**2 for each in found if each])
            within = np.mean([each.block_sd**2 for each in found if each])
            assert math.sqrt(between) == pytest.approx(instance_sd, abs=0.015)
            assert math.sqrt(within) == pytest.approx(0.11, abs=0.02)

    def test_they_explain_the_standard_error(self) -> None:
        random = np.random.default_rng(5)
        design = Design(instances=12, rounds=3, block_sd=0.10, instance_sd=0.06)
        for _ in range(5):
            rates = capacities(random, design, 0.0)
            found, estimate = rate_spreads(*rates), rate_log_ratio(*rates)
            assert found is not None
            assert isinstance(estimate, Estimate)
            if found.instance_sd > 0:
                explained = math.sqrt(found.variance(12, 3))
                assert explained == pytest.approx(estimate.standard_error, rel=0.01)

    @pytest.mark.parametrize(
        ("units", "pair"),
        [([1.0, 2.0], [0, 1]), ([1.0, 2.0], [0, 0]), ([], []), ([np.nan] * 4, [0, 0, 1, 1])],
    )
    def test_without_replication_there_is_none(self, units: list[float], pair: list[int]) -> None:
        assert nested_spreads(np.array(units), np.array(pair, dtype="int64")) is None


class TestOutlook:
    @pytest.mark.parametrize(
        ("spreads", "rounds"), [(Spreads(0.06, 0.11), 2), (Spreads(0, 0.2), 4)]
    )
    def test_it_is_what_the_spreads_resolve_with_twice_as_many(
        self, spreads: Spreads, rounds: int
    ) -> None:
        now = Estimate(0.0, math.sqrt(spreads.variance(12, rounds)), 11.0)
        ahead = outlook(now, spreads, rounds, adjusted_alpha(6))
        more_instances = resolvable_pct(spreads, Replication(24, rounds, 6))
        more_rounds = resolvable_pct(spreads, Replication(12, 2 * rounds, 6))
        assert ahead.twice_instances_pct == pytest.approx(more_instances)
        assert ahead.twice_rounds_pct == pytest.approx(more_rounds)

    def test_rounds_do_not_help_where_instances_make_the_difference(self) -> None:
        now = Estimate(0.0, 0.03, 11.0)
        ahead = outlook(now, Spreads(0.1, 1e-6), 2, 0.05)
        assert ahead.twice_rounds_pct == pytest.approx(now.mde_pct())
        assert ahead.twice_instances_pct < 0.7 * now.mde_pct()


def test_the_smallest_effect_told_before_is_the_one_found_after() -> None:
    """What the plan promises from the spreads is what runs with these spreads say of themselves."""
    random = np.random.default_rng(6)
    design = Design(instances=15, rounds=2, block_sd=0.11, instance_sd=0.06)
    promised = resolvable_pct(Spreads(0.06, 0.11), Replication(15, 2, 6))
    told = []
    for _ in range(200):
        found = rate_log_ratio(*capacities(random, design, 0.0))
        assert isinstance(found, Estimate)
        told.append(found.mde_pct(adjusted_alpha(6)))
    assert np.mean(told) == pytest.approx(promised, rel=0.06)


def test_spreads_of_a_tail_that_stands_still_are_none() -> None:
    design = Design(instances=2, rounds=2, block_sd=0.1)
    baseline, candidate = latencies(np.random.default_rng(1), design, "lognormal", 0.0)
    still = type(baseline)(0.0 * baseline.values_ms, baseline.block, baseline.pair)
    assert percentile_spreads(still, candidate, 0.5) is None
    assert not isinstance(percentile_log_ratio(still, candidate, 0.5), Estimate)
