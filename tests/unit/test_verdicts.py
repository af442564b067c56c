"""Numbers to words."""

from __future__ import annotations

import math

import pytest

from reports.statistics import Doubt, Estimate
from reports.verdicts import judge

DF = 1e6  # the t interval is then ±1.96 standard errors


def verdict(change_pct: float, half_pct: float, metric: str = "capacity_per_s", **extra):
    estimate = Estimate(math.log1p(change_pct / 100), half_pct / 100 / 1.96, DF)
    return judge(metric, estimate, **{"alpha": 0.05, "equivalence_pct": 5.0, **extra})


@pytest.mark.parametrize(
    ("metric", "change_pct", "word"),
    [
        ("capacity_per_s", 20, "faster"),
        ("capacity_per_s", -20, "slower"),
        ("response_ms.p95", 20, "slower"),
        ("response_ms.p95", -20, "faster"),
        ("cpu_ms_per_request", 20, "slower"),
        ("cpu_ms_per_request", -20, "faster"),
    ],
)
def test_more_capacity_is_better_and_more_of_all_else_is_worse(metric, change_pct, word):
    assert verdict(change_pct, 5, metric).word == word


@pytest.mark.parametrize(
    ("change_pct", "half_pct", "word"),
    [
        (0, 3, "equivalent"),
        (0, 6, "inconclusive"),
        (3, 1, "equivalent"),
        (4, 3, "faster"),
        (3, 4, "inconclusive"),
    ],
)
def test_equivalent_needs_the_whole_interval_inside_the_margin(change_pct, half_pct, word):
    found = verdict(change_pct, half_pct)
    assert found.word == word
    assert found.reasons
    assert found.ci_pct is not None
    inside = found.ci_pct[0] >= -5 and found.ci_pct[1] <= 5
    assert inside == (word == "equivalent")


def test_a_difference_too_small_to_matter_says_that_it_is_real():
    assert "differ" in verdict(3, 1).reasons[0]
    assert "differ" not in verdict(0, 3).reasons[0]


def test_a_failed_gate_wins_and_the_numbers_are_still_shown():
    found = verdict(20, 5, failed_gates=["errors (async): too many"])
    assert found.word == "invalid"
    assert found.reasons[0].startswith("errors")
    assert found.change_pct == pytest.approx(20)
    assert found.ci_pct is not None


def test_remarks_decide_nothing():
    found = verdict(20, 5, remarks=["async is saturated"])
    assert found.word == "faster"
    assert "async is saturated" in found.reasons


@pytest.mark.parametrize(("gates", "word"), [([], "inconclusive"), (["errors"], "invalid")])
def test_doubt_has_no_numbers(gates, word):
    found = judge(
        "capacity_per_s", Doubt("one block"), alpha=0.05, equivalence_pct=5, failed_gates=gates
    )
    assert (found.word, found.change_pct, found.ci_pct, found.mde_pct) == (word, None, None, None)
    assert "one block" in found.reasons


def test_an_absurdly_wide_interval_is_not_shown():
    found = judge("capacity_per_s", Estimate(0.1, 5.0, 1.0), alpha=0.01, equivalence_pct=5)
    assert (found.word, found.ci_pct) == ("inconclusive", None)


def test_a_stricter_alpha_can_only_weaken_a_verdict():
    assert verdict(6, 5).word == "faster"
    assert verdict(6, 5, alpha=0.05 / 6).word == "inconclusive"
