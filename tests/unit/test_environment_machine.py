"""Facts about the machine."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from loadtests.environment.machine import (
    available_memory_mb,
    file_system,
    git_commit,
    host_facts,
    package_versions,
    usable_cores,
)


def test_usable_cores_are_those_of_the_process() -> None:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        assert usable_cores() == [max(before)]
    finally:
        os.sched_setaffinity(0, before)


def test_host_facts_are_plain_json_without_names_of_people_or_machines() -> None:
    text = json.dumps(host_facts(), allow_nan=False)
    assert os.uname().nodename not in text or len(os.uname().nodename) < 4
    facts = json.loads(text)
    assert facts["cores_usable"] >= 1
    assert facts["python"]["gil"] in (True, False)
    assert 0 < facts["memory_available_mb"] <= facts["memory_mb"]


def test_available_memory_is_below_a_container_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loadtests.environment.machine.CGROUP", tmp_path)
    (tmp_path / "memory.max").write_text(f"{50 * 2**20}\n")
    (tmp_path / "memory.current").write_text(f"{20 * 2**20}\n")
    assert available_memory_mb() == 30
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory_mb() > 30


def test_package_versions_name_what_is_measured() -> None:
    versions = package_versions()
    assert {"fastapi", "sqlalchemy", "pymysql", "locust"} <= set(versions)
    assert all(version[0].isdigit() for version in versions.values())


def test_git_commit_knows_a_changed_checkout(tmp_path: Path) -> None:
    assert git_commit(tmp_path) == {"sha": None, "dirty": None}
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "a").write_text("1")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    clean = git_commit(tmp_path)
    assert len(clean["sha"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "a").write_text("2")
    assert git_commit(tmp_path) == {"sha": clean["sha"], "dirty": True}


def test_the_file_system_is_that_of_the_deepest_mount() -> None:
    assert file_system(Path("/proc/self")) == "proc"
    assert file_system(Path("/")) not in (None, "proc")
