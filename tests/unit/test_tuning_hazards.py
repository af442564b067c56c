"""What can go wrong with a setting, by arithmetic, and what a burst says to it."""

from dataclasses import replace

import pytest

from loadtests.tuning.hazards import (
    burst_users,
    calm_users,
    deadlock_from,
    unfair_from,
    worth_a_burst,
)
from loadtests.tuning.score import Score
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.spec import TuneSpec
from reports.tuning.connections import ConnectionLimit, connection_limit
from reports.tuning.findings import Hazard
from reports.tuning.hazards import deadlock_shown, hazards_of
from reports.tuning.judge import judge
from reports.tuning.model import ArmReport
from reports.tuning.record import Tried
from tests.support.tuning_records import complete, deadlock, never_met, one_arm, own_service

ROOMY = ConnectionLimit(1000, 10, "the spec")


def of_kind(arm: ArmReport, kind: str) -> list[Hazard]:
    return [each for each in arm.hazards if each.kind == kind]


@pytest.mark.parametrize(
    ("setting", "from_in_flight"),
    [
        (FRAMEWORK_DEFAULT, 55),  # 40 threads + 5 + 10
        (Setting(40, 0, 40, 1, -1), 80),  # as many connections as threads do not help
        (Setting(10, 0, 40, 1, 0), None),  # the gate lets in 10
        (Setting(10, 0, 40, 1, 49), None),
        (Setting(10, 0, 40, 1, 50), 50),  # a gate as wide as the trap is none
    ],
)
def test_threads_and_pool_lock_from_their_sum_on(
    setting: Setting, from_in_flight: int | None
) -> None:
    assert deadlock_from(setting, "sync-ungated") == from_in_flight


def test_the_gate_of_a_command_is_not_known() -> None:
    assert deadlock_from(Setting(10, 0, 40, 1, 0), None) == 50
    assert unfair_from(Setting(10, 0, 40, 1, 0), None) == 11


@pytest.mark.parametrize(
    ("setting", "app", "from_in_flight"),
    [
        (Setting(10, 5, 40, 1, -1), "sync", 16),
        (Setting(10, 5, 40, 1, 0), "sync", None),
        (Setting(10, 5, 40, 1, 20), "sync", 16),
        (Setting(10, 0, 10, 1, -1), "sync", None),  # ten threads never wait for ten connections
        (Setting(10, 0, 10, 1, -1), "async", 11),
        (Setting(10, 0, 40, 1, -1), "async-blocking", None),  # one request at a time
    ],
)
def test_waiting_is_out_of_turn_where_more_get_in_than_the_pool_holds(
    setting: Setting, app: str, from_in_flight: int | None
) -> None:
    assert unfair_from(setting, app) == from_in_flight


def test_a_burst_fills_every_thread_and_connection_of_every_worker() -> None:
    setting = Setting(5, 10, 40, 2, -1)
    assert burst_users(setting) == 2 * (40 + 15 + 20)
    assert calm_users(setting) == 2 * 5


@pytest.mark.parametrize("app", ["sync", "async", "sync-ungated", None])
def test_a_burst_is_worth_its_time_where_nothing_keeps_requests_back(app: str | None) -> None:
    assert worth_a_burst(FRAMEWORK_DEFAULT, app)
    assert worth_a_burst(Setting(10, 0, 40, 1, 0), app) == (app is None)


def test_a_burst_that_collapses_confirms_the_deadlock_of_the_ungated_specimen() -> None:
    sync, asynchronous = judge(deadlock()).arms
    found = {each.setting: each for each in of_kind(sync, "deadlock")}
    default = found[FRAMEWORK_DEFAULT]
    assert default.confirmed is True
    assert "from 55 requests in flight per worker on (40 threads + 15 connections)" in default.words
    assert "A burst of 75 users showed it" in default.words
    assert sync.recommended not in found
    assert of_kind(asynchronous, "deadlock") == []
    unfair = next(e for e in of_kind(sync, "unfair-waiting") if e.setting == FRAMEWORK_DEFAULT)
    assert unfair.confirmed is None  # after a collapse nobody can say who waited


def burst_given_up_after_1_s(calm_per_s: float) -> list[Tried]:
    """On the default: 75 users who get next to nothing, beside 5 who get `calm_per_s`."""
    return [
        Tried(
            arm="sync-ungated", setting=FRAMEWORK_DEFAULT, stage="burst", unit=1, block=users,
            score=Score(good_per_s, 75, late, 0), good_per_s=good_per_s, users=users,
            p50_ms=p99_ms, p99_ms=p99_ms, p99_beyond=late > 0, patience_s=1.0,
        )
        for users, good_per_s, late, p99_ms in ((5, calm_per_s, 0, 100.0), (75, 2.0, 75, 1010.0))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("calm_per_s", "shown", "said"),
    [
        (500.0, True, "showed it"),  # in turn 75 users of 500/s wait 0.15 s, given up after 1 s
        (100.0, None, "could not show it"),  # 0.75 s; at half the throughput, no collapse, 1.5 s
        (50.0, None, "could not show it"),  # 1.5 s
    ],
)
def test_a_slow_queue_in_turn_that_is_given_up_is_no_deadlock(
    calm_per_s: float, shown: bool | None, said: str
) -> None:
    tried = burst_given_up_after_1_s(calm_per_s)
    (search, _) = deadlock().arms
    found = hazards_of(search, {FRAMEWORK_DEFAULT: ("default",)}, tried, ROOMY, 1)
    locked, unfair = found
    assert (locked.kind, locked.confirmed) == ("deadlock", shown)
    assert said in locked.words
    assert unfair.confirmed is None
    assert deadlock_shown(FRAMEWORK_DEFAULT, "sync-ungated", tried) == (shown is True)


def test_the_twins_cannot_deadlock_and_wait_out_of_turn_without_a_gate() -> None:
    (arm,) = judge(one_arm()).arms
    assert of_kind(arm, "deadlock") == []
    unfair = next(e for e in of_kind(arm, "unfair-waiting") if e.setting == FRAMEWORK_DEFAULT)
    assert unfair.confirmed is True
    assert "16 in flight" in unfair.words


def test_of_a_command_the_condition_is_told_and_the_burst_decides() -> None:
    (arm,) = judge(own_service()).arms
    found = next(e for e in of_kind(arm, "deadlock") if e.setting == FRAMEWORK_DEFAULT)
    assert "cannot be known" in found.words
    assert found.confirmed is False
    assert "did not show it" in found.words


def test_a_burst_served_in_turn_does_not_confirm_unfair_waiting() -> None:
    record = one_arm()
    fair = [
        replace(each, p99_ms=each.p50_ms and 1.2 * each.p50_ms) if each.stage == "burst" else each
        for each in record.tried
    ]
    (arm,) = judge(replace(record, tried=tuple(fair))).arms
    unfair = next(e for e in of_kind(arm, "unfair-waiting") if e.setting == FRAMEWORK_DEFAULT)
    assert unfair.confirmed is False


def test_what_both_are_given_with_the_same_budget_is_judged_as_well() -> None:
    record = complete()
    sync, asynchronous = record.arms
    taken, both = Setting(5, 0, 40, 1, -1), Setting(20, 0, 40, 1, -1)
    measured = [
        replace(each, setting=both)
        for each in record.tried
        if each.setting == FRAMEWORK_DEFAULT and each.stage in ("confirm", "burst")
    ]
    arms = (replace(sync, taken=taken), replace(asynchronous, taken=both))
    arm, _ = judge(replace(record, arms=arms, tried=(*record.tried, *measured))).arms
    unfair = next(e for e in of_kind(arm, "unfair-waiting") if e.setting == both)
    assert unfair.roles == ("same budget",)
    assert unfair.words.startswith("With the same budget (pool 20 + 0")
    assert unfair.burst is not None


def test_without_a_burst_nothing_is_confirmed_or_denied() -> None:
    (arm,) = judge(never_met()).arms
    (unfair,) = of_kind(arm, "unfair-waiting")
    assert unfair.confirmed is None
    assert "No burst was measured" in unfair.words


def test_a_fleet_that_passes_the_servers_limit_is_a_hazard_with_its_arithmetic() -> None:
    (search,) = one_arm().arms
    setting = Setting(10, 10, 40, 2, 0)
    roles = {setting: ("present",)}
    (found,) = hazards_of(search, roles, (), ConnectionLimit(151, 10, "the server"), 4)
    assert found.kind == "max-connections"
    assert "4 hosts × 2 workers × (10 + 10) = 160 connections, more than the 141" in found.words
    assert "3 such instances fit" in found.words
    assert hazards_of(search, roles, (), ROOMY, 4) == ()


def test_the_limit_is_the_specs_then_a_foreign_servers_then_mysqls_default() -> None:
    external = {"database": {"kind": "external", "max_connections": 300}}
    ours = {"database": {"kind": "local", "max_connections": 999}}
    assert connection_limit(TuneSpec(max_connections=80), external).available == 70
    assert connection_limit(TuneSpec(), external).available == 290
    assert connection_limit(TuneSpec(reserve_connections=1), ours).available == 150
