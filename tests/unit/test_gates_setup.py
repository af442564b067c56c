"""What was set up, and stayed so: resources, settings, tables; blocks in which all stood still."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadtests.inspection import Inspection, InstanceFacts
from loadtests.trials import OpenLoad
from reports.gates import database_gate
from reports.run_folder import StoredRun
from reports.summarise import summarise
from tests.support.gates import BAD, gates_of, summary_of
from tests.support.run_builder import SimulatedArm, build_run

OPEN = {"loads": (OpenLoad(150.0),)}


def changed(arm: str, number: int, **facts: Any) -> Callable[[Inspection], Inspection]:
    """One instance is seen otherwise after the last round."""
    return seen_as(arm, number, 1, **facts)


def seen_as(
    arm: str, number: int | None, first: int, **facts: Any
) -> Callable[[Inspection], Inspection]:
    """One instance of an arm (None: all) is seen otherwise from the look `first` on."""

    def other(each: InstanceFacts) -> InstanceFacts:
        chosen = each.arm == arm and number in (None, each.instance)
        return each.model_copy(update=facts) if chosen else each

    def edit(look: Inspection) -> Inspection:
        if look.round < first:
            return look
        return look.model_copy(update={"instances": tuple(map(other, look.instances))})

    return edit


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"cores": (0, 1)}, "async #1 may run on cores 0, 1, the plan says cores 1"),
        ({"nice": 5}, "async #1 has nice 5, sync #0 0"),
        ({"policy": "idle"}, "scheduling policy idle"),
        ({"memory_limit_mb": 512.0}, "a memory limit in MB of 512.0, sync #0 none"),
        ({"cpu_quota_cores": 0.5}, "a quota in cores of 0.5"),
        ({"open_files": 1024}, "a limit of open files of 1024"),
        ({"most_open_files": 4096}, "a hard limit of open files of 4096, sync #0 8192"),
        ({"workers": 2}, "async #1 runs 2 workers, not 1"),
    ],
)
def test_unequal_resources_fail(tmp_path: Path, facts: dict[str, Any], words: str) -> None:
    summary = summary_of(tmp_path / "run", edit_look=changed(BAD, 1, **facts), **OPEN)
    [gate] = gates_of(summary, "equal-resources")
    assert words in gate.detail
    assert gate.detail.endswith("measure again")
    assert not summary.valid


def test_a_baseline_with_other_resources_fails_as_well(tmp_path: Path) -> None:
    summary = summary_of(tmp_path / "run", edit_look=changed("sync", 2, nice=10), **OPEN)
    [gate] = gates_of(summary, "equal-resources")
    assert "sync #2 has nice 10" in gate.detail


@pytest.mark.parametrize(("gate", "gone"), [
    ("equal-resources", {"nice": None, "workers": None}), ("equal-settings", {"settings": None}),
])  # fmt: skip
def test_instances_that_nobody_looked_at_are_not_vouched_for(
    tmp_path: Path, gate: str, gone: dict[str, Any]
) -> None:
    unseen = seen_as(BAD, 1, -1, **gone)
    summary = summary_of(tmp_path / "run", edit_look=unseen, **OPEN)
    assert gates_of(summary, gate) == []
    [told] = gates_of(summary, gate, None)
    assert "5 of 6 instances" in told.detail
    assert all(
        "all 6 instances" in each.detail
        for each in gates_of(summary_of(tmp_path / "whole", **OPEN), gate, True)
    )


SERVICE = {
    "sync": SimulatedArm(),
    "mine": SimulatedArm(app=None, command="serve --port {port}"),
}


def test_how_somebodys_own_service_limits_itself_is_told_and_is_its_own_affair(
    tmp_path: Path,
) -> None:
    look = seen_as("mine", None, -1, nice=5, open_files=1024, workers=4)
    summary = summary_of(tmp_path / "run", arms=SERVICE, edit_look=look, **OPEN)
    [gate] = gates_of(summary, "equal-resources", True)
    assert "not alike, but unchanged throughout: mine #0 has nice 5, sync #0 0" in gate.detail
    assert "mine #0 has a limit of open files of 1024, sync #0 4096" in gate.detail


def test_a_service_that_changes_while_it_is_measured_fails(tmp_path: Path) -> None:
    look = seen_as("mine", 1, 1, open_files=1024)
    summary = summary_of(tmp_path / "run", arms=SERVICE, edit_look=look, **OPEN)
    [gate] = gates_of(summary, "equal-resources")
    assert gate.detail.startswith("mine #1 has a limit of open files of 1024, before 4096")


@pytest.mark.parametrize(("cores", "ok"), [((1,), True), ((0, 1), False)])
def test_a_service_may_not_leave_the_cores_of_the_plan(
    tmp_path: Path, cores: tuple[int, ...], ok: bool
) -> None:
    look = seen_as("mine", None, -1, cores=cores)
    summary = summary_of(tmp_path / "run", arms=SERVICE, edit_look=look, **OPEN)
    assert len(gates_of(summary, "equal-resources", ok)) == 1


def test_processes_out_of_sight_could_not_be_checked(tmp_path: Path) -> None:
    arms = {"sync": SimulatedArm(), "far": SimulatedArm(app=None, url="http://far:1")}
    summary = summary_of(tmp_path / "run", arms=arms, **OPEN)
    [gate] = gates_of(summary, "equal-resources", None)
    assert "far are out of sight" in gate.detail


def test_an_instance_with_settings_of_its_own_fails(tmp_path: Path) -> None:
    other = {"settings": {"pool_size": 5}}
    summary = summary_of(tmp_path / "run", edit_look=changed(BAD, 2, **other), **OPEN)
    [gate] = gates_of(summary, "equal-settings")
    assert gate.detail == "async #2 runs with pool_size = 5, not 10"


SIZED = {"innodb_flush_log_at_trx_commit": "1", "max_connections": "300"}


def looks(**later: str) -> list[Inspection]:
    """Of a run that was resumed: two sessions of one round, the second with other settings."""
    return [
        Inspection(round=number, database=SIZED if session == 0 else {**SIZED, **later})
        for session, number in enumerate([0, 1])
        for number in (-1, number)
    ]


@pytest.mark.parametrize(
    ("kind", "later", "ok"),
    [
        ("local", {"max_connections": "200"}, True),
        ("docker", {"max_connections": "200"}, True),
        ("external", {"max_connections": "200"}, False),
        ("local", {"innodb_flush_log_at_trx_commit": "2"}, False),
    ],
)
def test_a_resumed_runs_own_server_may_have_room_for_other_connections(
    kind: str, later: dict[str, str], ok: bool
) -> None:
    durability = {"profile": "durable"}
    assert database_gate(kind, durability, "durable", looks(**later)).ok is ok


def test_connections_that_change_within_a_session_are_told() -> None:
    first, second, *_ = looks()
    second = second.model_copy(update={"database": {**SIZED, "max_connections": "5"}})
    found = database_gate("local", {"profile": "durable"}, "durable", [first, second])
    assert found.ok is False
    assert "max_connections was 300 and is 5" in found.detail


def test_a_table_that_is_not_as_seeded_fails(tmp_path: Path) -> None:
    def drift(look: Inspection) -> Inspection:
        tables = {**look.tables, BAD: "1 rows missing"} if look.round == 0 else look.tables
        return look.model_copy(update={"tables": tables})

    summary = summary_of(tmp_path / "run", edit_look=drift, **OPEN)
    [gate] = gates_of(summary, "tables")
    assert (gate.arm, gate.value) == (BAD, 1.0)
    assert "differed 1 of 3 times, first after round 0 (1 rows missing)" in gate.detail
    assert not summary.valid


def test_a_server_set_otherwise_in_mid_run_fails_every_arm(tmp_path: Path) -> None:
    def relax(look: Inspection) -> Inspection:
        settings = {"innodb_flush_log_at_trx_commit": "2"} if look.round == 1 else look.database
        return look.model_copy(update={"database": settings})

    summary = summary_of(tmp_path / "run", edit_look=relax, **OPEN)
    [gate] = gates_of(summary, "database-settings")
    assert "innodb_flush_log_at_trx_commit was 1 and is 2" in gate.detail
    assert not summary.valid


@pytest.mark.parametrize(("kind", "ok"), [("local", False), ("docker", False), ("external", True)])
def test_durability_is_ours_to_set_on_our_servers_only(tmp_path: Path, kind: str, ok: bool) -> None:
    folder = build_run(tmp_path / "run", run={"durability": "relaxed"}, block_s=0.5, **OPEN)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["database"]["kind"] = kind
    (folder / "manifest.json").write_text(json.dumps(manifest))
    summary = summarise(StoredRun.load(folder))
    [gate] = gates_of(summary, "database-settings", ok)
    assert "durability" in gate.detail
    assert "durable" in gate.detail


def dropped(folder: Path, block: int, *, again: bool) -> StoredRun:
    """The run with one of its blocks dropped; `again`: the next block stands for it."""
    path = folder / "journal.jsonl"
    lines = path.read_text().splitlines()
    events = [json.loads(line) for line in lines]
    trials = [e["trial"] for e in events if e["event"] == "trial" and e["block"] == block]
    event = {
        "event": "block", "block": block, "round": 0, "scenario": "read-one", "load": "open-150",
        "state": "dropped", "trials": trials, "again": again,
        "reason": "sync #0 was stopped for 1.00 s in trial 4",
    }  # fmt: skip
    if again:
        events = [{**e, "block": block} if e.get("block") == block + 1 else e for e in events]
    path.write_text("\n".join(json.dumps(e) for e in [*events, event]) + "\n")
    return StoredRun.load(folder)


@pytest.mark.parametrize("again", [True, False])
def test_a_block_that_was_dropped_does_not_count_and_is_named(tmp_path: Path, again: bool) -> None:
    folder = build_run(tmp_path / "run", block_s=0.5, instances=6, rounds=2, **OPEN)
    run = dropped(folder, 2, again=again)
    assert set(run.trials_of("read-one", "open-150", ["disturbed"])["block"]) == {2}
    summary = summarise(run)
    gates = gates_of(summary, "interruptions", True)
    assert {gate.arm for gate in gates} == {"sync", BAD}
    for gate in gates:
        assert "sync #0 was stopped for 1.00 s in trial 4" in gate.detail
        assert f"{int(again)} of them measured again" in gate.detail
    [note] = summary.notes
    assert ("was measured again" if again else "is left out") in note
    blocks = {c.blocks for s in summary.scenarios for c in s.comparisons}
    assert blocks == {11}


def often_disturbed(folder: Path, blocks: int, arm: str) -> StoredRun:
    """Something stood still in a trial of `arm` in so many blocks, and each was measured again."""
    path = folder / "journal.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]
    trials = [e for e in events if e["event"] == "trial"]
    number = max(e["trial"] for e in trials)
    for block in range(blocks):
        first = [e for e in trials if e["block"] == block]
        events += [{**e, "trial": number + 1 + place, "rows": 0, "recorded": 0, "planned": 0,
                    "sent": 0} for place, e in enumerate(first)]  # fmt: skip
        again = [number + 1 + place for place in range(len(first))]
        [still] = [n for n, e in zip(again, first, strict=True) if e["arm"] == arm]
        events.append({
            "event": "block", "block": block, "round": 0, "scenario": "read-one",
            "load": "open-150", "state": "dropped", "trials": again, "stood_still": [still],
            "again": True, "reason": f"{arm} #0 was stopped for 1.0{block} s in trial {still}",
        })  # fmt: skip
        number = again[-1]
    path.write_text("\n".join(json.dumps(e) for e in events) + "\n")
    return StoredRun.load(folder)


@pytest.mark.parametrize(("blocks", "ok"), [(1, True), (3, True), (4, False), (9, False)])
def test_an_arm_that_is_disturbed_again_and_again_is_a_selection(
    tmp_path: Path, blocks: int, ok: bool
) -> None:
    folder = build_run(tmp_path / "run", block_s=0.5, instances=6, rounds=2, **OPEN)
    summary = summarise(often_disturbed(folder, blocks, BAD))
    assert {gate.arm for gate in gates_of(summary, "interruptions")} == (set() if ok else {BAD})
    assert summary.valid is ok
    for gate in gates_of(summary, "interruptions", ok):
        assert f"{blocks} of 12 blocks were disturbed" in gate.detail
        assert gate.detail.count("was stopped for") <= 3
        assert ("and 6 more" in gate.detail) is (blocks == 9)


def test_a_run_that_lost_many_blocks_is_invalid(tmp_path: Path) -> None:
    folder = build_run(tmp_path / "run", block_s=0.5, instances=3, rounds=2, **OPEN)
    run = dropped(folder, 2, again=False)
    summary = summarise(run)
    gates = gates_of(summary, "interruptions")
    assert {gate.arm for gate in gates} == {"sync", BAD}
    assert gates[0].value == pytest.approx(100 / 6, rel=1e-3)
    assert not summary.valid
