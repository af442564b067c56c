"""What a tune run does with its budget, and how far down it follows settings, on simulated load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from loadtests.simulated import SimulatedArm
from loadtests.trials import TrialOrder
from loadtests.tuning.execute import execute
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.stages import SHARES
from tests.support.simulated_tuning import (
    ONE_ARM,
    Staged,
    queue_of,
    record_of,
    setting_of,
    short_spec,
)


def test_a_budget_that_is_spent_pays_for_no_burst(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=40"))
    execute(stage.tuning)
    record = record_of(stage)
    assert not [each for each in record.tried if each.stage == "burst"]
    assert any("no burst on pool 5 + 10" in each for each in record.notes)


def test_no_heat_begins_that_the_time_for_the_search_is_too_short_for(tmp_path: Path) -> None:
    pools = "tune.knobs.pool_size=[6, 8, 12, 16, 24, 32, 48, 64]"
    spec = short_spec('tune.arms=["sync"]', pools, "tune.budget_s=65")
    stage = Staged(tmp_path / "run", spec)
    execute(stage.tuning)
    heats = stage.past.of_stage("search")
    assert any("the time for the search was spent" in each for each in stage.past.notes)
    a_trial_s = heats[-1].wall_s / len(heats[-1].scores)  # they are not all equally long
    assert sum(each.wall_s for each in heats) <= SHARES["search"] * 65 + a_trial_s


def slow_default(name: str) -> SimulatedArm:
    """A queue of one server where the setting is the frameworks' default."""
    slow = setting_of(name) == FRAMEWORK_DEFAULT
    return replace(queue_of(name), servers=1) if slow else queue_of(name)


def test_a_setting_that_misses_all_loads_is_followed_down(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=120"), queues=slow_default)
    execute(stage.tuning)
    confirmed = [
        each
        for each in record_of(stage).tried
        if each.stage == "confirm" and each.setting == FRAMEWORK_DEFAULT
    ]
    assert len({each.unit for each in confirmed if each.score.clears(stage.tuning.objective)}) >= 3
    assert min(each.rate_per_s or 0 for each in confirmed) < 50  # one server does 50/s


def test_what_later_stages_need_is_not_spent_on_following_a_setting_down(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=40"), queues=slow_default)
    execute(stage.tuning)
    chosen = stage.past.chosen["sync"]
    assert chosen is not None
    rates = [each.rate_per_s or 0.0 for each in stage.past.of_stage("confirm")]
    assert min(rates) > 0.7 * chosen.knee_per_s  # the lowest of the shortest ladder


def test_finals_go_further_down_where_the_race_had_a_better_moment(tmp_path: Path) -> None:
    slower = {"now": 1.0}

    def queue(name: str) -> SimulatedArm:
        return replace(queue_of(name), service_ms=20.0 * slower["now"])

    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM), queues=queue)

    def slow_down(_: TrialOrder) -> None:
        slower["now"] = 1.6 if "search" in stage.past.finished else 1.0

    stage.generator.before = slow_down
    assert execute(stage.tuning) == "complete"
    record = record_of(stage)
    assert record.arms[0].taken in (Setting(8, admission=0), Setting(10))  # both do the same
    tops = [each.rung for each in record.tried if each.stage == "search" and each.rung]
    finals = [each.rung for each in record.tried if each.stage == "final" and each.rung]
    assert min(finals) < max(tops) - 5
