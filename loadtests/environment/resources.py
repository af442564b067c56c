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
    threads = [found for member in tree for t in threads_of(member) if (found := _thread(t))]
    if not threads:
        return {}
    with contextlib.suppress(OSError):  # it has ended meanwhile, or is not ours
        soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        return {
            "cores": tuple(sorted({core for cores, _, _ in threads for core in cores})),
            "nice": max(nice for _, nice, _ in threads),
            "policy": " and ".join(sorted({policy for _, _, policy in threads})),
            "memory_limit_mb": memory_limit_mb(
                _groups_of(pid), resource.prlimit(pid, resource.RLIMIT_AS)[0]
            ),
            "cpu_quota_cores": cpu_quota_cores(_groups_of(pid)),
            "open_files": soft,
            "most_open_files": hard,
            "workers": _workers(tree),
        }
    return {}


def _thread(thread: int) -> tuple[set[int], int, str] | None:
    """A thread's cores, nice and policy; None for one that has ended since it was listed."""
    try:
        policy = POLICIES.get(os.sched_getscheduler(thread), "unknown")
        return os.sched_getaffinity(thread), os.getpriority(os.PRIO_PROCESS, thread), policy
    except (ProcessLookupError, PermissionError):
        return None


def _workers(tree: Sequence[int]) -> int:
    """Processes that serve: those a uvicorn with several workers has spawned, else the process."""
    spawned = 0
    for member in tree[1:]:
        with contextlib.suppress(OSError):
            spawned += WORKER_OF_A_POOL in Path(f"/proc/{member}/cmdline").read_bytes()
    return max(1, spawned)


def _groups_of(pid: int) -> str:
    """A process's control groups, as /proc tells them."""
    return Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8")


def memory_limit_mb(groups: str, address_space: int) -> float | None:
    """The smallest of the control groups' limits and that on the address space (RLIMIT_AS)."""
    limits = [float(address_space)] if address_space != resource.RLIM_INFINITY else []
    for folder in _folders(groups, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limits += _numbers(folder / name)[:1]
    smallest = min(limits, default=float("inf")) / 2**20
    return round(smallest, 3) if smallest < UNLIMITED_ABOVE_MB else None


def own_cpu_quota_cores() -> float | None:
    """The quota that holds for this process; None without one, and where there is no /proc."""
    try:
        return cpu_quota_cores(_groups_of(os.getpid()))
    except OSError:
        return None


def cpu_quota_cores(groups: str) -> float | None:
    """The smallest quota of the control groups, in cores."""
    quotas = []
    for folder in _folders(groups, "cpu"):
        numbers = _numbers(folder / "cpu.max") or [
            *_numbers(folder / "cpu.cfs_quota_us"),
            *_numbers(folder / "cpu.cfs_period_us"),
        ]
        if len(numbers) == 2 and numbers[0] > 0:
            quotas.append(numbers[0] / numbers[1])
    return min(quotas, default=None)


def _folders(groups: str, controller: str) -> Iterator[Path]:
    """Folders of control groups and their ancestors, version 2 and version 1 (cgroups(7)).

    In a container the path may lead nowhere; then the root, which is the container's, is left.
    """
    for line in groups.splitlines():
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
