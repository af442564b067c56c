"""What each stage measures within its share, and which settings are tried again."""

from __future__ import annotations

import pytest

from loadtests.errors import StorageError
from loadtests.spec import Arm
from loadtests.tuning.past import Past, past_of
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.space import default_of
from loadtests.tuning.stages import (
    DRAIN_S,
    LADDERS,
    SHARES,
    Chosen,
    FinalsPlan,
    most_measuring_s,
    plan_finals,
    plan_ladder,
    same_budget,
    seconds_for,
    settings_to_confirm,
    trial_s,
)

SYNC = Arm(name="sync", app="sync")


def test_what_a_stage_leaves_of_the_budget_the_later_ones_get() -> None:
    assert sum(SHARES.values()) == pytest.approx(1.0)
    assert seconds_for("search", 100.0) == pytest.approx(100.0 * SHARES["search"])
    assert seconds_for("distance", 50.0) == pytest.approx(50.0)
    assert seconds_for("confirm", -3.0) == 0.0


def test_finals_are_cut_down_until_they_fit_three_times() -> None:
    assert plan_finals(2, 1000.0, 2.0).passes == 6
    assert plan_finals(2, 240.0, 2.0) == FinalsPlan(4, (-4, -2, -1, 0, 1), 3)
    assert plan_finals(2, 200.0, 2.0) == FinalsPlan(3, (-4, -2, -1, 0, 1), 3)
    assert plan_finals(2, 150.0, 2.0) == FinalsPlan(4, (-3, -1, 1), 3)
    smallest = plan_finals(2, 1.0, 2.0)
    assert (smallest.finalists, len(smallest.steps), smallest.passes) == (2, 3, 3)
    assert all(plan_finals(2, seconds, 1.5).passes >= 3 for seconds in range(1, 400, 7))


def test_ladders_have_three_instances_at_least_and_as_many_loads_as_fit() -> None:
    assert plan_ladder(6, 600.0, 2.0, 8).instances == 8
    assert plan_ladder(6, 216.0, 2.0, 8).shares == LADDERS[0]  # with one load beyond it
    assert plan_ladder(6, 215.0, 2.0, 8).shares == LADDERS[1]
    assert plan_ladder(6, 1.0, 2.0, 8).instances == 3
    assert plan_ladder(6, 600.0, 2.0, 2).instances == 2
    assert plan_ladder(1, 100.0, 2.0, 8).rates(412.0) == [247.0, 330.0, 371.0, 412.0, 453.0]


def test_twice_the_load_has_the_time_for_nine_settings_or_for_six_that_it_overwhelms() -> None:
    share_s, each_s = SHARES["twice"] * 480.0, trial_s(1.0, writes=False)
    twice_s = each_s + 1.0 - DRAIN_S  # until the last request is given up, as the plan has it
    assert 3 * 9 * each_s <= share_s
    assert 3 * 6 * twice_s <= share_s < 3 * 9 * twice_s
    as_planned_s, overwhelmed_s = (
        most_measuring_s(480.0, 2, 9, each_s, twice_s=each) for each in (each_s, twice_s)
    )
    assert overwhelmed_s > as_planned_s  # more than its share is counted by the plan


def test_the_same_budget_is_of_each_knob_the_most_that_anybody_takes() -> None:
    wide, many = Setting(20, 0, 10, 1, 0), Setting(5, 10, 40, 2, -1)
    assert same_budget([wide, many]) == same_budget([many, wide]) == Setting(20, 10, 40, 2, 0)
    assert same_budget([Setting(5, admission=-1), Setting(10, admission=-1)]).admission == -1
    assert same_budget([Setting(10, admission=4), Setting(10, admission=6)]).admission == 6
    assert same_budget([Setting(10, admission=10), Setting(4, admission=4)]).admission == 0
    assert same_budget([wide]) == wide


def test_a_command_has_the_defaults_that_it_can_take() -> None:
    assert default_of(SYNC) == FRAMEWORK_DEFAULT
    words = "serve --port {port} --pool {pool_size}"
    command = Arm(name="shop", command=words, pool_size=7, max_overflow=3, threads=12)
    assert default_of(command) == Setting(5, 3, 12, 1, command.admission)
    nothing = Arm(name="shop", command="serve --port {port}")
    assert default_of(nothing) is None
    present, taken = Setting(7), Chosen(Setting(10), None, 300.0)
    wanted = settings_to_confirm({"shop": taken}, {"shop": present}, {"shop": None}, [])
    assert wanted == {"shop": [Setting(10), present]}


def test_what_is_confirmed_is_named_once() -> None:
    chosen = {
        "sync": Chosen(Setting(10), Setting(20), 300.0),
        "async": Chosen(Setting(5), None, 300.0),
    }
    present = {"sync": Setting(10), "async": Setting(10)}
    default = dict.fromkeys(present, FRAMEWORK_DEFAULT)
    crossing = {
        "sync": Chosen(Setting(20, threads=10), None, 300.0),
        "async": Chosen(Setting(5, threads=40), None, 300.0),
    }
    both = settings_to_confirm(crossing, present, default, ["sync", "async"])
    assert all(Setting(20, threads=40) in settings for settings in both.values())
    wanted = settings_to_confirm(chosen, present, default, ["sync", "async"])
    assert wanted == {
        "sync": [Setting(10), FRAMEWORK_DEFAULT, Setting(20)],
        "async": [Setting(5), FRAMEWORK_DEFAULT, Setting(10)],
    }
    one = settings_to_confirm({"async": chosen["async"]}, present, default, ["sync", "async"])
    assert one == {"async": [Setting(5), FRAMEWORK_DEFAULT, Setting(10)]}


def test_lines_that_another_version_wrote_are_told() -> None:
    with pytest.raises(StorageError, match="not as this version writes it"):
        past_of([{"event": "tune", "what": "starters", "arm": "sync"}])
    assert past_of([{"event": "tune", "what": "of the future"}, {"event": "trial"}]) == Past()
