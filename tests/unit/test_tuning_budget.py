"""What a tune run does with its budget, and how far down it follows settings, on simulated load."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.schedule import Limits
from loadtests.simulated import SimulatedArm
from loadtests.trials import TrialOrder
from loadtests.tuning.confirm import AROUND_SHARE
from loadtests.tuning.execute import execute
from loadtests.tuning.score import Objective
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.stages import SHARES, later_shares
from reports.tuning.changes import Side, Trials
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
    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=160"), queues=slow_default)
    execute(stage.tuning)
    confirmed = [
        each
        for each in record_of(stage).tried
        if each.stage == "confirm" and each.setting == FRAMEWORK_DEFAULT
    ]
    below = [each for each in confirmed if (each.rate_per_s or 0) < 50]  # one server does 50/s
    assert len({each.unit for each in below}) >= 3
    assert any(each.score.clears(stage.tuning.objective) for each in below)
    told = [(t.good + t.given_up + t.score.errors, t.score.planned) for t in confirmed]
    assert all(parts == planned for parts, planned in told)


def test_what_later_stages_need_is_not_spent_on_following_a_setting_down(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=40"), queues=slow_default)
    execute(stage.tuning)
    chosen = stage.past.chosen["sync"]
    assert chosen is not None
    rates = [each.rate_per_s or 0.0 for each in stage.past.of_stage("confirm")]
    assert min(rates) > 0.7 * chosen.knee_per_s  # the lowest of the shortest ladder


@pytest.mark.parametrize("budget_s", [118, 120, 160])
def test_no_step_down_begins_that_its_time_is_too_short_for(tmp_path: Path, budget_s: int) -> None:
    spec = short_spec(*ONE_ARM, f"tune.budget_s={budget_s}")
    stage = Staged(tmp_path / "run", spec, queues=slow_default)
    execute(stage.tuning)
    chosen = stage.past.chosen["sync"]
    assert chosen is not None
    measured = stage.past.measured
    down = [
        index
        for index, each in enumerate(measured)
        if each.stage == "confirm" and (each.rate_per_s or 0.0) < 0.55 * chosen.knee_per_s
    ]
    assert down
    before_s = sum(each.wall_s for each in measured[: down[0]])
    spent_s = sum(measured[index].wall_s for index in down)
    kept_s = (1.0 - later_shares("confirm")) * budget_s
    assert spent_s <= min(AROUND_SHARE * budget_s, kept_s - before_s)


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


def test_what_overwhelms_an_instance_is_the_last_that_it_gets(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM), queues=slow_default)
    execute(stage.tuning)
    chosen = stage.past.chosen["sync"]
    assert chosen is not None
    ladder = [
        each
        for each in stage.past.of_stage("confirm")
        if (each.rate_per_s or 0.0) > 0.7 * chosen.knee_per_s and each.unit == 1
    ]
    rates = [each.rate_per_s or 0.0 for each in ladder]
    assert rates == sorted(rates)
    assert len(set(rates)) > 1
    loaded = [FRAMEWORK_DEFAULT in each.scores for each in ladder]
    assert loaded == [True] + [False] * (len(ladder) - 1)
    taken = [chosen.taken in each.scores for each in ladder]
    assert all(taken)


def test_knees_beyond_the_ladder_are_followed_up(tmp_path: Path) -> None:
    faster = {"now": 1.0}

    def queue(name: str) -> SimulatedArm:
        return replace(queue_of(name), service_ms=20.0 * faster["now"])

    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=400"), queues=queue)

    def speed_up(_: TrialOrder) -> None:
        faster["now"] = 0.85 if "final" in stage.past.finished else 1.0

    stage.generator.before = speed_up
    assert execute(stage.tuning) == "complete"
    taken, trials = Setting(8, admission=0), Trials(record_of(stage).tried, Objective(50.0), 5.0)
    chosen = stage.past.chosen["sync"]
    assert chosen is not None
    for name in ("confirm", "distance"):
        found = trials.knee(name, Side("sync", taken))
        assert found is not None
        assert found.per_s > 1.05 * chosen.knee_per_s, name
        assert found.censored is None, name


@pytest.mark.parametrize(("rss_mb", "more"), [(40.0, True), (150.0, False)])
def test_later_worlds_are_sized_by_the_memory_that_processes_really_take(
    tmp_path: Path, rss_mb: float, more: bool
) -> None:
    limits = Limits(memory_mb=1100.0, connections=None)  # six processes of 110 MB
    stage = Staged(
        tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=300"), limits=limits, rss_mb=rss_mb
    )
    assert execute(stage.tuning) == "complete"
    record = record_of(stage)
    units = {each.unit for each in record.tried if each.stage == "confirm"}
    assert (len(units) > 2) == more
    told = any("more than the 110 MB" in each for each in record.notes)
    assert told != more
