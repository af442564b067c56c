"""A run's log keeps what was said, and never stops a run."""

from pathlib import Path

import pytest

from scripts.run_log import LoggedProgress, RunLog


def test_messages_are_said_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = RunLog(tmp_path)
    log.say("\nfirst")
    LoggedProgress(log, round_s=1, rounds=1).say("second")
    assert [line.partition(" ")[2] for line in log.path.read_text().splitlines()] == [
        "first",
        "second",
    ]
    assert "first" in capsys.readouterr().err


def test_a_log_that_cannot_be_written_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = RunLog(tmp_path / "missing")
    log.say("first")
    log.say("second")
    assert capsys.readouterr().err.count("no longer written") == 1
