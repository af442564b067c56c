"""A setting's knee: where the share of late requests crosses 1%, and how sure that is."""

import math

import pytest

from loadtests.tuning.score import Objective, Score
from reports.statistics import Doubt, Estimate
from reports.tuning.knee import Scored, knee, knee_log_ratio, knee_log_ratio_bound

OBJECTIVE = Objective(p99_ms=100.0)


def trials(*shares: tuple[float, float], units: int = 3, spread: float = 0.1) -> list[Scored]:
    """Per unit one trial at each load with that share of late requests; units differ a little."""
    return [
        Scored(unit, score(rate, share * (1.0 + spread * unit)))
        for unit in range(units)
        for rate, share in shares
    ]


def score(rate_per_s: float, share: float, errors: int = 0, trial_s: float = 15.0) -> Score:
    planned = round(rate_per_s * trial_s)
    return Score(rate_per_s, planned, round(share * planned), errors)


def test_it_lies_where_one_request_in_a_hundred_is_late() -> None:
    found = knee(trials((300, 0.005), (330, 0.02), spread=0.0), OBJECTIVE)
    assert found is not None
    halfway = math.exp((math.log(300) + math.log(330)) / 2)  # 1% is halfway from 0.5% to 2%
    assert found.per_s == pytest.approx(halfway, rel=0.005)
    assert found.censored is None


def test_one_second_of_standstill_does_not_put_it_below_that_load() -> None:
    steady = trials((200, 0.0), (300, 0.001), (330, 0.05), units=5)
    stalled = [
        Scored(4, score(300, 0.3)) if (t.unit, t.score.offered_per_s) == (4, 300) else t
        for t in steady
    ]
    found = knee(stalled, OBJECTIVE)
    assert found is not None
    assert 300 < found.per_s < 330


def test_a_load_of_which_half_the_seconds_go_wrong_is_missed() -> None:
    half = [
        Scored(unit, score(rate, 0.2 if rate >= 300 and unit % 2 else 0.0))
        for unit in range(6)
        for rate in (200, 300, 330)
    ]
    found = knee(half, OBJECTIVE)
    assert found is not None
    assert 200 < found.per_s < 300


def test_a_load_that_stalls_every_second_is_missed() -> None:
    found = knee(trials((200, 0.001), (300, 0.05), (330, 0.05)), OBJECTIVE)
    assert found is not None
    assert 200 < found.per_s < 300


@pytest.mark.parametrize("rate_per_s", [1.0, 3.0, 30.0])
def test_so_few_requests_that_one_would_be_too_many_clear_a_load_when_none_is_late(
    rate_per_s: float,
) -> None:
    few = [Scored(unit, score(rate_per_s, 0.0, trial_s=1.5)) for unit in range(3)]
    found = knee(few, OBJECTIVE)
    assert found is not None
    assert found.censored == "above"


def test_errors_pull_it_down() -> None:
    clean = trials((100, 0.0), (200, 0.0), (300, 0.0))
    failing = [
        Scored(t.unit, score(t.score.offered_per_s, 0.0, errors=90 * (t.score.offered_per_s > 250)))
        for t in clean
    ]
    found, before = knee(failing, OBJECTIVE), knee(clean, OBJECTIVE)
    assert before is not None
    assert before.censored == "above"
    assert found is not None
    assert found.censored is None
    assert 200 <= found.per_s < 300


def test_a_ratio_of_known_knees_has_no_bound() -> None:
    slow = trials((200, 0.001), (300, 0.05), spread=0.2)
    fast = trials((200, 0.0002), (300, 0.001), (400, 0.05), spread=-0.2)
    estimate, bound = knee_log_ratio_bound(slow, fast, OBJECTIVE)
    assert isinstance(estimate, Estimate)
    assert bound is None
    assert estimate == knee_log_ratio(slow, fast, OBJECTIVE)
    assert 20 < estimate.change_pct < 60


def test_a_baseline_that_misses_every_load_gives_a_lower_bound() -> None:
    collapsed = trials((100, 0.5), (300, 0.9))
    fast = trials((100, 0.0), (300, 0.001), (400, 0.05), spread=0.2)
    assert isinstance(knee_log_ratio(collapsed, fast, OBJECTIVE), Doubt)
    estimate, bound = knee_log_ratio_bound(collapsed, fast, OBJECTIVE)
    assert isinstance(estimate, Estimate)
    assert bound == "more than"
    assert estimate.change_pct > 200  # at least 300 against at most 100
    backwards, bound = knee_log_ratio_bound(fast, collapsed, OBJECTIVE)
    assert isinstance(backwards, Estimate)
    assert bound == "less than"
    assert backwards.log_ratio == pytest.approx(-estimate.log_ratio)


def test_one_below_all_loads_and_one_above_differ_by_at_least_the_loads() -> None:
    collapsed, untouched = trials((100, 0.5), (300, 0.9)), trials((100, 0.0), (300, 0.0))
    estimate, bound = knee_log_ratio_bound(collapsed, untouched, OBJECTIVE)
    assert isinstance(estimate, Estimate)
    assert bound == "more than"
    assert estimate.interval_pct() == pytest.approx((200.0, 200.0))


def test_ends_that_one_instance_alone_turns_leave_an_interval() -> None:
    mixed = [
        Scored(unit, score(rate, 0.0 if unit == 0 else 0.5))
        for unit in range(3)
        for rate in (100, 300)
    ]
    untouched = trials((100, 0.0), (300, 0.0))
    estimate, bound = knee_log_ratio_bound(mixed, untouched, OBJECTIVE)
    assert isinstance(estimate, Estimate)
    assert bound == "more than"
    assert estimate.half_width_log() > 0.0


def test_two_knees_beyond_the_same_end_cannot_be_compared() -> None:
    collapsed = trials((100, 0.5), (300, 0.9))
    estimate, bound = knee_log_ratio_bound(collapsed, collapsed, OBJECTIVE)
    assert isinstance(estimate, Doubt)
    assert bound is None
