"""What was set up, and stayed so: resources, settings, tables; blocks in which all stood still."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadtests.inspection import Inspection, InstanceFacts
from loadtests.trials import OpenLoad
from reports.run_folder import StoredRun
from reports.summarise import summarise
from tests.support.gates import BAD, gates_of, summary_of
from tests.support.run_builder import SimulatedArm, build_run

OPEN = {"loads": (OpenLoad(150.0),)}


def changed(arm: str, number: int, **facts: Any) -> Callable[[Inspection], Inspection]:
    """One instance is seen otherwise after the last round."""

    def other(each: InstanceFacts) -> InstanceFacts:
        return each.model_copy(update=facts) if (each.arm, each.instance) == (arm, number) else each

    def edit(look: Inspection) -> Inspection:
        if look.round < 1:
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


def test_a_run_that_lost_many_blocks_is_invalid(tmp_path: Path) -> None:
    folder = build_run(tmp_path / "run", block_s=0.5, instances=3, rounds=2, **OPEN)
    run = dropped(folder, 2, again=False)
    summary = summarise(run)
    gates = gates_of(summary, "interruptions")
    assert {gate.arm for gate in gates} == {"sync", BAD}
    assert gates[0].value == pytest.approx(100 / 6, rel=1e-3)
    assert not summary.valid
