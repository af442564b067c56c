"""Two settings at twice the load: one that answers next to nothing, and requests given up early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import Setting
from reports.statistics import ALPHA, Estimate
from reports.tuning import numbers
from reports.tuning.changes import Change, Side, Trials, word_of
from reports.tuning.findings import Metric
from reports.tuning.knee import Bound
from reports.tuning.record import Tried

GATED, LOCKED = Setting(20, admission=0), Setting(5)
OBJECTIVE = Objective(p99_ms=150.0)


def trials(setting: Setting, good_per_s: Sequence[float], *, beyond: bool = False) -> list[Tried]:
    return [
        Tried(
            arm="sync", setting=setting, stage="twice", unit=unit, block=unit,
            score=Score(994.0, 1480, 1480, 0), good_per_s=each, rate_per_s=994.0,
            p99_ms=1530.0, p99_beyond=beyond,
        )
        for unit, each in enumerate(good_per_s)
    ]  # fmt: skip


def compared(
    metric: Metric, gated: Sequence[Tried], locked: Sequence[Tried], alpha: float = ALPHA
) -> Change:
    both = Trials([*gated, *locked], OBJECTIVE, 5.0)
    return both.compare(
        "twice", metric, Side("sync", GATED), Side("sync", LOCKED), "present", alpha
    )


@pytest.mark.parametrize(
    ("alpha", "word", "told"),
    [
        (ALPHA, "better", "+18"),
        (ALPHA / 2, "better", "more than +"),
        (ALPHA / 3, "cannot be told apart", "not known ("),
    ],
)
def test_of_a_setting_that_answered_next_to_nothing_is_told_what_is_known(
    alpha: float, word: str, told: str
) -> None:
    gated, locked = trials(GATED, (484.7, 384.0, 434.0)), trials(LOCKED, (0.0, 0.7, 0.0))
    change = compared("good_per_s", gated, locked, alpha)
    assert change.word == word
    assert numbers.change_or_why(change).startswith(told)


def test_one_trial_whose_p99_lies_beyond_leaves_no_comparison_of_the_others() -> None:
    gated = trials(GATED, (400.0,) * 4)
    locked = [replace(each, p99_ms=100.0 + each.unit) for each in trials(LOCKED, (40.0,) * 4)]
    assert compared("p99_ms", gated, locked).word == "worse"
    for gates, locks, whose in (((1,), (), "its own"), ((), (2,), "the other's")):
        change = compared("p99_ms", beyond_in(gated, gates), beyond_in(locked, locks))
        assert (change.word, change.change_pct) == ("cannot be told apart", None)
        assert change.reason == f"{whose} p99 lies beyond what was waited for in 1 of 4 trials"


def beyond_in(side: Sequence[Tried], units: Sequence[int]) -> list[Tried]:
    return [replace(each, p99_beyond=each.unit in units) for each in side]


def test_the_units_of_a_change_are_those_that_it_rests_on() -> None:
    gated = trials(GATED, (400.0,) * 4)
    locked = [replace(each, p99_ms=100.0 + each.unit) for each in trials(LOCKED, (40.0,) * 4)]
    assert compared("p99_ms", gated, locked[:3]).units == 3
    assert compared("good_per_s", gated, locked).units == 4


def test_one_trial_without_any_answer_leaves_no_p99_to_compare() -> None:
    gated = trials(GATED, (400.0,) * 4)
    locked = [replace(each, p99_ms=100.0 + each.unit) for each in trials(LOCKED, (40.0,) * 4)]
    locked[3] = replace(locked[3], p99_ms=None)
    change = compared("p99_ms", gated, locked)
    assert (change.word, change.change_pct) == ("cannot be told apart", None)
    assert change.reason == "the other's p99 is not known in 1 of 4 trials"


def test_a_setting_that_never_answered_counts_half_an_answer_in_its_window() -> None:
    gated = trials(GATED, (400.0, 410.0, 420.0))
    silent = trials(LOCKED, (0.0,) * 3)
    short, long = (
        compared(
            "good_per_s",
            *([replace(each, window_s=window_s) for each in side] for side in (gated, silent)),
        )
        for window_s in (1.0, 10.0)
    )
    assert short.ci95_pct is not None
    assert long.ci95_pct is not None
    low_of_short, low_of_long = short.ci95_pct[0], long.ci95_pct[0]
    assert low_of_short is not None
    assert low_of_long is not None
    assert (1 + low_of_long / 100) == pytest.approx(10 * (1 + low_of_short / 100), rel=0.01)


@pytest.mark.parametrize(
    ("log_ratio", "bound", "word", "interval"),
    [
        (-30.0, None, "worse", "high"),
        (-30.0, "more than", "cannot be told apart", None),
        (-30.0, "less than", "worse", "high"),
        (30.0, None, "better", "low"),
        (30.0, "less than", "cannot be told apart", None),
        (30.0, "more than", "better", "low"),
    ],
)
def test_an_interval_wider_than_all_has_the_ends_that_the_bound_leaves(
    log_ratio: float, bound: Bound | None, word: str, interval: str | None
) -> None:
    wide = Estimate(log_ratio, standard_error=2.0, df=2.0)
    found, _, ends = word_of("knee_per_s", wide, bound, ALPHA, 5.0)
    assert found == word
    open_ends = None if ends is None else ["low" if ends[1] is None else "high"]
    assert open_ends == (None if interval is None else [interval])


@pytest.mark.parametrize("beyond", [True, False])
def test_a_p99_that_lies_among_those_given_up_is_compared_with_nothing(beyond: bool) -> None:
    gated = trials(GATED, (400.0, 400.0, 400.0), beyond=beyond)
    locked = [replace(each, p99_ms=1520.0 + each.unit) for each in trials(LOCKED, (40.0,) * 3)]
    change = compared("p99_ms", gated, locked)
    assert (change.change_pct is None) == beyond
    assert change.word == ("cannot be told apart" if beyond else "equivalent")
    assert numbers.p99(gated[0].p99_ms, beyond=beyond).startswith("over") == beyond
