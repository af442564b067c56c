"""Who gets which cores: shares, siblings and nodes, and the choice by how the cores are slowed."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.environment.core_noise import look_at, noise_of
from loadtests.environment.machine import usable_cores
from loadtests.environment.placement import (
    MOST_CANDIDATES,
    CoreNoise,
    Placement,
    candidates,
    choose_placement,
)
from loadtests.environment.topology import Core, cores_of, cpu_list
from loadtests.errors import UsageError
from loadtests.generator_count import choose_generators
from loadtests.resume import placement_of
from loadtests.spec import RunSpec, Spec
from scripts.session import with_relay_where_far

LARGE_LOAD = Spec.model_validate(
    {
        "arm": [{"name": "async", "app": "async"}],
        "scenario": [
            {
                "name": "r",
                "load": {"model": "open", "rate_per_s": 18_000},
                "request": [{"name": "r", "path": "/"}],
            }
        ],
    }
)


def single(*cpus: int, node: int = 0) -> list[Core]:
    return [Core((cpu,), node) for cpu in cpus]


def pairs(count: int, node: int = 0, first: int = 0) -> list[Core]:
    """Cores of two threads each, numbered as most systems do."""
    return [Core((n, n + 100), node) for n in range(first, first + count)]


def noise(**slowed: float | tuple[float, float]) -> list[CoreNoise]:
    """`c0=1.0` or `c0=(1.0, 3.0)`: how each CPU was slowed in each half of the look."""
    found = []
    for name, told in slowed.items():
        first, second = told if isinstance(told, tuple) else (told, told)
        found.append(CoreNoise(int(name[1:]), (first + second) / 2, (first, second)))
    return found


@pytest.mark.parametrize("cores", [[], single(3)])
def test_nothing_is_pinned_where_there_is_nothing_to_choose(cores: list[Core]) -> None:
    placement = choose_placement(cores)
    assert placement.generator == placement.apps == placement.database == ()


def test_two_cores_leave_the_arms_alone_on_one() -> None:
    placement = choose_placement(single(4, 6))
    assert placement.apps == (6,)
    assert placement.generator == placement.database == (4,)


@pytest.mark.parametrize("count", [3, 4, 5, 8, 64])
def test_more_cores_are_all_given_out_and_shared_by_nobody(count: int) -> None:
    for placement in candidates(single(*range(10, 10 + count))):
        assert len(placement.generator) == 1
        given = placement.generator + placement.apps + placement.database
        assert placement.apps
        assert placement.database
        assert sorted(given) == list(range(10, 10 + count))


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 64])
def test_threads_of_a_core_are_never_split_between_arms_and_others(count: int) -> None:
    for placement in candidates(pairs(count)):
        others = {*placement.generator, *placement.database}
        assert placement.apps
        assert not {cpu % 100 for cpu in placement.apps} & {cpu % 100 for cpu in others}
        assert not set(placement.generator) & set(placement.database)


@st.composite
def machines(draw: st.DrawFn) -> list[Core]:
    """Up to four nodes of cores, each core with up to four usable threads."""
    threads = draw(st.lists(st.lists(st.integers(1, 4), max_size=9), max_size=4))
    cpus = itertools.count(draw(st.integers(0, 3)))
    return [
        Core(tuple(itertools.islice(cpus, count)), node)
        for node, of_node in enumerate(threads)
        for count in of_node
    ]


@given(machines(), st.integers(1, 9), st.data())
def test_whatever_the_machine_everybody_has_a_place_and_the_arms_their_own(
    cores: list[Core], generators: int, data: st.DataObject
) -> None:
    usual, *others = candidates(cores, generators)
    assert len(others) < MOST_CANDIDATES
    assert all(each.cores == usual.cores for each in others), "one look is enough for all"
    share = st.floats(0, 100)
    slowed = {f"c{cpu}": data.draw(st.tuples(share, share)) for cpu in usual.cores}
    chosen = choose_placement(cores, noise(**slowed), generators)
    assert len({bool(chosen.generator), bool(chosen.apps), bool(chosen.database)}) == 1
    assert bool(chosen.apps) == (sum(len(core.cpus) for core in cores) > 1)
    assert set(chosen.cores) <= {cpu for core in cores for cpu in core.cpus}
    assert not set(chosen.apps) & {*chosen.generator, *chosen.database}
    assert chosen.with_relay().relay == chosen.database[-1:]


def test_threads_of_the_only_core_are_split_and_told() -> None:
    placement = choose_placement([Core((0, 1))])
    assert (placement.generator, placement.apps, placement.database) == ((0,), (1,), (0,))
    assert "threads of one core" in placement.why


def test_a_node_with_enough_cores_holds_everything() -> None:
    placement = choose_placement([*single(*range(4)), *single(*range(4, 10), node=1)])
    assert placement.cores == tuple(range(4, 10))
    assert "of node 1" in placement.why
    small = choose_placement([*single(0, 1), *single(2, 3, node=1)])
    assert small.cores == (0, 1, 2, 3)


def test_a_generator_too_large_for_the_node_stands_on_others() -> None:
    two_nodes = [*single(*range(4)), *single(*range(4, 8), node=1)]
    placement = choose_placement(two_nodes, generators=choose_generators(LARGE_LOAD, 8))
    assert placement.generator == (4, 5)
    assert (placement.apps, placement.database) == ((0, 1), (2, 3))
    assert "4 cores of node 0: arms 2, database 2, generator 2 on other nodes" in placement.why
    assert choose_placement(two_nodes[:5], generators=2).cores == (0, 1, 2, 3)


@pytest.mark.parametrize(("processes", "cores"), [(1, 1), (2, 2), (3, 3), (99, 6)])
def test_several_generator_processes_get_cores_and_leave_some(processes: int, cores: int) -> None:
    placement = choose_placement(single(*range(8)), generators=processes)
    assert len(placement.generator) == cores
    assert placement.apps
    assert placement.database


def test_a_clearly_quieter_core_goes_to_the_arms() -> None:
    placement = choose_placement(single(0, 1), noise(c0=0.5, c1=8.0))
    assert placement.apps == (0,)
    assert placement.generator == placement.database == (1,)
    assert "8.0%" in placement.why
    assert "0.5%" in placement.why
    assert placement.noise


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        (1.0, 8.0),
        (1.9, 0.1),  # many times quieter, by too few points
        (9.0, 6.5),  # by enough points, not by enough times
        ((20.0, 1.0), 0.2),  # seen in one half of the look only
        ((1.0, 20.0), 0.2),
    ],
)
def test_the_usual_placement_stays_unless_another_is_clearly_better(
    usual: float | tuple[float, float], other: float
) -> None:
    placement = choose_placement(single(0, 1), noise(c0=other, c1=usual))
    assert placement.apps == (1,)
    assert "not clearly better" in placement.why


def test_the_arms_of_many_cores_go_where_they_are_slowed_least() -> None:
    slowed = noise(c0=0.1, c1=30.0, c2=30.0, c3=0.1)
    placement = choose_placement(single(0, 1, 2, 3), slowed)
    assert set(placement.apps) == {0, 3}


def test_noise_of_other_cores_changes_nothing() -> None:
    placement = choose_placement(single(0, 1), noise(c0=0.5, c7=8.0))
    assert placement == choose_placement(single(0, 1))


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 64])
def test_a_relay_runs_on_the_database_s_last_core_and_never_on_the_apps(count: int) -> None:
    placement = choose_placement(single(*range(10, 10 + count)))
    assert "relay" not in placement.to_json()
    placement = placement.with_relay()
    assert placement.relay == placement.database[-1:]
    assert not set(placement.relay) & set(placement.apps)
    assert placement.to_json()["relay"] == list(placement.relay)
    assert f"relay on core {placement.relay[0]}" in placement.why


def test_a_relay_gets_its_core_once_and_only_where_the_database_is_far() -> None:
    usual = choose_placement(single(0, 1))
    near, far = (
        LARGE_LOAD.model_copy(update={"run": RunSpec(database_rtt_ms=rtt_ms)})
        for rtt_ms in (0.0, 2.0)
    )
    assert with_relay_where_far(usual, near) == usual
    placed = with_relay_where_far(usual, far)
    assert placed == usual.with_relay() != usual
    assert with_relay_where_far(placed, far) == with_relay_where_far(placed, near) == placed


def test_a_relay_is_not_pinned_where_nothing_is() -> None:
    assert choose_placement(single(3)).with_relay().relay == ()


@pytest.mark.parametrize("seen", [[], noise(c0=0.5, c1=8.0)])
def test_a_placement_comes_back_from_the_manifest_as_it_was(seen: list[CoreNoise]) -> None:
    placement = choose_placement(single(0, 1), seen).with_relay()
    stored = json.loads(json.dumps(placement.to_json(), allow_nan=False))
    assert Placement.from_json(stored) == placement
    assert Placement.from_json(stored).to_json() == stored
    assert {"generator", "apps", "database", "why"} <= set(stored)


def test_a_resumed_run_keeps_its_placement_though_another_would_be_chosen() -> None:
    manifest = {"placement": choose_placement(single(0, 1), noise(c0=0.5, c1=8.0)).to_json()}
    assert placement_of(manifest, [0, 1, 2], Path("run")).apps == (0,)


@pytest.mark.parametrize(("cores", "usable"), [([0, 1], [0]), ([3], [3, 4])])
def test_a_run_is_not_resumed_on_other_cores(cores: list[int], usable: list[int]) -> None:
    manifest = {"placement": choose_placement(single(*cores)).to_json()}
    with pytest.raises(UsageError, match="another world"):
        placement_of(manifest, usable, Path("run"))


def test_how_a_core_was_slowed_is_told_against_the_fastest_piece_on_any() -> None:
    turns = {0: [(100, 100), (100, 140)], 1: [(150, 150), (200, 300)]}
    first, second = noise_of({cpu: [*each] for cpu, each in turns.items()})
    assert (first.core, first.slowed_pct, first.halves_pct) == (0, 10.0, (0.0, 20.0))
    assert (second.slowed_pct, second.halves_pct) == (100.0, (50.0, 150.0))
    assert noise_of({}) == ()


def test_a_look_takes_turns_of_every_core_and_stays_on_none() -> None:
    cores = usable_cores()
    turns = look_at(cores, look_s=0.1)
    assert usable_cores() == cores
    assert set(turns) == (set(cores) if len(cores) > 1 else set())
    assert all(len(each) >= 2 and all(min(turn) > 0 for turn in each) for each in turns.values())
    assert look_at(cores[:1]) == {}
    assert look_at(range(33)) == {}


def test_the_kernel_s_list_of_cpus() -> None:
    assert cpu_list("0-2,8\n") == {0, 1, 2, 8}
    assert cpu_list("5\n") == {5}
    assert cpu_list("\n") == frozenset()


def test_siblings_and_nodes_are_read_from_the_kernel(tmp_path: Path) -> None:
    for cpu, siblings, node in ((0, "0,2", 1), (1, "1,3", 0), (2, "0,2", 1), (3, "1,3", 0)):
        topology = tmp_path / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{siblings}\n")
        (tmp_path / f"cpu{cpu}" / f"node{node}").mkdir()
    assert cores_of([0, 1, 2, 3], tmp_path) == (Core((1, 3), 0), Core((0, 2), 1))
    assert cores_of([0, 1, 3], tmp_path) == (Core((1, 3), 0), Core((0,), 1))
    assert cores_of([7, 8], tmp_path) == (Core((7,)), Core((8,)))


def test_the_cores_of_this_machine_are_all_found() -> None:
    cores = cores_of(usable_cores())
    assert sorted(cpu for core in cores for cpu in core.cpus) == usable_cores()
