"""What `bench tune` plans before anything runs, and what it says to what cannot be done."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from loadtests.errors import SpecError, StorageError
from loadtests.schedule import Limits
from loadtests.spec import Arm, Spec, load_spec
from loadtests.tuning.checks import check_can_be_tuned
from loadtests.tuning.past import Past, past_of
from loadtests.tuning.room import instances_that_fit, residents, shortage, side_by_side
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.space import Bounds, default_of, space_of
from loadtests.tuning.spec import USUAL_KNOBS
from loadtests.tuning.stages import (
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
from loadtests.tuning.world import Candidate, trial_window_s, world_of
from scripts import tuning_plan
from scripts.cli import app
from scripts.tuning_plan import plan_here, plan_json, plan_text

SYNC, ASYNC = Arm(name="sync", app="sync"), Arm(name="async", app="async")
UNLIMITED = Limits(memory_mb=None, connections=None)
SHOP = """
[run]
database = "local"
[[arm]]
name = "shop"
command = "serve --port {port} %s"
env = { DATABASE_URL = "{database_url}" }
[[scenario]]
name = "read-one"
timeout_s = 2
%s
"""


def told(overrides: list[str]) -> str:
    """What is said before anything is started."""

    def plan() -> None:
        spec = load_spec("quick", overrides=overrides, environ={})
        check_can_be_tuned(spec)
        plan_here(spec, hosts=1)

    with pytest.raises(SpecError) as caught:
        plan()
    return caught.value.message


def shop(tmp_path: Path, words: str = "", tables: str = "", name: str = "shop.toml") -> str:
    path = tmp_path / name
    path.write_text(SHOP % (words, tables))
    return str(path)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ('tune.arms=["nope"]', "tune arms: no arm is called 'nope' (there are sync, async)"),
        ('tune.arms=["sync", "sync"]', "arm 'sync' is named twice"),
        ('tune.scenario="x"', "tune scenario: no scenario is called 'x'"),
        ("tune.objective.p99_ms=-1", "tune objective p99_ms: Input should be greater than 0"),
        ("tune.objective.p99_ms=20000", "not below the timeout of scenario"),
        ("tune.knobs.admission=[-2]", "tune knobs admission #1: Input should be greater"),
        ("tune.knobs.pools=[1]", "tune knobs pools: unknown key"),
        ("tune.knobs={}", "knobs names nothing to change"),
        ("tune=3", "tune must be written as one [tune] table"),
        ("tune.budget_s=true", "tune budget_s: Input should be a valid number"),
    ],
)
def test_a_wrong_table_is_told_at_its_key(override: str, words: str) -> None:
    message = told([override])
    assert words in message
    assert f"--set {override.partition('=')[0]}" in message
    assert len(message.splitlines()) == 1


def test_a_wrong_table_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    path = shop(tmp_path, tables="[tune]\nbudget_s = 60\n[tune.knobs]\npool_size = [0]\n")
    with pytest.raises(SpecError, match=r"shop\.toml:14: tune knobs pool_size #1"):
        load_spec(path)


def test_urls_cannot_be_tuned(tmp_path: Path) -> None:
    path = tmp_path / "there.toml"
    text = '[[arm]]\nname = "there"\nurl = "http://127.0.0.1:9"\n[[scenario]]\nname = "read-one"\n'
    path.write_text(text)
    with pytest.raises(SpecError, match="arms whose settings cannot be changed"):
        check_can_be_tuned(load_spec(str(path)))
    path.write_text(f'{text}[tune]\narms = ["there"]\n')
    with pytest.raises(SpecError, match=r"there\.toml:7: tune arms: .there. is a url: an arm"):
        load_spec(str(path))


def test_bounds_that_exclude_everything_name_the_smallest_and_the_bound() -> None:
    message = told(["tune.max_connections=11"])
    assert "no setting of arm 'sync' fits: even the smallest (pool 2, 10 threads" in message
    assert (
        "1 host × 1 worker × (2 + 0) = 2 connections of 1 (max_connections less 10 in reserve)"
        in message
    )


def test_a_fleet_shares_the_connections() -> None:
    plan = plan_here(load_spec("quick", environ={}), hosts=4)
    text = plan_text(plan)
    assert "4 hosts; 151 connections, 10 in reserve" in text
    assert "4 hosts × 1 worker × (40 + 0) = 160 connections of 141" in text
    assert {each.pool_size for each in plan.spaces["sync"].settings} == {2, 5, 10, 20}


def test_a_placeholder_that_is_never_used_is_told_and_left_alone(tmp_path: Path) -> None:
    plan = plan_here(load_spec(shop(tmp_path, "--pool {pool_size}")), hosts=1)
    assert {each.threads for each in plan.spaces["shop"].settings} == {40}
    assert "shop: threads is left at 40: neither command nor env uses {threads}" in plan_text(plan)
    assert len(plan.spaces["shop"].settings) == 5


def test_a_command_without_any_placeholder_leaves_nothing_to_tune(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"nothing of arm 'shop' can be changed: .*\{pool_size\}"):
        plan_here(load_spec(shop(tmp_path)), hosts=1)


def test_a_locustfile_cannot_make_the_loads_of_a_search(tmp_path: Path) -> None:
    (tmp_path / "traffic.py").write_text("")
    tables = (
        '[[scenario]]\nname = "own"\nlocustfile = "traffic.py"\n'
        'load = { model = "closed", users = 2 }\n[tune]\nscenario = "own"\n'
    )
    with pytest.raises(SpecError, match="Locust users of its own"):
        load_spec(shop(tmp_path, tables=tables))


def test_the_plan_as_json_names_what_begins_and_what_is_refused() -> None:
    told_plan = plan_json(plan_here(load_spec("quick", environ={}), hosts=4))["plan"]
    assert told_plan["scenario"] == "fast-beside-slow"
    assert len(told_plan["arms"]["sync"]["settings"]) == 16
    assert {each["pool_size"] for each in told_plan["arms"]["sync"]["refused"]} == {40}
    assert told_plan["set_up_s"] > 10


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


def test_quick_takes_twelve_minutes_at_worst() -> None:
    plan = plan_here(load_spec("quick", environ={}), hosts=1)
    assert plan.at_worst_s <= 12 * 60
    each_s, twice_s = 1.45, 2.25
    least_s = most_measuring_s(480.0, 2, 10, each_s, twice_s=twice_s)
    assert least_s > 480.0 + 60.0  # the least of confirm and distance
    assert "at worst about 1" in plan_text(plan)
    assert "at most about" not in plan_text(plan)
    longer = plan_here(load_spec("quick", overrides=["tune.budget_s=4000"], environ={}), hosts=1)
    assert longer.at_worst_s < 4000 + 200  # every stage's share is more than its least


def test_the_worst_counts_trials_that_lock_up() -> None:
    lone = ['tune.arms=["sync"]', "arm.sync.admission=-1", "tune.budget_s=120"]
    healthy = plan_here(load_spec("quick", overrides=lone, environ={}), hosts=1)
    trap = [*lone, 'arm.sync.app="sync-ungated"']
    locking = plan_here(load_spec("quick", overrides=trap, environ={}), hosts=1)
    # a window until requests are given up, a window of waiting, then the pool's own timeout
    locked_s = (1.0 - 0.2) + 1.0 + (5.0 + 1.0)
    confirmed, may_lock, stages = 5, 11, 3 + 1 + 3 + 3
    assert locking.at_worst_s - healthy.at_worst_s == pytest.approx(
        locked_s * (may_lock + stages * confirmed), rel=0.15
    )
    gated = [*trap, "arm.sync.admission=0", "tune.knobs.admission=[0]"]
    few = plan_here(load_spec("quick", overrides=gated, environ={}), hosts=1)
    assert few.at_worst_s < locking.at_worst_s - 250.0  # the default alone may lock up


def test_a_request_is_given_up_when_it_is_as_old_as_a_trial_is_long(tmp_path: Path) -> None:
    quick = load_spec("quick", environ={})
    [scenario] = world_of("search", quick, {"sync": [Setting(5)]}, 1).spec.scenario
    assert (quick.tuned_scenario.timeout_s, scenario.timeout_s) == (10.0, 1.0)
    slow = shop(tmp_path, "{pool_size}", "[tune]\nobjective = { p99_ms = 500 }\n")
    [own] = world_of("search", load_spec(slow), {"shop": [Setting(5)]}, 1).spec.scenario
    assert (own.block_s, own.timeout_s) == (5.0, 2.0)  # the scenario's own is shorter


def test_three_instances_at_twice_the_load_have_their_time() -> None:
    confirmed, each_s = 9, trial_s(1.0, writes=False)
    assert SHARES["twice"] * 480.0 >= 3 * confirmed * each_s


def test_the_same_budget_is_of_each_knob_the_most_that_anybody_takes() -> None:
    wide, many = Setting(20, 0, 10, 1, 0), Setting(5, 10, 40, 2, -1)
    assert same_budget([wide, many]) == same_budget([many, wide]) == Setting(20, 10, 40, 2, 0)
    assert same_budget([Setting(5, admission=-1), Setting(10, admission=-1)]).admission == -1
    assert same_budget([Setting(10, admission=4), Setting(10, admission=6)]).admission == 6
    assert same_budget([Setting(10, admission=10), Setting(4, admission=4)]).admission == 0
    assert same_budget([wide]) == wide


def outside(monkeypatch: pytest.MonkeyPatch, free: int) -> Spec:
    """A server of 151 connections that is not ours, of which some are free."""
    limits = Limits(memory_mb=None, connections=free, max_connections=151)
    monkeypatch.setattr(tuning_plan, "limits_here", lambda spec, only_planning: limits)
    return load_spec("quick", overrides=['run.database="mysql://u@127.0.0.1:1/"'], environ={})


def test_who_else_uses_the_server_now_does_not_change_what_may_be_recommended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for free in (141, 120):
        plan = plan_here(outside(monkeypatch, free), hosts=3)
        assert plan.bounds["sync"].connections == 141
        assert {each.pool_size for each in plan.spaces["sync"].settings} == {2, 5, 10, 20, 40}
        assert plan.limits.connections == free


def test_it_is_told_before_anything_runs_how_far_the_server_goes_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = plan_here(outside(monkeypatch, 200), hosts=1)
    assert "room for 3 instances, one arm after the other" in plan_text(plan)
    plan = plan_here(outside(monkeypatch, 141), hosts=1)
    assert "room for 2 instances, one arm after the other" in plan_text(plan)
    plan = plan_here(outside(monkeypatch, 75), hosts=1)
    assert "it would stay unconfirmed" in plan_text(plan)
    with pytest.raises(SpecError, match="2 instances of even its smallest setting"):
        plan_here(outside(monkeypatch, 3), hosts=1)


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


def test_a_pool_that_a_command_is_not_told_is_told_to_be_unknown(tmp_path: Path) -> None:
    plan = plan_here(load_spec(shop(tmp_path, "--pool {pool_size}")), hosts=1)
    [said] = [each for each in plan.spaces["shop"].notes if "{max_overflow}" in each]
    assert "how many connections it really opens is not known" in said
    assert not any("{pool_size}" in each for each in plan.spaces["shop"].notes)


def test_no_hosts_at_all_are_refused() -> None:
    found = CliRunner().invoke(app, ["tune", "--hosts", "0", "--dry-run"])
    assert found.exit_code == 2


def test_ladders_have_three_instances_at_least_and_as_many_loads_as_fit() -> None:
    assert plan_ladder(6, 600.0, 2.0, 8).instances == 8
    assert plan_ladder(6, 216.0, 2.0, 8).shares == LADDERS[0]  # with one load beyond it
    assert plan_ladder(6, 215.0, 2.0, 8).shares == LADDERS[1]
    assert plan_ladder(6, 1.0, 2.0, 8).instances == 3
    assert plan_ladder(6, 600.0, 2.0, 2).instances == 2
    assert plan_ladder(1, 100.0, 2.0, 8).rates(412.0) == [247.0, 330.0, 371.0, 412.0, 453.0]


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
