"""What `make` asks before it installs a server, with the programs of other machines."""

import os
import sys
from pathlib import Path

import pytest

from loadtests.environment import local_server
from scripts import database_ready
from scripts.database_ready import why_no_database


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of our own, on which nothing is installed yet."""
    monkeypatch.setenv("PATH", f"{tmp_path}")
    monkeypatch.setattr(local_server, "MORE_PLACES", ())
    monkeypatch.delenv("BENCH_DATABASE_URL", raising=False)
    return tmp_path


def install(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    os.chmod(folder / name, 0o755)


NEW = 'echo "mysqld  Ver 8.4.3 for Linux on x86_64 (MySQL Community Server - GPL)"'
OLD = 'echo "mysqld  Ver 5.7.44 for Linux on x86_64 (MySQL Community Server (GPL))"'
NO_IMAGE = 'case "$1" in image|pull) echo "no such image" >&2; exit 1;; esac'


def test_a_spec_that_needs_no_server_of_ours_needs_none(programs: Path) -> None:
    assert why_no_database("none") == []
    assert why_no_database("mysql://u@h/") == []
    assert len(why_no_database("auto")) == 2


def test_a_server_that_is_too_old_is_none(programs: Path) -> None:
    install(programs, "mysqld", OLD)
    assert "too old" in why_no_database("auto")[0]
    install(programs, "mysqld", NEW)
    assert why_no_database("auto") == []
    assert why_no_database("docker") == ["there is no docker command"]


def test_an_engine_without_the_image_is_none(programs: Path) -> None:
    install(programs, "docker", NO_IMAGE)
    assert "cannot be pulled" in why_no_database("docker")[0]
    assert len(why_no_database("auto")) == 2
    assert len(why_no_database("local")) == 1
    install(programs, "docker", "exit 0")
    assert why_no_database("auto") == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["smoke"], 3),
        (["smoke", "--set", "run.database=none"], 0),
        (["smoke", "--dry-run", "--set=run.database=none"], 0),
        (["no-such-spec"], 0),  # bench itself explains it
    ],
)
def test_the_command_line_is_bench_s(
    programs: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int
) -> None:
    monkeypatch.setattr(sys, "argv", ["database_ready", *words])
    assert database_ready.main() == code
