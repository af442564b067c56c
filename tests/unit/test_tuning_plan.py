"""What `bench tune` plans before anything runs, and what it says to what cannot be done."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from loadtests.errors import SpecError
from loadtests.schedule import Limits
from loadtests.spec import Spec, load_spec
from loadtests.tuning.checks import check_can_be_tuned
from loadtests.tuning.setting import Setting
from loadtests.tuning.stages import (
    most_measuring_s,
)
from loadtests.tuning.world import world_of
from scripts import tuning_plan
from scripts.cli import app
from scripts.tuning_plan import plan_here, plan_json, plan_text

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
    assert "no setting of arm 'sync' fits: even the smallest (pool 2 + 0, 10 threads" in message
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


def test_a_pool_that_a_command_is_not_told_is_told_to_be_unknown(tmp_path: Path) -> None:
    plan = plan_here(load_spec(shop(tmp_path, "--pool {pool_size}")), hosts=1)
    [said] = [each for each in plan.spaces["shop"].notes if "{max_overflow}" in each]
    assert "how many connections it really opens is not known" in said
    assert not any("{pool_size}" in each for each in plan.spaces["shop"].notes)


def test_no_hosts_at_all_are_refused() -> None:
    found = CliRunner().invoke(app, ["tune", "--hosts", "0", "--dry-run"])
    assert found.exit_code == 2


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
