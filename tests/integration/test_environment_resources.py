"""What /proc says of processes: resources, and whether they are stopped, against what we did."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadtests.environment import resources
from loadtests.environment.resources import POLICIES, resources_of
from loadtests.environment.stops import watching

SLEEP = "import sys; print('up', flush=True); sys.stdin.readline()"
LIMIT_S = 10.0
LOWEST = 19
"""Priority, as nice counts."""


@pytest.fixture
def process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", SLEEP], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == "up\n"
        try:
            yield started
        finally:
            started.kill()


def test_resources_are_what_they_were_set_to(process: subprocess.Popen[str]) -> None:
    before = resources_of(process.pid)
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(process.pid, {core})
    os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + 3)
    soft = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)[0]
    resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (soft - 2, soft - 1))
    resource.prlimit(process.pid, resource.RLIMIT_AS, (2**31, 2**31))
    after = resources_of(process.pid)
    assert after["cores"] == (core,)
    assert after["nice"] == min(before["nice"] + 3, LOWEST)
    assert after["policy"] == before["policy"] == POLICIES[os.sched_getscheduler(0)]
    assert after["open_files"] == before["open_files"] - 2
    assert after["most_open_files"] == before["open_files"] - 1
    assert after["memory_limit_mb"] == min(2**11, before["memory_limit_mb"] or 2**11)
    assert after["workers"] == 1


def test_nothing_is_known_of_nobody(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    assert resources_of(process.pid) == resources_of(None) == {}


@pytest.mark.parametrize(
    ("files", "groups", "memory_mb", "quota"),
    [
        ({"a/memory.max": "max", "memory.max": "1073741824"}, "0::/a", 1024.0, None),
        ({"a/cpu.max": "50000 100000", "cpu.max": "max 100000"}, "0::/a", None, 0.5),
        (
            {"memory/b/memory.limit_in_bytes": "9223372036854771712",
             "cpu/cpu.cfs_quota_us": "200000", "cpu/cpu.cfs_period_us": "100000"},
            "5:memory:/b\n1:cpu:/gone",
            None,
            2.0,
        ),
        ({"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, "1:cpu:/", None, None),
    ],
)  # fmt: skip
def test_limits_of_control_groups_are_found(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    groups: str,
    memory_mb: float | None,
    quota: float | None,
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    monkeypatch.setattr(resources, "CGROUPS", tmp_path)
    assert resources.memory_limit_mb(groups, resource.RLIM_INFINITY) == memory_mb
    assert resources.cpu_quota_cores(groups) == quota


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def test_a_process_that_is_stopped_is_seen_and_timed(process: subprocess.Popen[str]) -> None:
    begun_s = time.monotonic()
    with watching({process.pid: "mine", os.getpid(): "myself"}) as stops:
        os.kill(process.pid, signal.SIGSTOP)
        while state_of(process.pid) != "T":
            assert time.monotonic() < begun_s + LIMIT_S
        time.sleep(0.3)  # the length of the stop itself
        os.kill(process.pid, signal.SIGCONT)
    assert stops[0].what == "mine"
    assert len(stops) == 1
    assert 0.1 < stops[0].seconds <= time.monotonic() - begun_s


def test_who_works_or_has_ended_is_not_stopped(process: subprocess.Popen[str]) -> None:
    with watching({process.pid: "mine", os.getpid(): "myself", 2**22: "nobody"}) as stops:
        process.kill()
        process.wait()
        time.sleep(0.15)  # three looks
    assert stops == []
