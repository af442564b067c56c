"""A tune run on simulated load, where database, app or an instance fails."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.errors import EnvironmentNotReady
from loadtests.simulated import SimulatedArm
from loadtests.trials import TrialOrder
from loadtests.tuning.execute import execute
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from tests.support.simulated_tuning import (
    ONE_ARM,
    Staged,
    queue_of,
    record_of,
    setting_of,
    short_spec,
)

DROPPED = "pymysql.err.OperationalError: (2013, 'Lost connection to MySQL server during query')"


def failing_from(
    tmp_path: Path, error: str, fails: Callable[[TrialOrder], bool], error_rate: float, *more: str
) -> Staged:
    """A run in which, of trials that `fails` names, so many requests fail with `error`."""
    now = {"fails": False}

    def queue(name: str) -> SimulatedArm:
        return replace(queue_of(name), error_rate=error_rate if now["fails"] else 0.0)

    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, *more), queues=queue)

    def before(order: TrialOrder) -> None:
        now["fails"] = fails(order)
        stage.beds["search"].last_error = error

    stage.generator.before = before
    return stage


def test_a_heat_in_which_the_database_dropped_everybody_is_measured_again(tmp_path: Path) -> None:
    stage = failing_from(tmp_path, DROPPED, lambda order: order.block == 1, 0.5)
    assert execute(stage.tuning) == "complete"
    record = record_of(stage)
    assert any("dropped the connections" in each for each in record.dropped)
    assert 1 not in {each.block for each in record.tried}
    assert record.arms[0].taken == Setting(8, admission=0)


def test_a_database_that_keeps_dropping_ends_the_run_with_what_was_measured(
    tmp_path: Path,
) -> None:
    stage = failing_from(tmp_path, DROPPED, lambda order: order.block >= 3, 0.5)
    with pytest.raises(EnvironmentNotReady, match="3 blocks of sync in a row"):
        execute(stage.tuning)
    record = record_of(stage)
    assert record.status == "interrupted"
    assert {each.block for each in record.tried} == {0, 1, 2}


def test_errors_of_the_app_itself_are_no_reason_to_measure_again(tmp_path: Path) -> None:
    error = "sqlalchemy.exc.TimeoutError: QueuePool limit reached"
    stage = failing_from(tmp_path, error, lambda _: True, 1.0, "tune.budget_s=200")
    assert execute(stage.tuning) == "complete"
    record = record_of(stage)
    assert {each.stage for each in record.tried} == {"search"}
    assert record.arms[0].taken is None
    assert any("no setting met the objective" in each for each in record.notes)
    rates = [each.rate_per_s for each in record.tried]
    assert min(rates) < 0.5 * max(rates)


def test_a_candidate_that_dies_leaves_and_is_loaded_no_more(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM))
    loaded = []

    def die(order: TrialOrder) -> None:
        name = order.target.arm
        loaded.append(name)
        if setting_of(name).pool_size == 2 and "search" in stage.beds:
            stage.beds["search"].dead = (name, order.target.instance)

    stage.generator.before = die
    assert execute(stage.tuning) == "complete"
    record = record_of(stage)
    assert sum(setting_of(name).pool_size == 2 for name in loaded) == 1
    assert any("pool 2" in each and "has ended" in each for each in record.notes)
    assert record.arms[0].taken == Setting(8, admission=0)


def test_an_instance_that_is_still_busy_is_not_measured(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM))
    locked: set[str] = set()

    def lock(order: TrialOrder) -> None:
        name = order.target.arm
        if setting_of(name) == FRAMEWORK_DEFAULT and "confirm" in stage.beds:
            stage.beds["confirm"].busy[name, order.target.instance] = 40
            locked.add(name)

    stage.generator.before = lock
    assert execute(stage.tuning) == "complete"
    [name] = locked
    waits = [within_s for arm, _, within_s in stage.beds["confirm"].waits if arm == name]
    assert 0.75 in waits  # after the trial: as long as it was
    assert 5.75 in waits  # before the next: until what waits for a connection has given up
    record = record_of(stage)
    measured = [each for each in record.tried if each.setting == FRAMEWORK_DEFAULT]
    for unit in {each.unit for each in measured if each.stage == "confirm"}:
        near = [each for each in measured if each.unit == unit and each.stage != "distance"]
        assert len(near) == 1
    assert any("still busy with an earlier load" in each for each in record.notes)
