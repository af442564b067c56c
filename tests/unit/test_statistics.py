"""Percentiles and intervals against values worked out by hand or by scipy."""

from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.percentiles import (
    MOST_CELLS,
    clustered_quantiles,
    enough_beyond,
    exact_percentile,
    fewest_samples,
    left_out_quantiles,
    rank,
)
from reports.resolution import expected_resolution_pct
from reports.statistics import (
    Doubt,
    Estimate,
    Latencies,
    degrees_of_freedom,
    levels,
    percentile_log_ratio,
    rate_log_ratio,
    t_estimate,
)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def latencies(per_block: list[list[float]], pair: list[int]) -> Latencies:
    block = np.repeat(np.arange(len(per_block)), [len(values) for values in per_block])
    return Latencies(np.concatenate(per_block), block, np.array(pair)[block])


class TestPercentiles:
    @pytest.mark.parametrize(
        ("count", "q", "expected"), [(100, 0.5, 50), (20, 0.95, 19), (3, 0.5, 2)]
    )
    def test_the_rank_is_the_share_of_the_samples_rounded_up(self, count, q, expected):
        assert rank(count, q) == expected

    def test_it_is_a_sample_and_no_interpolation(self):
        assert exact_percentile(np.arange(1.0, 1001.0), 0.99) == 990.0
        assert exact_percentile(np.arange(1.0, 1001.0), 0.5) == 500.0

    @pytest.mark.parametrize(
        ("q", "count"), [(0.5, 20), (0.95, 200), (0.99, 1000), (0.999, 10_000)]
    )
    def test_ten_samples_must_stand_beyond(self, q, count):
        assert enough_beyond(count, q)
        assert not enough_beyond(count - 1, q)
        assert fewest_samples(q) == count
        assert exact_percentile(np.arange(float(count - 1)), q) is None

    @given(
        st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), min_size=1, max_size=60),
        st.lists(st.lists(st.integers(0, 3), min_size=4, max_size=4), min_size=1, max_size=5),
        st.sampled_from([0.1, 0.5, 0.9, 0.99]),
        st.sampled_from([0, MOST_CELLS]),
    )
    def test_weighted_quantiles_equal_those_of_the_repeated_samples(
        self, samples, weights, q, most_cells
    ):
        values = np.array([float(value) for value, _ in samples])
        cluster = np.array([cluster for _, cluster in samples], dtype=np.int64)
        found = clustered_quantiles(
            values, cluster, np.array(weights, dtype=np.int64), q, most_cells
        )
        for row, quantile in zip(weights, found, strict=True):
            repeated = np.sort(np.repeat(values, np.array(row)[cluster]))
            if len(repeated) == 0:
                assert math.isnan(quantile)
            else:
                assert quantile == repeated[rank(len(repeated), q) - 1]

    @given(
        st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3)), max_size=60),
        st.sampled_from([0.1, 0.5, 0.9, 0.99]),
    )
    def test_leaving_one_cluster_out_is_a_quantile_of_the_others(self, samples, q):
        values = np.array([float(value) for value, _ in samples])
        cluster = np.array([cluster for _, cluster in samples], dtype=np.int64)
        for each, quantile in enumerate(left_out_quantiles(values, cluster, 4, q)):
            others = np.sort(values[cluster != each])
            if len(others) == 0:
                assert math.isnan(quantile)
            else:
                assert quantile == others[rank(len(others), q) - 1]

    def test_leaving_out_takes_memory_by_the_sample_not_by_sample_and_cluster(self):
        """A long run: 800 blocks of 200 requests would be 1 GB as one number for each of both."""
        cluster = np.repeat(np.arange(800), 200)
        values = np.random.default_rng(1).random(len(cluster))
        tracemalloc.start()
        left_out_quantiles(values, cluster, 800, 0.95)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 100 * len(values)


class TestRateLogRatio:
    def test_answers_are_summed_before_dividing_and_pairs_are_the_units(self):
        baseline = floats(100, 100, 200, 200, 50, 50)
        candidate = floats(110, 120, 210, 240, 50, 60)
        found = rate_log_ratio(baseline, candidate, ints(0, 0, 1, 1, 2, 2))
        assert isinstance(found, Estimate)
        assert found.change_pct == pytest.approx(100 * (790 / 700 - 1))
        units = [3 * 230 / 790 - 3 * 200 / 700, 3 * 450 / 790 - 3 * 400 / 700]
        units += [3 * 110 / 790 - 3 * 100 / 700]
        expected = stats.t.interval(0.95, 2, math.log(790 / 700), stats.sem(units))
        assert found.interval_pct() == pytest.approx(tuple(100 * np.expm1(expected)))

    def test_a_block_without_answers_counts_as_what_it_was(self):
        """One stalled block of 24 must not hide that the other 23 were a quarter faster."""
        random = np.random.default_rng(11)
        pair = np.repeat(np.arange(12), 2)
        baseline = random.normal(300, 6, 24)
        candidate = 1.25 * baseline + random.normal(0, 6, 24)
        candidate[7] = 0.0
        found = rate_log_ratio(baseline, candidate, pair)
        assert isinstance(found, Estimate)
        low, high = found.interval_pct()
        assert low < 100 * (1.25 * 23 / 24 - 1) < high
        assert 0 < low < high < 45

    def test_an_arm_that_collapses_is_many_times_slower_with_an_interval(self):
        """A deadlock: bursts of a few answers, and most blocks and some pairs without any."""
        random = np.random.default_rng(12)
        baseline = random.normal(800, 40, 24)
        candidate = random.poisson(10, 24) * (random.random(24) < 0.4)
        found = rate_log_ratio(baseline, candidate.astype(float), np.repeat(np.arange(12), 2))
        assert isinstance(found, Estimate)
        low, high = found.interval_pct(0.05 / 6)
        assert low < found.change_pct < high < -95

    @pytest.mark.parametrize("silent", [0, 1])
    def test_an_arm_that_never_answered_is_half_an_answer_per_pair(self, silent):
        random = np.random.default_rng(13)
        arms = [random.normal(300, 10, 24), np.zeros(24)]
        found = rate_log_ratio(*arms[:: 1 - 2 * silent], np.repeat(np.arange(12), 2), 2.0)
        assert isinstance(found, Estimate)
        expected = math.log(0.25 / (2 * arms[0].mean()))
        assert found.log_ratio == pytest.approx((1 - 2 * silent) * expected)
        assert found.half_width_log() > 0.8

    def test_one_pair_is_judged_over_its_blocks(self):
        found = rate_log_ratio(floats(10, 10, 10, 10), floats(11, 12, 11, 13), ints(0, 0, 0, 0))
        assert isinstance(found, Estimate)
        assert found.df == 3

    @pytest.mark.parametrize(
        ("baseline", "candidate", "pair", "words"),
        [
            ([], [], [], "no block"),
            ([10.0], [11.0], [0], "needs two"),
            ([0.0, 0.0], [0.0, 0.0], [0, 1], "neither arm"),
            ([0.0, 9.0], [0.0, 9.0], [0, 0], "no variation"),
            ([10.0, 10.0], [11.0, float("nan")], [0, 1], "not known"),
            ([10.0, 20.0], [11.0, 22.0], [0, 1], "no variation"),
        ],
    )
    def test_doubt_is_a_result(self, baseline, candidate, pair, words):
        found = rate_log_ratio(floats(*baseline), floats(*candidate), ints(*pair))
        assert isinstance(found, Doubt)
        assert words in found.reason

    def test_swapping_the_arms_turns_the_interval_round(self):
        random = np.random.default_rng(1)
        a, b = random.normal(100, 10, 8), random.normal(120, 10, 8)
        one, other = (rate_log_ratio(x, y, np.arange(8)) for x, y in ((a, b), (b, a)))
        assert isinstance(one, Estimate)
        assert isinstance(other, Estimate)
        assert one.log_ratio == pytest.approx(-other.log_ratio)
        assert one.standard_error == pytest.approx(other.standard_error)


class TestPercentileLogRatio:
    def test_a_constant_factor_is_found_exactly_whatever_the_noise(self):
        random = np.random.default_rng(2)
        values = [list(random.lognormal(0, 1, 100)) for _ in range(12)]
        longer = [[1.25 * value for value in block] for block in values]
        pair = [i // 2 for i in range(12)]
        found = percentile_log_ratio(latencies(values, pair), latencies(longer, pair), 0.95)
        # Identical noise: there is no variation left from which to tell an uncertainty.
        assert found == Doubt(
            "no variation between instances or blocks, so no uncertainty can be told"
        )
        mixed = [longer[(i + 2) % 12] for i in range(12)]
        found = percentile_log_ratio(latencies(values, pair), latencies(mixed, pair), 0.95)
        assert isinstance(found, Estimate)
        low, high = found.interval_pct()
        assert low < 25 < high

    def test_the_same_samples_give_the_same_bytes(self):
        random = np.random.default_rng(3)
        arms = [
            latencies(
                [list(random.lognormal(0, 1, 50)) for _ in range(8)], [0, 0, 1, 1, 2, 2, 3, 3]
            )
            for _ in range(2)
        ]
        assert percentile_log_ratio(*arms, 0.9) == percentile_log_ratio(*arms, 0.9)

    def test_whole_instances_are_resampled_not_requests(self):
        """Doubling every request must not narrow the interval."""
        random = np.random.default_rng(4)
        values = [[list(random.lognormal(0, 0.5, 80)) for _ in range(6)] for _ in range(2)]
        pair = list(range(6))
        once, twice = (
            percentile_log_ratio(*(latencies([b * k for b in arm], pair) for arm in values), 0.9)
            for k in (1, 2)
        )
        assert isinstance(once, Estimate)
        assert isinstance(twice, Estimate)
        assert twice.standard_error == pytest.approx(once.standard_error, rel=0.05)

    def test_a_pair_that_decides_alone_widens_the_interval(self):
        random = np.random.default_rng(4)
        values = [[list(random.lognormal(0, 0.5, 80)) for _ in range(12)] for _ in range(2)]
        calm = percentile_log_ratio(*(latencies(arm, list(range(12))) for arm in values), 0.9)
        values[1][5] = [9.0 * value for value in values[1][5]]
        upset = percentile_log_ratio(*(latencies(arm, list(range(12))) for arm in values), 0.9)
        assert isinstance(calm, Estimate)
        assert isinstance(upset, Estimate)
        assert upset.df < 6 < calm.df

    @pytest.mark.parametrize(
        ("baseline", "candidate", "words"),
        [([[]], [[]], "no response"), ([[1.0, 2.0]], [[1.0, 2.0]], "needs two")],
    )
    def test_doubt_is_a_result(self, baseline, candidate, words):
        found = percentile_log_ratio(latencies(baseline, [0]), latencies(candidate, [0]), 0.5)
        assert isinstance(found, Doubt)
        assert words in found.reason

    def test_an_instance_without_responses_is_no_traceback(self):
        baseline = latencies([[1.0, 2.0], [1.0, 3.0]], [0, 1])
        candidate = latencies([[1.0, 2.0]], [0])
        assert isinstance(percentile_log_ratio(baseline, candidate, 0.5), Doubt)


class TestLevels:
    def test_what_slows_both_arms_is_taken_out(self):
        baseline = latencies([[1.0], [1.0], [3.0]], [0, 1, 2])
        candidate = latencies([[2.0], [2.0], [6.0]], [0, 1, 2])
        for found in levels(baseline, candidate):
            assert found.tolist() == [1.0, 1.0, 3.0]

    def test_what_slows_one_arm_alone_stays(self):
        baseline = latencies([[1.0], [1.0], [1.0]], [0, 1, 2])
        candidate = latencies([[2.0], [2.0], [20.0]], [0, 1, 2])
        for found in levels(baseline, candidate):
            assert found.tolist() == [1.0, 1.0, 1.0]

    def test_only_the_common_part_is_taken_out(self):
        baseline = latencies([[1.0], [1.0], [2.0]], [0, 1, 2])
        candidate = latencies([[1.0], [1.0], [5.0]], [0, 1, 2])
        assert levels(baseline, candidate)[0].tolist() == [1.0, 1.0, 2.0]

    def test_a_block_that_one_arm_lacks_is_left_alone(self):
        baseline = latencies([[1.0], [4.0]], [0, 1])
        candidate = latencies([[1.0]], [0])
        found = levels(baseline, candidate)
        assert np.isfinite(np.concatenate(found)).all()
        assert found[0][1] == 1.0


class TestDegreesOfFreedom:
    def test_never_more_than_the_units_allow(self):
        random = np.random.default_rng(5)
        assert degrees_of_freedom(random.uniform(-1, 1, 12)) == 11

    def test_one_unit_that_decides_alone_counts_as_few(self):
        assert degrees_of_freedom(floats(10, *[0.1 * i for i in range(11)])) < 4

    def test_three_units_keep_two(self):
        assert degrees_of_freedom(floats(0, 0, 5)) == 2

    def test_no_variation_is_no_traceback(self):
        assert degrees_of_freedom(floats(1, 1, 1)) == 2


class TestPower:
    def test_the_smallest_effect_is_found_in_about_four_of_five_repetitions(self):
        random = np.random.default_rng(6)
        found, n, sd = 0, 8, 0.1
        mde = Estimate(0.0, sd / math.sqrt(n), n - 1).mde_pct()
        for _ in range(2000):
            estimate = t_estimate(random.normal(math.log1p(mde / 100), sd, n))
            assert isinstance(estimate, Estimate)
            found += estimate.interval_pct()[0] > 0
        assert 0.76 <= found / 2000 <= 0.84

    def test_more_instances_resolve_more_than_more_rounds(self):
        few = expected_resolution_pct(12, 4)
        assert few is not None
        assert expected_resolution_pct(24, 4) < few
        assert expected_resolution_pct(12, 8) < few
        assert expected_resolution_pct(24, 4) < expected_resolution_pct(12, 8)
        assert expected_resolution_pct(12, 4, primaries=6) > few

    @pytest.mark.parametrize("plan", [(1, 1, 1), (0, 0, 1), (3, 0, 1)])
    def test_a_plan_without_repetition_resolves_nothing(self, plan):
        assert expected_resolution_pct(*plan) is None

    def test_one_instance_is_judged_over_its_blocks(self):
        assert expected_resolution_pct(1, 20) < expected_resolution_pct(1, 5)

    def test_it_agrees_with_simulation(self):
        """12 instances × 2 rounds with the prior spreads: field notes say about ±6%."""
        found = expected_resolution_pct(12, 2)
        assert found is not None
        assert 8 < found < 12  # the 95% half-width is 0.69 of what is found with 80% power
