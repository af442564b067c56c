"""Stored runs: read back exactly, and openly partial where they are damaged."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest

from loadtests.errors import StorageError, UsageError
from reports.run_folder import StoredRun
from reports.samples import sample_file
from tests.support.run_builder import SimulatedArm, build_run

SMALL = {"instances": 2, "rounds": 2, "block_s": 0.3}


@pytest.fixture
def folder(tmp_path):
    return build_run(tmp_path / "run", **SMALL)


def test_a_whole_run_is_read_back(folder):
    run = StoredRun.load(folder)
    assert (run.run, run.status, run.notes) == ("run", "complete", ())
    assert run.arms == ("sync", "async")
    assert run.scenarios == ("read-one",)
    assert [load.load for load in run.loads("read-one")] == ["closed-16", "open-150"]
    assert len(run.trials) == 2 * 2 * 2 * 2
    samples = run.samples("read-one", "open-150")
    assert len(samples) == run.trials_of("read-one", "open-150")["recorded"].sum()
    assert run.telemetry is not None


def test_nanoseconds_stay_exact(folder):
    run = StoredRun.load(folder)
    file = sample_file(folder, "read-one", "open-150", 0)
    assert (
        run.samples("read-one", "open-150")["done_ns"][0]
        == pq.read_table(file)["done_ns"][0].as_py()
    )
    assert int(run.trials["start_ns"][0]) == 10**16


def test_failed_trials_are_kept_apart(tmp_path):
    def fail(trial):
        return {**trial, "state": "invalid", "reason": "exited"} if trial["block"] == 0 else trial

    run = StoredRun.load(build_run(tmp_path / "run", edit_trial=fail, **SMALL))
    load = run.trials.loc[run.trials["block"] == 0, "load"].iloc[0]
    failed = run.trials_of("read-one", load, ("invalid",))
    assert len(failed) == 2
    assert not set(failed["trial"]) & set(run.samples("read-one", load)["trial"])
    assert set(failed["trial"]) <= set(
        run.samples("read-one", load, ("finished", "invalid"))["trial"]
    )


def test_a_torn_last_line_costs_that_line_and_is_said(folder):
    journal = folder / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    run = StoredRun.load(folder)
    assert run.status == "interrupted"
    assert len(run.trials) == 16
    assert any("unreadable" in note for note in run.notes)
    assert any("no end" in note for note in run.notes)


def test_a_run_that_was_resumed_ends_with_its_last_end(folder):
    journal = folder / "journal.jsonl"
    with journal.open("a") as file:
        file.write('{"event": "round", "round": 2, "state": "planned"}\n')
    assert StoredRun.load(folder).status == "interrupted"


def test_missing_samples_are_left_out_and_said(folder):
    sample_file(folder, "read-one", "open-150", 1).unlink()
    run = StoredRun.load(folder)
    assert [note for note in run.notes if "open-150 in round 1" in note]
    assert set(run.trials_of("read-one", "open-150")["round"]) == {0}
    assert set(run.trials_of("read-one", "closed-16")["round"]) == {0, 1}


def test_what_was_seen_of_the_twins_is_read_or_its_loss_is_said(folder):
    assert [each.reference for each in StoredRun.load(folder).proofs] == ["sync"]
    journal = folder / "journal.jsonl"
    lines = journal.read_text().replace('"reference": "sync"', '"reference": 7')
    journal.write_text(lines)
    run = StoredRun.load(folder)
    assert run.proofs == ()
    assert run.notes == ("What the run saw of its twins is not as this version writes it.",)


def test_damaged_telemetry_is_a_note_not_a_failure(folder):
    (folder / "telemetry.parquet").write_bytes(b"not parquet")
    run = StoredRun.load(folder)
    assert run.telemetry is None
    assert any("telemetry.parquet" in note for note in run.notes)


@pytest.mark.parametrize("damage", ["cut", "emptied", "other columns"])
def test_damaged_samples_name_the_file(folder, damage):
    file = sample_file(folder, "read-one", "open-150", 0)
    data = file.read_bytes()
    if damage == "other columns":
        pq.write_table(pq.read_table(file).select(["trial", "arm"]), file)
    else:
        file.write_bytes(data[: len(data) // 2] if damage == "cut" else b"")
    with pytest.raises(StorageError, match=file.name) as caught:
        StoredRun.load(folder).samples("read-one", "open-150")
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "{",
        "[]",
        '{"schema": 1}',
        '{"schema": 9, "run": "x"}',
        '{"schema": 1, "run": "x"}',
    ],
)
def test_a_folder_without_a_readable_manifest_is_no_run(folder, text):
    manifest = folder / "manifest.json"
    manifest.unlink() if text is None else manifest.write_text(text)
    kind = UsageError if text is None else StorageError
    with pytest.raises(kind, match="manifest") as caught:
        StoredRun.load(folder)
    assert caught.value.hint


def test_a_run_without_a_journal_is_empty_and_says_so(folder):
    (folder / "journal.jsonl").unlink()
    run = StoredRun.load(folder)
    assert len(run.trials) == 0
    assert run.loads("read-one") == ()
    assert any("journal.jsonl is missing" in note for note in run.notes)


def test_the_baseline_comes_first(tmp_path):
    arms = {"zebra": SimulatedArm(), "ant": SimulatedArm(app="async")}
    folder = build_run(tmp_path / "run", arms=arms, **SMALL)
    assert StoredRun.load(folder).arms == ("zebra", "ant")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "baseline": "ant"}))
    assert StoredRun.load(folder).arms == ("ant", "zebra")
    (folder / "manifest.json").write_text(json.dumps({**manifest, "baseline": "bee"}))
    with pytest.raises(StorageError, match="baseline"):
        StoredRun.load(folder)


def test_a_scenario_may_have_any_name(tmp_path):
    from loadtests.scenarios.catalogue import READ_ONE

    odd = READ_ONE.model_copy(update={"name": "../ä b/c"})
    run = StoredRun.load(build_run(tmp_path / "run", scenarios=[odd], **SMALL))
    assert len(run.samples("../ä b/c", "closed-16"))
