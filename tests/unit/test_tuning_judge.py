"""A tune run's record to its answer, on whole simulated runs."""

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from loadtests.spec import Arm
from loadtests.tuning.score import Score
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from reports import words
from reports.tuning.judge import judge
from reports.tuning.model import ArmReport, TuneReport
from reports.tuning.paired import Difference, difference, shared_blocks
from reports.tuning.record import Split, Tried, TuneRecord
from reports.tuning.robust import shortfalls_pct, steadiest
from reports.tuning.turned import pool_turned
from tests.support import tuning_records
from tests.support.tuning_records import SYNC, build_record
from tests.support.tuning_surfaces import Surface
from tests.support.tuning_trials import Simulated

CONTRACT = [
    "recommended", "plateau", "capacity_per_s", "ci95_per_s", "gain_over_default_pct",
    "gain_ci95_pct", "gain_over_present_pct", "confirmed", "trials", "measuring_s", "why",
    "hazards",
]  # fmt: skip
RUNS = ("complete", "interrupted", "one_arm", "never_met", "deadlock", "own_service")


@functools.cache
def record(kind: str) -> TuneRecord:
    build: Callable[[], TuneRecord] = getattr(tuning_records, kind)
    return build()


@functools.cache
def answer(kind: str) -> TuneReport:
    return judge(record(kind))


def only(report: TuneReport) -> ArmReport:
    (arm,) = report.arms
    return arm


@pytest.mark.parametrize("kind", RUNS)
def test_the_json_has_the_contracts_keys_and_no_nan(kind: str) -> None:
    found = answer(kind).to_json()
    assert found["schema"] == 1
    for arm in found["arms"].values():
        assert list(arm)[: len(CONTRACT)] == CONTRACT
        assert all(isinstance(each, str) for each in [*arm["why"], *arm["hazards"]])
    assert json.loads(json.dumps(found, allow_nan=False))["run"] == record(kind).run


def test_the_same_record_gives_the_same_answer() -> None:
    assert judge(record("complete")) == answer("complete")


def test_a_complete_run_recommends_a_setting_with_what_fresh_instances_showed() -> None:
    report = answer("complete")
    assert report.valid
    for arm, simulated in zip(report.arms, (SYNC, tuning_records.ASYNC), strict=True):
        assert arm.recommended is not None
        assert arm.confirmed
        assert arm.capacity is not None
        assert arm.capacity.units == 5
        assert arm.capacity.ci95_per_s is not None
        low, high = arm.capacity.ci95_per_s
        assert low is not None
        assert high is not None
        assert low < arm.capacity.per_s < high
        truth_per_s = simulated.surface.knee_per_s(arm.recommended)
        assert arm.capacity.per_s == pytest.approx(truth_per_s, rel=0.1)
        assert arm.over_default is not None
        assert arm.over_default.stage == "confirm"
        assert arm.over_default.baseline == FRAMEWORK_DEFAULT
        assert {each.stage for each in arm.comparisons} == {"confirm", "twice", "distance"}


def test_the_plateau_is_that_of_the_finals_cheapest_first() -> None:
    for arm in answer("complete").arms:
        members = [each.found.setting for each in arm.plateau]
        assert arm.taken in members
        assert members == sorted(members, key=lambda each: (each.cost, each))
        assert all(each.found.units == 3 for each in arm.plateau)  # passes


def test_settings_that_tied_in_the_race_but_were_not_finalists_are_named() -> None:
    assert any(arm.tied_in_race for kind in RUNS for arm in answer(kind).arms)
    for arm in answer("own_service").arms:
        finalists = {each.found.setting for each in arm.finalists}
        assert not finalists & set(arm.tied_in_race)


def test_an_interrupted_run_names_its_choice_and_does_not_confirm_it() -> None:
    report = answer("interrupted")
    assert not report.valid
    assert report.headline.startswith("Not finished, so far: ")
    for arm in report.arms:
        assert arm.recommended is not None
        assert arm.capacity is None
        assert "ended before" in arm.verdict[0]
        assert arm.to_json()["capacity_per_s"] is None
        assert arm.recommended != FRAMEWORK_DEFAULT
        assert arm.to_json()["gain_over_default_pct"] is None
    assert report.notes
    assert report.fair == ()


def test_a_run_cut_off_before_the_distance_is_not_confirmed() -> None:
    arm = only(judge(build_record((SYNC,), stages=("confirm", "twice"))))
    assert not arm.confirmed
    assert any("farther away was not measured" in each for each in arm.verdict)


def test_an_objective_that_nothing_meets_is_answered_with_the_nearest_and_its_limit() -> None:
    arm = only(answer("never_met"))
    assert arm.recommended is None
    assert not arm.confirmed
    assert arm.nearest is not None
    assert "the database takes most of it" in arm.nearest.limited_by
    assert arm.nearest.p99_ms is not None
    assert arm.paste == ()
    assert "no setting keeps p99" in answer("never_met").headline


def test_one_arm_alone_is_compared_with_no_other() -> None:
    assert answer("one_arm").fair == ()


def test_sync_and_async_are_compared_in_three_meanings_here_and_farther_away() -> None:
    fair = {each.kind: each.changes for each in answer("complete").fair}
    assert list(fair) == ["same budget", "each at its best", "framework defaults"]
    for changes in fair.values():
        assert [each.stage for each in changes] == ["confirm", "distance"]
        assert {(each.baseline_arm, each.candidate_arm) for each in changes} == {("sync", "async")}
    first, second = fair["same budget"][0].baseline, fair["same budget"][0].candidate
    assert first == second
    confirm = fair["framework defaults"][0]
    assert confirm.baseline == confirm.candidate == FRAMEWORK_DEFAULT
    assert confirm.change_pct == pytest.approx(30, abs=15)  # 520/s against 400/s


def test_a_collapsed_default_makes_a_large_gain() -> None:
    sync = answer("deadlock").arms[0]
    assert sync.over_default is not None
    assert sync.over_default.word == "better"
    assert sync.over_default.change_pct is not None
    assert sync.over_default.change_pct > 200


NEEDS_ROOM = Simulated(Arm(name="sync", app="sync"), Surface(400.0, 20.0, 60.0, 0.0))
"""Ten connections are enough here, and too few 2 ms farther from the database."""


def test_a_cheap_setting_that_fails_at_a_distance_gives_way_to_the_roomiest() -> None:
    arm = only(judge(build_record((NEEDS_ROOM,), instances=6)))
    assert arm.taken is not None
    assert arm.recommended == arm.alternate
    assert arm.recommended != arm.taken
    assert "with the database farther away the roomiest of the plateau" in " ".join(arm.verdict)
    assert arm.confirmed


def test_a_setting_worse_than_the_present_one_at_a_distance_gives_way_to_it() -> None:
    before = build_record((NEEDS_ROOM,), instances=6)
    (search,) = before.arms
    alternate = judge(before).arms[0].alternate
    assert alternate is not None
    # The same run, as if the roomy setting were the present one and not the search's alternate.
    search = replace(search, present=alternate, alternate=None)
    arm = only(judge(replace(before, arms=(search,))))
    assert arm.recommended == search.present
    assert arm.confirmed
    assert any("farther away the present setting" in each for each in arm.verdict)


def without_rivals(before: TuneRecord) -> TuneRecord:
    """The same run, as if the default were all there is beside the taken setting."""
    (search,) = before.arms
    assert search.taken is not None
    finals = [
        each for each in before.tried if each.stage != "final" or each.setting == search.taken
    ]
    search = replace(search, present=search.taken, alternate=None)
    return replace(before, arms=(search,), tried=tuple(finals))


def test_a_setting_worse_than_the_default_at_a_distance_is_not_confirmed() -> None:
    arm = only(judge(without_rivals(build_record((NEEDS_ROOM,), instances=6))))
    assert arm.recommended == arm.taken
    assert not arm.confirmed
    assert any("farther away the framework's default is better" in each for each in arm.verdict)


def test_of_settings_that_cannot_be_told_apart_the_steadiest_is_recommended() -> None:
    cheap, roomy, other = Setting(5), Setting(20), Setting(40)
    here, away = {cheap: 100.0, roomy: 98.0, other: 99.0}, {cheap: 70.0, roomy: 95.0, other: 100.0}
    worst_pct = shortfalls_pct([cheap, roomy, other], [here, {cheap: 1.0}, away])
    assert worst_pct == pytest.approx({cheap: 30.0, roomy: 5.0, other: 1.0})
    assert steadiest(worst_pct) == roomy
    assert steadiest({cheap: 5.0, roomy: 0.0}) == cheap


def test_a_present_setting_that_beats_the_search_in_fresh_processes_is_recommended() -> None:
    before = build_record((NEEDS_ROOM,), instances=6)
    (search,) = before.arms
    # What was measured of the taken setting is exchanged with what a poor one would have shown.
    poor = [
        replace(each, score=replace(each.score, late=each.score.planned))
        if each.stage == "confirm" and each.setting == search.taken and (each.rate_per_s or 0) > 300
        else each
        for each in before.tried
    ]
    search = replace(search, alternate=None)
    arm = only(judge(replace(before, arms=(search,), tried=tuple(poor))))
    assert arm.recommended in (search.present, FRAMEWORK_DEFAULT)
    assert "which the search took: in fresh processes" in " ".join(arm.verdict)


def test_the_setting_recommended_as_it_is_gains_nothing_over_the_present_one() -> None:
    arm = only(judge(without_rivals(record("one_arm"))))
    assert arm.recommended == arm.present
    assert arm.over_present is None
    assert arm.to_json()["gain_over_present_pct"] == 0.0


def test_why_shows_the_split_the_arithmetic_and_the_servers_counters() -> None:
    said = " ".join(only(answer("one_arm")).why)
    assert "by Little's law" in said
    assert "connections in use on average" in said
    assert "ms in the database" in said
    assert "The server's own counters" in said
    assert "the processor is the limit" in said


def shared(*pairs: tuple[float, float], late: Sequence[int] = ()) -> list[Tried]:
    """Blocks of the search in which pools of 10 and 40 had the same arrivals: database times of
    both, and how many of 1000 requests were late with 40."""
    late = late or [0] * len(pairs)
    return [
        Tried(
            arm="sync", setting=setting, stage="search", unit=block, block=block,
            score=Score(300.0, 1000, missed, 0), good_per_s=300.0, rate_per_s=300.0,
            split=Split(0.1, 1.0, db_ms, 2.0, 3.1 + db_ms),
        )
        for block, ((low_ms, high_ms), missed) in enumerate(zip(pairs, late, strict=True))
        for setting, db_ms, missed in ((Setting(10), low_ms, block), (Setting(40), high_ms, missed))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        (
            shared((5.0, 9.0)),
            "What more connections than 10 do cannot be told: 40 shared one block",
        ),
        (shared((5.0, 9.0), (5.0, 2.0), (5.0, 7.0)), "whether database time grows cannot be told"),
        (shared((5.0, 9.0), (5.0, 9.5), (5.1, 8.9)), "with 40, database time grows (+81%"),
        (
            shared((5.0, 9.0), (5.0, 9.5), (5.1, 8.9), late=(15, 16, 17)),
            "answers in time fall (−1.5%",  # by more than the 1% that may be late
        ),
        (
            shared((5.0, 9.0), (5.0, 9.5), (5.1, 8.9), late=(3, 4, 5)),
            "answers in time stay (−0.3%",
        ),
        (
            shared((5.0, 9.0), (5.0, 9.5), (5.1, 8.9), late=(10, 20, 30)),
            "answers in time do not grow (−1.9%",
        ),
        (
            shared((5.0, 9.0), (5.0, 9.5), (5.1, 8.9), late=(700, 0, 5)),
            "whether answers in time change cannot be told (",
        ),
        (
            shared((5.0, 9.0), (5.0, 9.5), (5.1, 8.9), late=(700, 680, 720)),
            "answers in time fall (",
        ),
    ],
)
def test_why_claims_of_other_pools_what_several_shared_blocks_show(
    trials: list[Tried], said: str
) -> None:
    [first, *_] = pool_turned(Setting(10), trials)
    assert said in first.replace(words.NBSP, " ")


def test_where_all_of_both_was_answered_in_time_that_is_what_stays() -> None:
    trials = [
        replace(each, score=replace(each.score, late=0))
        for each in shared((5.0, 9.0), (5.0, 9.5), (5.1, 8.9))
    ]
    [first, *_] = pool_turned(Setting(10), trials)
    assert "answers in time stay (as many in each of 3 blocks" in first
    assert "throughput" not in first


def counted(setting: Setting, *running: tuple[float, float]) -> str:
    """What is said of statements running at once, before and after, with another setting."""
    blocks = shared(*[(5.0, 9.0 + each) for each in range(len(running))])
    trials = [
        replace(
            each,
            setting=Setting(10) if each.setting == Setting(10) else setting,
            server={"Threads_running": running[each.block][each.setting != Setting(10)]},
        )
        for each in blocks
    ]
    said = [each for each in pool_turned(Setting(10), trials) if "own counters" in each]
    return " ".join(said)


def test_counters_that_surely_differ_are_told_of_the_setting_by_its_whole_name() -> None:
    steady = ((2.0, 4.0), (2.2, 4.1), (2.1, 4.2))
    assert "from 10 connections to 40: statements running at once 2.1 → 4.1" in counted(
        Setting(40), *steady
    )
    other = Setting(40, threads=10)
    assert f"from 10 connections to 40 ({other.words}): " in counted(other, *steady)


def test_counters_are_judged_as_the_several_that_they_are() -> None:
    spread = ((2.0, 3.4), (2.0, 3.9), (2.0, 4.4))  # +1.9 ± 1.2; as one of four ± 2.6
    assert counted(Setting(40), *spread) == ""


def test_a_counter_that_differs_by_the_same_in_every_block_tells_no_uncertainty() -> None:
    assert counted(Setting(40), (2.0, 3.0), (2.0, 3.0), (2.0, 3.0)) == ""


def test_a_counter_starts_from_the_blocks_that_it_is_compared_in() -> None:
    found = difference(
        shared_blocks(*[
            [
                Tried("sync", Setting(pool), "search", block, block, Score(1.0, 1, 0, 0), 1.0,
                      rate_per_s=1.0, p50_ms=value_ms)
                for block, value_ms in enumerate(values_ms)
            ]
            for pool, values_ms in ((10, (2.0, 4.0, 90.0)), (40, (3.0, 5.5, None)))
        ]),
        lambda each: each.p50_ms,
    )  # fmt: skip
    assert isinstance(found, Difference)
    assert (found.before, found.mean) == (3.0, 1.25)


def test_why_says_nothing_of_pools_that_were_in_no_block_together() -> None:
    trials = [
        replace(each, block=each.block + 10 * (each.setting == Setting(40)))
        for each in shared((5.0, 9.0), (5.0, 9.5), (5.1, 8.9))
    ]
    assert list(pool_turned(Setting(10), trials)) == []


def test_why_says_that_the_database_slows_down_beyond_the_recommended_pool() -> None:
    slowing = Simulated(SYNC.arm, Surface(350.0, 25.0, 12.0, 0.3))
    arm = only(judge(build_record((slowing,))))
    assert arm.recommended is not None
    said = " ".join(arm.why)
    assert f"Beyond {arm.recommended.connections} connections, with " in said
    assert ", database time grows (+" in said
