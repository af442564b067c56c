"""The record on disk: sealed after a torn write, whole or absent, clear when the disk is full."""

import errno
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loadtests.errors import StorageError, UsageError
from loadtests.journal import Journal, read_journal, write_fully
from loadtests.store import RunStore, folder_name, new_run_folder
from loadtests.trials import SAMPLE_SCHEMA


def test_events_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.write("round", round=0, state="planned")
    journal.write("end", status="complete")
    journal.close()
    assert [event["event"] for event in read_journal(tmp_path / "j")] == ["round", "end"]


def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'{"event": "round", "round": 0}\n{"event": "tri')
    journal = Journal(path)
    journal.write("end", status="complete")
    journal.close()
    assert [event["event"] for event in read_journal(path)] == ["round", "end"]


def test_a_missing_journal_is_empty(tmp_path: Path) -> None:
    assert list(read_journal(tmp_path / "none")) == []


def test_short_writes_are_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    fd = os.open(tmp_path / "f", os.O_WRONLY | os.O_CREAT)
    write_fully(fd, b"0123456789")
    os.close(fd)
    assert (tmp_path / "f").read_bytes() == b"0123456789"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / "j").symlink_to("/dev/full")
    journal = Journal(tmp_path / "j")
    with pytest.raises(StorageError, match=os.strerror(errno.ENOSPC)):
        journal.write("end", status="complete")
    journal.close()


def test_not_a_number_never_reaches_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    with pytest.raises(ValueError, match="JSON compliant"):
        journal.write("trial", value=float("nan"))
    journal.close()


def test_samples_keep_their_schema(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "run")
    rows = [dict.fromkeys(SAMPLE_SCHEMA.names) | {"arm": "sync", "ok": True}]
    store.write_samples("a/b", "closed-16", 0, [pa.Table.from_pylist(rows, schema=SAMPLE_SCHEMA)])
    store.close()
    [path] = (tmp_path / "run" / "samples").glob("*/*.parquet")
    assert path.name == "closed-16-0.parquet"
    assert pq.read_table(path).schema.equals(SAMPLE_SCHEMA)


def test_a_disk_that_fills_up_leaves_the_old_file_and_no_half_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RunStore(tmp_path / "run")
    store.write_manifest({"run": "old"})
    before = sorted(store.folder.rglob("*"))

    def full(self: Path, data: bytes) -> int:
        with self.open("wb") as file:
            file.write(data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left"):
        store.write_manifest({"run": "new"})
    store.close()
    assert sorted(store.folder.rglob("*")) == before
    assert json.loads((store.folder / "manifest.json").read_text()) == {"run": "old"}


@pytest.mark.parametrize("name", ["../../etc", "</script>", "a b", ".hidden", "ü", "read-one"])
def test_a_scenario_s_folder_stays_inside(name: str) -> None:
    folder = folder_name(name)
    assert "/" not in folder
    assert not folder.startswith(".")


def test_scenario_folders_differ_when_names_do() -> None:
    names = ["a b", "a%20b", "a/b", "a_b"]
    assert len({folder_name(name) for name in names}) == len(names)


def test_a_run_is_never_written_beside_what_is_not_ours(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    assert new_run_folder(folder, "run") == folder
    RunStore(folder).close()
    (folder / "logs").mkdir()
    assert new_run_folder(folder, "run") == folder, "a start that came to nothing"
    (folder / "charts").mkdir()
    with pytest.raises(UsageError, match=r"not empty \(charts\)"):
        new_run_folder(folder, "run")


def test_a_run_is_never_written_over_another(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({}))
    with pytest.raises(UsageError, match="already holds a run"):
        new_run_folder(tmp_path, "run")
