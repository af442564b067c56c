"""A whole tune run on simulated load: searched, confirmed, taken away; cut short and resumed."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from loadtests.errors import EnvironmentNotReady
from loadtests.journal import read_journal
from loadtests.schedule import Limits
from loadtests.simulated import SimulatedArm
from loadtests.spec import load_spec
from loadtests.trials import OpenLoad, TrialOrder
from loadtests.tuning.execute import execute, field_of
from loadtests.tuning.ground import Tuning
from loadtests.tuning.past import Measured, Past, PilotFacts, past_of, plain
from loadtests.tuning.race import Race
from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.space import Bounds
from loadtests.tuning.stages import SHARES, Stage
from reports.tuning.changes import Side, Trials
from reports.tuning.load import load_tune
from reports.tuning.record import TuneRecord
from tests.support.simulated_tuning import Staged, queue_of, setting_of, short_spec

ONE_ARM = ('tune.arms=["sync"]', "tune.knobs.pool_size=[2, 8]", "tune.budget_s=60")
DROPPED = "pymysql.err.OperationalError: (2013, 'Lost connection to MySQL server during query')"


def past_in(folder: Path) -> Past:
    return past_of(read_journal(folder / "journal.jsonl"))


def record_of(stage: Staged) -> TuneRecord:
    stage.store.close()
    return load_tune(stage.folder)


def test_a_tune_run_finds_the_smallest_pool_that_is_enough(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec("tune.budget_s=300"))
    assert execute(stage.tuning) == "complete"
    record = record_of(stage)
    assert record.status == "complete"
    assert not record.dropped
    for arm in record.arms:
        assert arm.taken is not None
        assert arm.taken.pool_size == 8, stage.quiet.said
        assert 2 in {each.pool_size for each in arm.left_at}
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


def test_a_budget_that_is_spent_pays_for_no_burst(tmp_path: Path) -> None:
    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=40"))
    execute(stage.tuning)
    record = record_of(stage)
    assert not [each for each in record.tried if each.stage == "burst"]
    assert any("no burst on pool 5+10" in each for each in record.notes)


def test_a_run_that_goes_on_keeps_its_finalists_and_what_must_fit(tmp_path: Path) -> None:
    cut = Staged(tmp_path / "cut", short_spec(*ONE_ARM, "tune.budget_s=90"))

    def ask(_: TrialOrder) -> None:
        cut.interruption.requested = len(cut.past.of_stage("final")) == 4

    cut.generator.before = ask
    assert execute(cut.tuning) == "interrupted"
    again = Staged(cut.folder, cut.spec, past=past_in(cut.folder))
    little = dict.fromkeys(again.plan.bounds, Bounds(connections=9))
    again.plan = replace(again.plan, bounds=little)
    assert execute(again.tuning) == "complete"
    record = record_of(again)
    lines = [each.get("what") for each in read_journal(cut.folder / "journal.jsonl")]
    assert lines.count("finalists") == lines.count("bounds") == 1
    confirmed = {each.setting for each in record.tried if each.stage == "confirm"}
    assert {FRAMEWORK_DEFAULT, Setting(10)} <= confirmed
    assert not any("is not tried beside" in each for each in record.notes)


def test_whoever_may_still_become_a_finalist_is_up_again() -> None:
    settings = tuple(Setting(pool, admission=0) for pool in (2, 4, 6, 8, 10, 12, 14))
    past = Past()
    past.add("starters", {"arm": "sync", "settings": plain(settings), "start_rate_per_s": None})
    past.add("pilot", PilotFacts("sync", None, None, 100.0).facts())
    race = Race(settings, 100.0, Objective(50.0))
    for _ in range(4):  # all clear the start; then, in several attempts, the last one only
        heat = race.next_heat()
        assert heat is not None
        scores = {
            s: Score(heat.rate_per_s, 100, 0 if heat.rung == 0 or s == settings[-1] else 50, 0)
            for s in heat.settings
        }
        race.record(heat, scores)
        facts = Measured("search", "sync", 0, 0, scores, 1.0, heat.rate_per_s, None, heat.rung,
                         heat.attempt).facts()  # fmt: skip
        past.add("measured", facts)
    assert race.standing == settings[-1:]
    tuning = SimpleNamespace(past=past, objective=Objective(50.0))
    assert set(field_of(cast("Tuning", tuning), "sync")) == set(settings)


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


def test_it_goes_on_where_it_was_interrupted(tmp_path: Path) -> None:
    cut = Staged(tmp_path / "cut", short_spec(*ONE_ARM))

    def ask(order: TrialOrder) -> None:
        cut.interruption.requested = order.trial == 11

    cut.generator.before = ask
    assert execute(cut.tuning) == "interrupted"
    before = record_of(cut)
    assert before.status == "interrupted"
    assert {each.stage for each in before.tried} == {"search"}
    assert before.arms[0].taken is None
    past = past_in(cut.folder)
    measured = list(past.measured)
    again = Staged(cut.folder, cut.spec, past=past)
    assert execute(again.tuning) == "complete"
    after = record_of(again)
    assert after.status == "complete"
    assert after.tried[: len(before.tried)] == before.tried
    assert past_in(cut.folder).measured[: len(measured)] == measured
    assert len(past_in(cut.folder).pilots) == 1
    assert after.arms[0].start_rate_per_s == before.arms[0].start_rate_per_s
    assert after.arms[0].taken == Setting(8, admission=0)
    numbers = [each.block for each in past_in(cut.folder).measured]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("stage_name", ["final", "confirm", "distance"])
def test_later_stages_go_on_too(tmp_path: Path, stage_name: Stage) -> None:
    cut = Staged(tmp_path / "cut", short_spec(*ONE_ARM))

    def ask(_: TrialOrder) -> None:
        cut.interruption.requested = len(cut.past.of_stage(stage_name)) == 2

    cut.generator.before = ask
    assert execute(cut.tuning) == "interrupted"
    again = Staged(cut.folder, cut.spec, past=past_in(cut.folder))
    assert execute(again.tuning) == "complete"
    record = record_of(again)
    assert {"search", "final", "confirm", "twice", "distance"} <= {e.stage for e in record.tried}
    assert len([each for each in record.dropped if "cut short" in each]) <= 1


def test_a_heat_in_which_the_database_dropped_everybody_is_measured_again(tmp_path: Path) -> None:
    failing = {"now": False}

    def queue(name: str) -> SimulatedArm:
        return replace(queue_of(name), error_rate=0.5 if failing["now"] else 0.0)

    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM), queues=queue)

    def drop(order: TrialOrder) -> None:
        failing["now"] = order.block == 1
        stage.beds["search"].last_error = DROPPED

    stage.generator.before = drop
    assert execute(stage.tuning) == "complete"
    record = record_of(stage)
    assert any("dropped the connections" in each for each in record.dropped)
    assert 1 not in {each.block for each in record.tried}
    assert record.arms[0].taken == Setting(8, admission=0)


def test_a_database_that_keeps_dropping_ends_the_run_with_what_was_measured(
    tmp_path: Path,
) -> None:
    failing = {"now": False}

    def queue(name: str) -> SimulatedArm:
        return replace(queue_of(name), error_rate=0.5 if failing["now"] else 0.0)

    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM), queues=queue)

    def drop(order: TrialOrder) -> None:
        failing["now"] = order.block >= 3
        stage.beds["search"].last_error = DROPPED

    stage.generator.before = drop
    with pytest.raises(EnvironmentNotReady, match="3 blocks of sync in a row"):
        execute(stage.tuning)
    record = record_of(stage)
    assert record.status == "interrupted"
    assert {each.block for each in record.tried} == {0, 1, 2}


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


def test_errors_of_the_app_itself_are_no_reason_to_measure_again(tmp_path: Path) -> None:
    failing = {"now": False}

    def queue(name: str) -> SimulatedArm:
        return replace(queue_of(name), error_rate=float(failing["now"]))

    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=200"), queues=queue)

    def fail(_: TrialOrder) -> None:
        failing["now"] = True
        stage.beds["search"].last_error = "sqlalchemy.exc.TimeoutError: QueuePool limit reached"

    stage.generator.before = fail
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


def test_a_setting_that_misses_all_loads_is_followed_down(tmp_path: Path) -> None:
    def queue(name: str) -> SimulatedArm:
        slow = setting_of(name) == FRAMEWORK_DEFAULT
        return replace(queue_of(name), servers=1) if slow else queue_of(name)

    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=120"), queues=queue)
    execute(stage.tuning)
    confirmed = [
        each
        for each in record_of(stage).tried
        if each.stage == "confirm" and each.setting == FRAMEWORK_DEFAULT
    ]
    below = [each for each in confirmed if (each.rate_per_s or 0) < 50]  # one server does 50/s
    assert len({each.unit for each in below}) >= 3
    assert any(each.score.clears(stage.tuning.objective) for each in below)


def test_what_overwhelms_an_instance_is_the_last_that_it_gets(tmp_path: Path) -> None:
    def queue(name: str) -> SimulatedArm:
        slow = setting_of(name) == FRAMEWORK_DEFAULT
        return replace(queue_of(name), servers=1) if slow else queue_of(name)

    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM), queues=queue)
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
        faster["now"] = 0.75 if "final" in stage.past.finished else 1.0

    stage.generator.before = speed_up
    assert execute(stage.tuning) == "complete"
    taken, trials = Setting(8, admission=0), Trials(record_of(stage).tried, Objective(50.0), 5.0)
    chosen = stage.past.chosen["sync"]
    assert chosen is not None
    for name in ("confirm", "distance"):
        found = trials.knee(name, Side("sync", taken))
        assert found is not None
        assert found.per_s > 1.15 * chosen.knee_per_s, name
        assert found.censored is None, name


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


def test_what_later_stages_need_is_not_spent_on_following_a_setting_down(tmp_path: Path) -> None:
    def queue(name: str) -> SimulatedArm:
        slow = setting_of(name) == FRAMEWORK_DEFAULT
        return replace(queue_of(name), servers=1) if slow else queue_of(name)

    stage = Staged(tmp_path / "run", short_spec(*ONE_ARM, "tune.budget_s=40"), queues=queue)
    execute(stage.tuning)
    chosen = stage.past.chosen["sync"]
    assert chosen is not None
    rates = [each.rate_per_s or 0.0 for each in stage.past.of_stage("confirm")]
    assert min(rates) > 0.7 * chosen.knee_per_s  # the lowest of the shortest ladder


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


def test_no_heat_begins_that_the_time_for_the_search_is_too_short_for(tmp_path: Path) -> None:
    pools = "tune.knobs.pool_size=[6, 8, 12, 16, 24, 32, 48, 64]"
    spec = short_spec('tune.arms=["sync"]', pools, "tune.budget_s=65")
    stage = Staged(tmp_path / "run", spec)
    execute(stage.tuning)
    heats = stage.past.of_stage("search")
    assert any("the time for the search was spent" in each for each in stage.past.notes)
    a_trial_s = heats[-1].wall_s / len(heats[-1].scores)  # they are not all equally long
    assert sum(each.wall_s for each in heats) <= SHARES["search"] * 65 + a_trial_s


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
