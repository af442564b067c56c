"""What benchmarks of ours rest on: no run is dropped, and a server that is gone is an error."""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.instances.client import Users
from benchmarks.known import run as known

COMPARISON = {
    "load": "closed-16",
    "metric": "capacity_per_s",
    "primary": True,
    "change_pct": -9.0,
    "ci95_pct": [-16.5, -0.8],
    "verdict": "slower",
}


def stored(folder: Path, status: str = "complete") -> None:
    folder.mkdir()
    summary = {"status": status, "scenarios": [{"comparisons": [COMPARISON]}]}
    (folder / "summary.json").write_text(json.dumps(summary))


def test_runs_that_failed_stand_in_the_table(tmp_path: Path) -> None:
    stored(tmp_path / "01")
    (tmp_path / "01.txt").write_text("…\nexit 0\n")
    (tmp_path / "02.txt").write_text("No database.\n\nexit 3\n")
    (tmp_path / "03").mkdir()
    (tmp_path / "03.txt").write_text("ended after 900 s\n")
    stored(tmp_path / "04", "interrupted")
    said = [row for folder in known.all_runs(tmp_path) for row in known.rows(folder)]
    assert [row.split(" | ")[0] for row in said] == ["| 01", "| 02", "| 03", "| 04 (interrupted)"]
    assert said[0].endswith("| -9.0% [-16.5, -0.8] | slower |")
    assert said[1].endswith("| no result: exit 3 | failed |")
    assert said[2].endswith("| no result: ended after 900 s | failed |")


def test_how_a_run_ended_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "BENCH", Path("/bin/false"))
    known.run("aa", 7, tmp_path / "07", [])
    [row] = [row for folder in known.all_runs(tmp_path) for row in known.rows(folder)]
    assert row == "| 07 | – | – | – | no result: exit 1 | failed |"


def test_what_cannot_be_judged_anew_is_an_error(tmp_path: Path, monkeypatch) -> None:
    def refuse(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 2, "", "cannot be used")

    monkeypatch.setattr(known.subprocess, "run", refuse)
    with pytest.raises(SystemExit, match="cannot be used"):
        known.judge_anew(tmp_path)


def test_a_server_that_closes_connections_is_an_error_not_an_endless_wait() -> None:
    """A socket at its end is readable for ever: once it was read for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(1000)
            connection.close()

        server = threading.Thread(target=hang_up)
        server.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with (
            closing(Users(url, 1, itertools.repeat("/"))) as users,
            pytest.raises(RuntimeError, match="closed a connection before it had answered"),
        ):
            users.load(0.1)
        server.join(10)
