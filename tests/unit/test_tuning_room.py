"""How many settings can be up at once, which, and as what arms."""

from __future__ import annotations

import pytest

from loadtests.errors import SpecError
from loadtests.schedule import Limits
from loadtests.spec import Arm, load_spec
from loadtests.tuning.room import instances_that_fit, residents, shortage, side_by_side
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.space import Bounds, space_of
from loadtests.tuning.spec import USUAL_KNOBS
from loadtests.tuning.world import Candidate, trial_window_s, world_of

SYNC, ASYNC = Arm(name="sync", app="sync"), Arm(name="async", app="async")


UNLIMITED = Limits(memory_mb=None, connections=None)


def test_what_does_not_fit_at_once_is_spread_over_the_space() -> None:
    spaces = {arm.name: space_of(arm, USUAL_KNOBS.choices(), Bounds()) for arm in (SYNC, ASYNC)}
    first = {"sync": [Setting(10)], "async": [Setting(10)]}
    everything, notes = residents(spaces, first, UNLIMITED)
    assert [len(each) for each in everything.values()] == [20, 10]
    assert notes == ()
    fewer, notes = residents(spaces, first, Limits(memory_mb=None, connections=200))
    for arm, settings in fewer.items():
        assert Setting(10) in settings
        assert {2, 40} <= {each.pool_size for each in settings}, arm
    assert sum(each.connections for settings in fewer.values() for each in settings) <= 200
    assert "connections; the server leaves 200" in notes[0]
    with pytest.raises(SpecError, match="Not even one setting"):
        residents(spaces, first, Limits(memory_mb=100.0, connections=None))


def test_room_counts_processes_memory_and_connections() -> None:
    two = [Setting(10), Setting(5, 10, workers=2)]
    assert shortage(two, 1, UNLIMITED) is None
    assert "63 processes" in str(shortage(two, 21, UNLIMITED))
    assert "MB" in str(shortage(two, 2, Limits(memory_mb=1000.0, connections=None)))
    assert "80 connections; the server leaves 79" in str(
        shortage(two, 2, Limits(memory_mb=None, connections=79))
    )
    assert instances_that_fit(two, Limits(memory_mb=None, connections=130)) == 3
    assert instances_that_fit(two, UNLIMITED) == 8


def test_arms_that_do_not_fit_beside_each_other_are_confirmed_in_turn() -> None:
    taken, default, roomiest = Setting(10), FRAMEWORK_DEFAULT, Setting(40)
    each = [taken, default, roomiest]
    wanted = {"sync": each, "async": each}
    needed = {arm: {taken, default} for arm in wanted}

    def room(connections: int) -> list[dict[str, list[Setting]]]:
        return side_by_side(wanted, needed, Limits(memory_mb=None, connections=connections))

    assert room(390) == [wanted]
    assert room(389) == [{"sync": each}, {"async": each}]
    assert room(194) == [{"sync": each[:2]}, {"async": each[:2]}]  # the roomiest leaves
    assert room(50) == [{"sync": each[:2]}, {"async": each[:2]}]  # two of what is needed
    assert room(49) == [{"sync": each[:1]}, {"async": each[:1]}]


def test_a_world_has_an_arm_for_every_setting_which_share_their_tables() -> None:
    spec = load_spec("quick", environ={})
    wanted = {"sync": [Setting(5), Setting(10)], "async": [Setting(5)]}
    world = world_of("distance", spec, wanted, 3, rtt_ms=2.0)
    assert [arm.pool_size for arm in world.spec.arm] == [5, 10, 5]
    assert world.spec.run.database_rtt_ms == 2.0
    assert sorted(world.tables.values()) == ["async", "sync", "sync"]
    name = world.name_of("sync", Setting(10))
    assert name is not None
    assert world.candidates[name] == Candidate("sync", Setting(10))
    assert world.name_of("async", Setting(10)) is None
    [scenario] = world.spec.scenario
    assert (scenario.name, scenario.block_s) == ("fast-beside-slow", trial_window_s(spec))
    assert trial_window_s(spec) == 1.0


def test_names_that_would_be_cut_to_the_same_stay_apart() -> None:
    spec = load_spec("quick", environ={})
    long = [f"a-service-with-a-long-name-{n}" for n in (1, 2)]
    arms = tuple(a.model_copy(update={"name": n}) for a, n in zip(spec.arm, long, strict=True))
    renamed = spec.model_copy(update={"arm": arms})
    world = world_of("search", renamed, {name: [Setting(10)] for name in long}, 1)
    assert len({arm.name for arm in world.spec.arm}) == 2
