"""What the system lets an instance's processes use: cores, priority, limits, as /proc tells."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from loadtests.environment.proctree import process_tree, threads_of

CGROUPS = Path("/sys/fs/cgroup")
UNLIMITED_ABOVE_MB = 2**40
"""cgroup v1 says "no limit" by a number near 2^63."""
POLICIES = {
    getattr(os, name, None): words
    for name, words in (
        ("SCHED_OTHER", "ordinary"),
        ("SCHED_BATCH", "batch"),
        ("SCHED_IDLE", "idle"),
        ("SCHED_FIFO", "real-time"),
        ("SCHED_RR", "real-time"),
    )
}
WORKER_OF_A_POOL = b"multiprocessing.spawn"


def resources_of(pid: int | None) -> dict[str, Any]:
    """Fields of `loadtests.inspection.InstanceFacts` about a process and its descendants.

    Nothing is known of a process that is not ours or has ended. Where members of the tree differ,
    the widest set of cores and the largest nice count: each of them is then told as different.
    """
    if pid is None or not hasattr(os, "sched_getaffinity"):
        return {}
    tree = process_tree(pid)
    threads = [thread for member in tree for thread in threads_of(member)]
    with contextlib.suppress(ProcessLookupError, PermissionError):
        return {
            "cores": tuple(sorted({core for t in threads for core in os.sched_getaffinity(t)})),
            "nice": max(os.getpriority(os.PRIO_PROCESS, t) for t in threads),
            "policy": _policy(threads),
            "memory_limit_mb": _memory_limit_mb(pid),
            "cpu_quota_cores": _cpu_quota_cores(pid),
            "open_files": resource.prlimit(pid, resource.RLIMIT_NOFILE)[0],
            "workers": _workers(tree),
        }
    return {}


def _policy(threads: Sequence[int]) -> str:
    found = {POLICIES.get(os.sched_getscheduler(thread), "unknown") for thread in threads}
    return " and ".join(sorted(found))


def _workers(tree: Sequence[int]) -> int:
    """Processes that serve: those a uvicorn with several workers has spawned, else the process."""
    spawned = 0
    for member in tree[1:]:
        with contextlib.suppress(OSError):
            spawned += WORKER_OF_A_POOL in Path(f"/proc/{member}/cmdline").read_bytes()
    return max(1, spawned)


def _memory_limit_mb(pid: int) -> float | None:
    """The smallest of its control groups' limits and that on its address space."""
    own = resource.prlimit(pid, resource.RLIMIT_AS)[0]
    limits = [float(own)] if own != resource.RLIM_INFINITY else []
    for folder in _groups(pid, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limits += _numbers(folder / name)[:1]
    smallest = min(limits, default=float("inf")) / 2**20
    return round(smallest, 3) if smallest < UNLIMITED_ABOVE_MB else None


def _cpu_quota_cores(pid: int) -> float | None:
    """The smallest quota of its control groups, in cores."""
    quotas = []
    for folder in _groups(pid, "cpu"):
        numbers = _numbers(folder / "cpu.max") or [
            *_numbers(folder / "cpu.cfs_quota_us"),
            *_numbers(folder / "cpu.cfs_period_us"),
        ]
        if len(numbers) == 2 and numbers[0] > 0:
            quotas.append(numbers[0] / numbers[1])
    return min(quotas, default=None)


def _groups(pid: int, controller: str) -> Iterator[Path]:
    """Folders of a process's control group and its ancestors, version 2 and version 1 (cgroups(7)).

    In a container the path may lead nowhere; then the root, which is the container's, is left.
    """
    for line in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "" or controller in controllers.split(","):
            root = CGROUPS / controller if controllers else CGROUPS
            place = Path(path.lstrip("/"))
            yield from (root / part for part in (place, *place.parents))


def _numbers(file: Path) -> list[float]:
    """The numbers in a file of one line; none where a word says that there is no limit."""
    try:
        words = file.read_text(encoding="utf-8").split()
    except OSError:
        return []
    return [float(word) for word in words] if all(_is_number(word) for word in words) else []


def _is_number(word: str) -> bool:
    return word.lstrip("-").isdigit()
