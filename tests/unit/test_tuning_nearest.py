"""What is said of the setting that came nearest to an objective nobody met."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import Setting
from reports import words
from reports.tuning import sentences
from reports.tuning.judge import judge
from reports.tuning.means import mean_split
from reports.tuning.nearest import nearest_of
from reports.tuning.record import Split, Tried
from tests.support.tuning_records import never_met

OBJECTIVE = Objective(p99_ms=100.0)
IN_DATABASE = Split(thread_ms=1.0, pool_ms=2.0, db_ms=80.0, own_ms=5.0, total_ms=88.0)


def overloaded(given_up: int, split: Split | None = IN_DATABASE, errors: int = 0) -> Tried:
    """100 requests, all late, of which some were given up after one second."""
    return Tried(
        arm="sync", setting=Setting(10), stage="search", unit=1, block=1,
        score=Score(50.0, 100, 100, errors), good_per_s=float(100 - given_up), rate_per_s=50.0,
        p50_ms=1000.0 if given_up > 50 else 600.0, p99_ms=1010.0, p99_beyond=given_up > 1,
        given_up=given_up, patience_s=1.0, good=100 - given_up - errors, good_p50_ms=95.0,
        split=split,
    )  # fmt: skip


def limit_of(trial: Tried) -> str:
    found = nearest_of([trial], OBJECTIVE)
    assert found is not None
    return found.limited_by.replace(words.NBSP, " ")


@pytest.mark.parametrize("split", [None, IN_DATABASE])
def test_where_most_were_given_up_that_is_the_cause_that_is_told(split: Split | None) -> None:
    said = limit_of(overloaded(72, split))
    assert said.startswith("72% of requests were given up after 1.0 s without an answer")
    assert "Server-Timing" not in said
    assert "event loop" not in said


def test_the_split_is_held_against_good_answers_and_not_against_those_given_up() -> None:
    assert "the database takes most of it (80 ms of a good answer's median of 95 ms)" in limit_of(
        overloaded(40)
    )


def test_errors_are_told_where_few_were_given_up() -> None:
    assert limit_of(overloaded(30, errors=60)).startswith("60% errors")


@pytest.mark.parametrize(("given_up", "praised"), [(72, False), (0, True)])
def test_requests_that_were_given_up_are_late_and_not_praised_for_no_errors(
    given_up: int, praised: bool
) -> None:
    (arm,) = judge(never_met()).arms
    nearest = nearest_of([overloaded(given_up)], OBJECTIVE)
    said = sentences.answer(replace(arm, nearest=nearest), OBJECTIVE)
    assert "100% of requests late" in said
    assert ("no errors" in said) == praised


def test_a_mean_split_counts_each_trial_by_the_answers_that_it_is_the_mean_of() -> None:
    few = replace(overloaded(90), split=replace(IN_DATABASE, db_ms=10.0))
    many = replace(overloaded(10), split=replace(IN_DATABASE, db_ms=20.0))
    found = mean_split([few, many])
    assert found is not None
    assert found.db_ms == pytest.approx((10 * 10.0 + 90 * 20.0) / 100)
