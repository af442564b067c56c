"""What `bench run` cannot do is one message, with its exit code, before or without measuring."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from loadtests.environment.processes import free_port
from tests.support.command import bench


def spec(tmp_path: Path, arm: str) -> str:
    path = tmp_path / "mine.toml"
    text = f'[run]\ninstances = 1\n[[arm]]\nname = "a"\n{arm}\n[[scenario]]\nname = "read-one"\n'
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("arm", "said"),
    [
        ('command = "false {port}"', 'Arm "a"'),
        ('command = "no-such-program {port}"', "no-such-program"),
        ('url = "http://127.0.0.1:1"', 'Arm "a"'),
    ],
)
def test_an_arm_that_does_not_start_is_one_message_and_no_traceback(
    tmp_path: Path, url: str, arm: str, said: str
) -> None:
    words = ["run", spec(tmp_path, arm), "--json", "--out", str(tmp_path / "run")]
    refused(bench(*words, BENCH_DATABASE_URL=url), 3, said)


@pytest.mark.parametrize(
    ("arm", "said"),
    [
        ('app = "sync"\nworkers = 0', "workers"),
        ('url = "http://127.0.0.1:1"\nheaders = { X = "env:NO_X" }', "NO_X"),
    ],
)
def test_an_arm_that_cannot_be_is_told_before_anything_starts(
    tmp_path: Path, typed: Callable[..., Any], arm: str, said: str
) -> None:
    words = ["run", spec(tmp_path, arm), "--json", "--out", str(tmp_path / "run")]
    refused(typed(*words), 2, said)


def refused(done: CompletedProcess[str], code: int, said: str) -> None:
    """One message on stderr, nothing on stdout."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("nothing_left")
def test_a_driver_that_is_not_installed_is_told_before_anything_starts(tmp_path: Path) -> None:
    arm = 'app = "sync"\ndriver = "mysqldb"'
    blocked = tmp_path / "sitecustomize.py"
    blocked.write_text(
        "import importlib.util\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: "
        "None if name == 'MySQLdb' else find(name, *more)\n"
    )
    done = bench(
        "run", spec(tmp_path, arm), "--out", str(tmp_path / "run"), PYTHONPATH=str(tmp_path)
    )
    assert done.returncode == 3, done.stderr
    assert "mysqlclient-static" in done.stderr
    assert "make drivers" in done.stderr
    assert "Database" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        (f"mysql://u:hunter2@127.0.0.1:{free_port()}/", 3, "127.0.0.1"),
        ("mysql://u:hunter2@", 2, "BENCH_DATABASE_URL: run database"),
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    tmp_path: Path, typed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch,
    url: str, code: int, said: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("BENCH_DATABASE_URL", url)
    done = typed("run", "smoke", "--out", str(tmp_path / "run"))
    refused(done, code, said)
    assert "hunter2" not in done.stderr


@pytest.mark.database
def test_a_refused_password_is_named(
    tmp_path: Path, typed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    wrong = url.replace(url.split(":")[2].split("@", maxsplit=1)[0], "hunter2", 1)
    monkeypatch.setenv("BENCH_DATABASE_URL", wrong)
    done = typed("run", "smoke", "--out", str(tmp_path / "run"))
    refused(done, 3, "password")
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [["run", "nonsense"], ["run", "smoke", "--set", "run.x=1"], ["fly"], ["run", "--sed", "1"]],
)
def test_wrong_words_are_usage_errors(typed: Callable[..., Any], words: list[str]) -> None:
    done = typed(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["report"], ["run", "--resume"]])
def test_a_folder_without_a_run_is_a_usage_error(
    typed: Callable[..., Any], tmp_path: Path, words: list[str]
) -> None:
    done = typed(*words, str(tmp_path))
    assert done.returncode == 2
    assert "manifest.json" in done.stderr
