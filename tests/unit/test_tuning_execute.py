"""A whole tune run on simulated load: searched, confirmed, taken away."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.journal import read_journal
from loadtests.schedule import Limits
from loadtests.spec import load_spec
from loadtests.trials import OpenLoad
from loadtests.tuning.execute import execute
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from tests.support.simulated_tuning import (
    ONE_ARM,
    Staged,
    past_in,
    record_of,
    short_spec,
)


def test_a_tune_run_finds_the_smallest_pool_that_is_enough(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec("tune.budget_s=300"))
    assert execute(stage.tuning) == "complete"
    record = record_of(stage)
    assert record.status == "complete"
    assert not record.dropped
    for arm in record.arms:
        assert arm.taken is not None
        assert arm.taken.pool_size == 8, stage.quiet.said
        assert 2 not in {each.pool_size for each in arm.finalists}
        assert arm.need is not None
        assert arm.need.in_use == pytest.approx(8.0, rel=0.1)  # all servers busy
    stages = Counter(each.stage for each in record.tried)
    assert set(stages) == {"search", "final", "confirm", "twice", "distance", "burst"}
    assert sum(stages.values()) == past_in(stage.folder).trials
    for name in ("confirm", "twice", "distance"):
        of_stage = [each for each in record.tried if each.stage == name]
        assert {FRAMEWORK_DEFAULT, Setting(10)} <= {each.setting for each in of_stage}
        assert len({each.unit for each in of_stage}) >= 3
    assert past_in(stage.folder).spent_s <= 1.4 * 300  # at least three instances, however short


def test_arms_without_room_beside_each_other_are_confirmed_in_turn(tmp_path: Path) -> None:
    limits = Limits(memory_mb=None, connections=100)
    stage = Staged(tmp_path / "run", short_spec(), limits=limits)
    assert execute(stage.tuning) == "complete"
    record = record_of(stage)
    for name in ("confirm", "twice", "distance"):
        units = {
            arm: {each.unit for each in record.tried if (each.arm, each.stage) == (arm, name)}
            for arm in ("sync", "async")
        }
        assert all(len(each) >= 3 for each in units.values()), name
        assert not units["sync"] & units["async"]
    assert any("one after the other" in each for each in record.notes)
    taken = {arm.arm: arm.taken for arm in record.arms}
    for each in record.tried:
        if each.stage == "confirm" and taken[each.arm] is not None:
            assert {taken[each.arm], FRAMEWORK_DEFAULT} <= {
                one.setting
                for one in record.tried
                if (one.arm, one.stage, one.unit) == (each.arm, "confirm", each.unit)
            }


def test_only_the_arm_that_cannot_be_moved_away_stays(tmp_path: Path) -> None:
    arms = "".join(
        f"[[arm]]\nname = '{name}'\ncommand = 'serve {{port}} {{pool_size}}'\nenv = {{ {way} }}\n"
        for name, way in (("near", ""), ("far", "URL = '{database_url}'"))
    )
    path = tmp_path / "shops.toml"
    path.write_text(
        f"{arms}[run]\nblock_s = 0.75\n[[scenario]]\nname = 'read-one'\n"
        "[tune]\nbudget_s = 100\nobjective = { p99_ms = 50 }\nknobs = { pool_size = [2, 8] }\n"
    )
    stage = Staged(tmp_path / "run", load_spec(str(path)))
    assert execute(stage.tuning) == "complete"
    record = record_of(stage)
    assert {each.arm for each in record.tried if each.stage == "distance"} == {"far"}
    assert {each.arm for each in record.tried if each.stage == "confirm"} == {"near", "far"}
    assert any("near takes no {database_url}" in each for each in record.notes)


def test_stored_samples_give_the_scores_that_the_search_rested_on(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM))
    execute(stage.tuning)
    tried = {(each.block, each.setting): each for each in record_of(stage).tried}
    for measured in past_in(stage.folder).measured:
        for setting, score in measured.scores.items():
            found = tried[measured.block or 0, setting]
            assert replace(found.score, offered_per_s=score.offered_per_s) == score
            assert found.score.offered_per_s == pytest.approx(score.offered_per_s)
            assert found.p99_ms is not None
            assert found.split is not None
            assert found.server["Questions"] > 0
            limit = 0.01 * score.planned
            if measured.stage == "search" and score.errors == 0:
                assert (found.p99_ms <= 50.0) == (score.late <= limit)


def test_every_setting_of_a_block_is_asked_the_same(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec("tune.budget_s=60"))
    execute(stage.tuning)
    blocks: dict[int, set[tuple[object, ...]]] = {}
    for order in stage.generator.orders:
        if order.block >= 0:
            assert isinstance(order.load, OpenLoad) or order.load.users > 0
            blocks.setdefault(order.block, set()).add((order.load, order.seed))
    assert all(len(each) == 1 for each in blocks.values())
    assert len({seed for each in blocks.values() for _, seed in each}) == len(blocks)


def test_where_not_all_fit_at_once_the_leaders_neighbours_come_later(tmp_path: Path) -> None:
    spec = short_spec(
        'tune.arms=["sync"]', "tune.knobs.pool_size=[1, 2, 4, 6, 8, 12, 32, 64]",
        "arm.sync.pool_size=12", "tune.budget_s=200",
    )  # fmt: skip
    stage = Staged(tmp_path / "run", spec, limits=Limits(memory_mb=None, connections=95))
    assert execute(stage.tuning) == "complete"
    first, second = [
        {each["pool_size"] for each in event["settings"]}
        for event in read_journal(stage.folder / "journal.jsonl")
        if event.get("what") == "starters"
    ]
    assert 8 not in first
    assert 8 in second
    record = record_of(stage)
    assert record.arms[0].taken == Setting(8, admission=0), stage.quiet.said
    assert any("Not all settings can be up at once" in each for each in record.notes)
