"""What it takes for a recommended setting to be confirmed, on whole simulated runs."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import pytest

from loadtests.spec import Arm
from loadtests.tuning.score import Score
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from reports.statistics import ALPHA
from reports.tuning.changes import Side, Trials
from reports.tuning.judge import judge
from reports.tuning.model import ArmReport
from reports.tuning.record import Stage, Tried, TuneRecord
from tests.support.tuning_records import SYNC, build_record, own_service
from tests.support.tuning_surfaces import OBJECTIVE, Surface
from tests.support.tuning_trials import Simulated

NEEDS_ROOM = Simulated(Arm(name="sync", app="sync"), Surface(400.0, 20.0, 60.0, 0.0))
"""Ten connections are enough here, and too few 2 ms farther from the database."""


@cache
def one_arm() -> TuneRecord:
    return build_record((SYNC,))


@cache
def own() -> TuneRecord:
    return own_service()


def judged(record: TuneRecord) -> ArmReport:
    (arm,) = judge(record).arms
    return arm


def said(arm: ArmReport, words: str) -> bool:
    return any(words in each for each in arm.verdict)


def taken_of(record: TuneRecord) -> Setting:
    (search,) = record.arms
    assert search.taken is not None
    return search.taken


def alone(record: TuneRecord) -> TuneRecord:
    """The same run, as if the default were all there is beside the taken setting."""
    (search,) = record.arms
    taken = taken_of(record)
    tried = tuple(each for each in record.tried if each.stage != "final" or each.setting == taken)
    search = replace(search, present=taken, alternate=None)
    return replace(record, arms=(search,), tried=tried)


def changed(record: TuneRecord, change: Callable[[Tried], Tried | None]) -> TuneRecord:
    """The same run with other trials; without those that became None."""
    tried = (change(each) for each in record.tried)
    return replace(record, tried=tuple(each for each in tried if each is not None))


def late(each: Tried, share: float) -> Tried:
    return replace(each, score=replace(each.score, late=round(share * each.score.planned)))


def with_shares(
    record: TuneRecord, stage: Stage, shares: Mapping[Setting, Mapping[float, tuple[float, ...]]]
) -> TuneRecord:
    """The same run, but in `stage` each setting had these shares of late requests: of each load
    those of its instances."""
    template = next(each for each in record.tried if each.stage == stage)
    added = [
        replace(
            template, setting=setting, unit=unit, rate_per_s=rate, good_per_s=rate,
            score=Score(rate, 2000, round(2000 * share), 0),
        )
        for setting, by_rate in shares.items()
        for rate, of_instances in by_rate.items()
        for unit, share in enumerate(of_instances)
    ]  # fmt: skip
    rest = [each for each in record.tried if each.stage != stage]
    return replace(record, tried=(*rest, *added))


def as_numbered_in_a_run(each: Tried) -> Tried:
    """Instance 0 was the search's."""
    return replace(each, unit=each.unit + 1) if each.stage == "confirm" else each


def test_an_instance_that_is_late_all_the_time_is_a_doubt() -> None:
    before = changed(alone(one_arm()), as_numbered_in_a_run)

    def first_is_late(each: Tried) -> Tried:
        hit = (each.stage, each.setting, each.unit) == ("confirm", taken_of(before), 1)
        return late(each, 1.0) if hit else each

    arm = judged(changed(before, first_is_late))
    assert judged(before).confirmed
    assert not arm.confirmed
    assert said(arm, "Not confirmed: fresh instance 1 of 5 missed the objective in ")


def test_a_second_that_stalled_is_told_and_is_no_doubt() -> None:
    before = alone(one_arm())
    trials = [e for e in before.tried if (e.stage, e.setting) == ("confirm", taken_of(before))]
    lowest = min(each.score.offered_per_s for each in trials)

    def one_is_late(each: Tried) -> Tried:
        hit = (each.stage, each.setting, each.unit) == ("confirm", taken_of(before), 0)
        return late(each, 0.9) if hit and each.score.offered_per_s == lowest else each

    arm = judged(changed(before, one_is_late))
    assert arm.confirmed
    assert said(arm, "But single seconds stalled")
    assert not said(judged(before), "seconds stalled")


def test_two_instances_exclude_no_loss_and_confirm_nothing() -> None:
    arm = judged(build_record((SYNC,), instances=2))
    assert not arm.confirmed
    assert said(arm, "too little was measured to exclude a loss of 25% against the framework's")
    assert said(judged(one_arm()), "a loss of 25% against the framework's default")


def test_a_capacity_without_an_interval_confirms_nothing() -> None:
    before = alone(one_arm())
    taken = taken_of(before)
    by_rate = {100.0: (0.0,) * 3, 10_000.0: (0.0001, 0.5, 0.5), 100_000.0: (0.9,) * 3}
    arm = judged(with_shares(before, "confirm", {taken: by_rate}))
    assert arm.capacity is not None
    assert arm.capacity.ci95_per_s is None
    assert said(arm, "too little was measured for an interval of its capacity")


@pytest.mark.parametrize(
    ("stage", "where"),
    [("twice", "at twice the load"), ("distance", "with the database farther away")],
)
def test_a_complete_run_that_left_a_condition_out_confirms_nothing(
    stage: Stage, where: str
) -> None:
    arm = judged(changed(one_arm(), lambda each: None if each.stage == stage else each))
    assert not arm.confirmed
    assert said(arm, f"Not confirmed: what it does {where} was not measured")


def test_two_instances_at_twice_the_load_are_not_said_to_have_held() -> None:
    def few(each: Tried) -> Tried | None:
        return None if each.stage == "twice" and each.unit > 1 else each

    arm = judged(changed(one_arm(), few))
    assert arm.confirmed
    assert said(arm, "nowhere clearly worse (in fresh processes, with the database farther away)")
    assert said(arm, "But at twice the load 2 instances only were measured")
    assert said(judged(one_arm()), "(in fresh processes, at twice the load, with the database")


def with_deadlock(record: TuneRecord, setting: Setting) -> TuneRecord:
    """The same run, in which a burst on `setting` got next to no answers."""
    bursts = [e for e in record.tried if (e.stage, e.setting) == ("burst", FRAMEWORK_DEFAULT)]
    loudest = max(each.users or 0 for each in bursts)
    added = [
        replace(e, setting=setting, good_per_s=e.good_per_s * (0.02 if e.users == loudest else 1))
        for e in bursts
    ]
    rest = [each for each in record.tried if (each.stage, each.setting) != ("burst", setting)]
    return replace(record, tried=(*rest, *added))


def test_a_setting_that_a_burst_locked_is_not_confirmed() -> None:
    before = alone(own())
    assert judged(before).confirmed
    arm = judged(with_deadlock(before, taken_of(before)))
    assert arm.recommended == arm.taken
    assert not arm.confirmed
    assert said(arm, "Not confirmed: a burst showed that its threads and its pool wait")


def test_a_setting_that_a_burst_locked_gives_way_to_one_that_it_did_not() -> None:
    arm = judged(with_deadlock(own(), taken_of(own())))
    assert arm.recommended not in (None, arm.taken)
    assert said(arm, "which the search took: a burst showed")


def with_better_default(record: TuneRecord, present: Setting) -> TuneRecord:
    """The same run, but of present, taken and default the last bears most."""
    (search,) = record.arms
    loads = (100.0, 150.0, 200.0, 300.0, 500.0)
    held = {taken_of(record): 100.0, present: 150.0, FRAMEWORK_DEFAULT: 300.0}
    late_shares = (0.03, 0.032, 0.034, 0.036)
    shares = {
        setting: {load: (0.002,) * 4 if load <= most else late_shares for load in loads}
        for setting, most in held.items()
    }
    search = replace(search, present=present, alternate=None)
    return with_shares(replace(record, arms=(search,)), "confirm", shares)


def test_the_default_is_not_recommended_where_a_burst_locked_it() -> None:
    better = with_better_default(alone(own()), taken_of(own()))
    assert judged(better).recommended == FRAMEWORK_DEFAULT
    arm = judged(with_deadlock(better, FRAMEWORK_DEFAULT))
    assert arm.recommended == arm.taken
    assert said(arm, "Not confirmed: in fresh processes the framework's default is better")


def test_each_setting_that_gave_way_is_called_what_it_is() -> None:
    arm = judged(with_better_default(alone(own()), Setting(7)))
    assert arm.recommended == FRAMEWORK_DEFAULT
    assert said(arm, "which the search took: in fresh processes the present setting")
    [other] = [each for each in arm.verdict if each.startswith("Not the present setting (pool 7 +")]
    assert "the framework's default" in other


def test_a_winner_of_the_confirmation_has_the_intervals_of_a_winner() -> None:
    record = build_record((NEEDS_ROOM,), instances=6)
    arm = judged(record)
    assert arm.recommended not in (None, arm.taken)
    assert said(arm, "its intervals against default and present are as wide as for 4 comparisons")
    assert arm.over_default is not None
    assert arm.recommended is not None
    trials = Trials(record.tried, OBJECTIVE, record.spec.run.equivalence_pct)
    best, default = Side("sync", arm.recommended), Side("sync", FRAMEWORK_DEFAULT)
    fourth = trials.compare("confirm", "knee_per_s", best, default, "default", ALPHA / 4)
    assert arm.over_default.ci95_pct == fourth.ci95_pct


def test_a_loss_of_which_only_the_least_is_known_is_not_small() -> None:
    before = alone(own())
    here = {150.0: (0.002,) * 4, 155.0: (0.03, 0.031, 0.032, 0.033)}
    lost = dict.fromkeys(here, (0.5, 0.51, 0.52, 0.53))  # nobody knows how far below 150/s
    arm = judged(with_shares(before, "distance", {taken_of(before): lost, FRAMEWORK_DEFAULT: here}))
    assert not arm.confirmed
    assert said(arm, "Not confirmed: with the database farther away the framework's default")


@cache
def two_level() -> tuple[TuneRecord, Setting, Setting]:
    """Taken, which is the present one too, and roomy, on two instances; level in `confirm`."""
    record = build_record((NEEDS_ROOM,), instances=2)
    (search,) = record.arms
    taken, roomy = taken_of(record), search.alternate
    assert roomy is not None
    record = replace(record, arms=(replace(search, present=taken),))
    return with_shares(record, "confirm", {taken: HELD, roomy: HELD}), taken, roomy


HELD = {100.0: (0.001, 0.009), 130.0: (0.9, 0.03)}


def test_a_setting_that_held_no_load_is_far_from_the_best() -> None:
    level, taken, roomy = two_level()
    missed = {100.0: (0.03, 0.9), 130.0: (0.9, 0.9)}
    arm = judged(with_shares(level, "distance", {taken: missed, roomy: HELD}))
    assert arm.recommended == roomy
    assert said(arm, "the former by 100%")


def test_a_setting_whose_end_was_not_reached_is_no_measure_for_others() -> None:
    level, taken, roomy = two_level()
    endless = dict.fromkeys(HELD, (0.0, 0.0))
    arm = judged(with_shares(level, "distance", {taken: HELD, roomy: endless}))
    assert arm.recommended == taken


def test_a_present_setting_that_was_not_measured_measures_nobody_either() -> None:
    level, taken, roomy = two_level()
    (search,) = level.arms
    level = replace(level, arms=(replace(search, present=Setting(7)),))
    poor = {50.0: (0.001, 0.009), 60.0: (0.9, 0.03)}
    arm = judged(with_shares(level, "distance", {taken: poor, roomy: HELD}))
    assert arm.recommended == roomy
