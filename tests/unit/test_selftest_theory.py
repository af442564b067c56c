"""The known answers themselves, by formula against recursion and against long simulations."""

from __future__ import annotations

import numpy as np
import pytest

from reports.selftest.theory import (
    closed_rate_per_s,
    drained_stall_quantile_s,
    lindley_s,
    mean_response_s,
    mm1_quantile_s,
    sampling_sd_s,
    stall_quantile_s,
    through_stall_s,
)

JOB_S = 0.004


def recursion_s(arrival_s, service_s) -> list[float]:
    """Lindley's recursion as it is written."""
    free_s, found = 0.0, []
    for arrival, service in zip(arrival_s, service_s, strict=True):
        free_s = max(arrival, free_s) + service
        found.append(free_s - arrival)
    return found


def poisson_s(rate_per_s: float, count: int, seed: int = 5) -> np.ndarray:
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate_per_s, count))


def test_the_unrolled_recursion_is_lindley_s() -> None:
    arrival_s = poisson_s(240.0, 5000)
    service_s = np.random.default_rng(6).exponential(JOB_S, 5000)
    assert lindley_s(arrival_s, service_s) == pytest.approx(recursion_s(arrival_s, service_s))
    assert len(lindley_s(np.empty(0), np.empty(0))) == 0


@pytest.mark.parametrize("busy", [0.5, 0.8])
@pytest.mark.parametrize("jobs", ["random", "equal"])
def test_long_queues_have_the_textbook_s_mean(busy: float, jobs) -> None:
    count = 1_000_000
    service_s = np.full(count, JOB_S)
    if jobs == "random":
        service_s = np.random.default_rng(7).exponential(JOB_S, count)
    response_s = lindley_s(poisson_s(busy / JOB_S, count), service_s)
    assert response_s.mean() == pytest.approx(mean_response_s(busy / JOB_S, JOB_S, jobs), rel=0.02)
    if jobs == "random":
        for q in (0.5, 0.99):
            known_s = mm1_quantile_s(q, busy / JOB_S, 1 / JOB_S)
            assert np.quantile(response_s, q) == pytest.approx(known_s, rel=0.03)


def test_the_mean_of_a_run_wanders_more_than_independent_requests_would() -> None:
    sd_s = sampling_sd_s(200.0, JOB_S, "random", 0.5, 9.0, seed=0)
    as_if_independent_s = mean_response_s(200.0, JOB_S, "random") / np.sqrt(200 * 9)
    assert sd_s > 3 * as_if_independent_s


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_a_stall_is_as_the_formula_has_it(q: float) -> None:
    """100/s for 20 s with a stall of 2 s: p95 1.0 s, p99 1.8 s."""
    arrival_s = (np.arange(2000) + 0.5) / 100
    found_s = through_stall_s(arrival_s, np.full(2000, 0.005), (5.0, 7.0), one_at_a_time=False)
    known_s = stall_quantile_s(q, 0.005, 2.0, 20.0)
    assert np.quantile(found_s, q) == pytest.approx(known_s, abs=0.011)
    assert known_s == pytest.approx({0.5: 0.005, 0.95: 1.005, 0.99: 1.805}[q])


@pytest.mark.parametrize("q", [0.85, 0.9, 0.99])
def test_a_stall_that_drains_is_as_the_formula_has_it(q: float) -> None:
    arrival_s = (np.arange(1000) + 0.5) / 100
    found_s = through_stall_s(arrival_s, np.full(1000, 0.005), (2.0, 3.0), one_at_a_time=True)
    known_s = drained_stall_quantile_s(q, 0.005, 1.0, 10.0, 0.5)
    assert np.quantile(found_s, q) == pytest.approx(known_s, abs=0.011)


def test_who_is_being_served_when_the_stall_begins_leaves_at_its_end() -> None:
    found_s = through_stall_s(
        np.array([0.9, 1.5]), np.array([0.2, 0.2]), (1.0, 2.0), one_at_a_time=False
    )
    assert found_s == pytest.approx([1.1, 0.7])


def test_users_who_think() -> None:
    assert closed_rate_per_s(16, 0.02, 0.06) == pytest.approx(200.0)
