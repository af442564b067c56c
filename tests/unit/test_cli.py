"""The edge of the command: how an error, a bug and a Ctrl-C end it."""

import errno
import os
import sys
import tempfile
from pathlib import Path

import pytest

from scripts import cli, report


def ending(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """The exit code of `bench report x` when its command raises `error`."""

    def fail(*_: object, **__: object) -> int:
        raise error

    monkeypatch.setattr(report, "report_command", fail)
    monkeypatch.setattr(sys, "argv", ["bench", "report", "x"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert isinstance(left.value.code, int)
    return left.value.code


def test_a_ctrl_c_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(monkeypatch, KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "bench: interrupted\n"


def test_a_full_disk_is_never_a_bug_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "some/file")
    assert ending(monkeypatch, full) == 3
    assert "some/file: No space left on device" in capsys.readouterr().err


def test_a_bug_is_kept_in_the_run_s_log_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("BENCH_RUN_FOLDER", str(tmp_path))
    assert ending(monkeypatch, ZeroDivisionError("oh")) == 1
    err = capsys.readouterr().err
    assert str(tmp_path / "log.txt") in err
    assert "Traceback (most" not in err
    assert "ZeroDivisionError: oh" in (tmp_path / "log.txt").read_text()


@pytest.mark.parametrize("temporary", ["", "missing"])
def test_a_bug_where_nothing_can_be_written_is_still_one_message(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    temporary: str,
) -> None:
    monkeypatch.setenv("BENCH_RUN_FOLDER", str(tmp_path / "missing"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / temporary))
    assert ending(monkeypatch, ZeroDivisionError("oh")) == 1
    err = capsys.readouterr().err
    assert "Traceback (most" not in err
    assert ("bench-" in err) if not temporary else ("it ends in" in err)
