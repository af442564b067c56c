"""Cheap readings at trial boundaries: CPU, memory, threads, connections, and the host's trouble.

Everything is read from the kernel directly; what cannot be known (another system, a process that is
gone, a service that is not ours) is None.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from loadtests.environment.proctree import process_tree

CPUCLOCK_SCHED = 2
TREE_AGE_LIMIT_S = 1.0
ESTABLISHED, CONNECTING = "01", "02"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process tree has used: CPU since its start, and what it holds now."""

    cpu_s: float | None = None
    rss_mb: float | None = None
    """Pages that its processes share are counted once for each."""
    threads: int | None = None


NOTHING_KNOWN = Usage()


@dataclass(frozen=True, slots=True)
class HostReading:
    """Cumulative seconds: stolen by the hypervisor (all cores), and with some task kept waiting."""

    steal_s: float | None
    pressure_s: float | None
    busy_s: float | None = None
    """CPU seconds that anybody used on the watched cores."""


def cpu_clock_s(pid: int) -> float | None:
    """CPU seconds a process has used, all its threads included, those that ended too.

    Resolution is nanoseconds, where /proc has ticks of 10 ms. The clock id is the kernel's
    `MAKE_PROCESS_CPUCLOCK` (clock_getcpuclockid(3)).
    """
    try:
        return time.clock_gettime(((~pid) << 3) | CPUCLOCK_SCHED)
    except OSError:
        return None


class InstanceProbe:
    """Reads one process and its descendants."""

    def __init__(self, pid: int | None) -> None:
        self._pid = pid
        self._tree: list[int] = []
        self._tree_read_s = float("-inf")
        self._remote_ports: dict[str, int] = {}
        """Remote port of each socket seen, by inode; 0 for those that are not connected."""

    @property
    def pids(self) -> list[int]:
        """The process tree, as of at most a second ago."""
        if self._pid is not None and time.monotonic() - self._tree_read_s > TREE_AGE_LIMIT_S:
            self._tree = process_tree(self._pid)
            self._tree_read_s = time.monotonic()
        return self._tree

    def read(self) -> Usage:
        """Read the whole tree."""
        parts = [part for part in map(_read_process, self.pids) if part is not None]
        if not parts:
            self._tree_read_s = float("-inf")
            return NOTHING_KNOWN
        return Usage(
            cpu_s=sum(cpu_s for cpu_s, _, _ in parts),
            rss_mb=sum(rss_mb for _, rss_mb, _ in parts),
            threads=sum(threads for _, _, threads in parts),
        )

    def connections_to(self, port: int) -> int | None:
        """Established TCP connections of the tree to a port (its database connections)."""
        if not self.pids:
            return None
        sockets = set().union(*map(_sockets_of, self.pids))
        self._remote_ports = {
            key: self._remote_ports[key] for key in sockets & set(self._remote_ports)
        }
        if new := sockets - set(self._remote_ports):
            table = _tcp_sockets()
            if table is None:
                return None
            for inode in new:
                remote_port, state = table.get(inode, (0, ""))
                if state != CONNECTING:
                    self._remote_ports[inode] = remote_port if state == ESTABLISHED else 0
        return sum(found == port for found in self._remote_ports.values())


_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20


def _read_process(pid: int) -> tuple[float, float, int] | None:
    """CPU seconds (with those of children that have ended), RSS in MB, threads."""
    cpu_s = cpu_clock_s(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()  # from field 3 of proc_pid_stat(5) on
    ended_children_s = (int(fields[13]) + int(fields[14])) / _TICKS_PER_S
    if cpu_s is None:
        cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    return cpu_s + ended_children_s, int(fields[21]) * _PAGE_MB, int(fields[17])


def _sockets_of(pid: int) -> set[str]:
    """Inodes of a process's sockets."""
    inodes: set[str] = set()
    with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                target = os.readlink(entry.path)
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    return inodes


def _tcp_sockets() -> dict[str, tuple[int, str]] | None:
    """Remote port and state of every TCP socket by inode; None where there is no such table.

    Slow (7 ms measured: the kernel walks its whole hash table), hence the memory in InstanceProbe.
    """
    found: dict[str, tuple[int, str]] = {}
    readable = False
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                row = line.split()
                found[row[9]] = (int(row[2].rpartition(":")[2], 16), row[3])
            readable = True
    return found if readable else None


class HostProbe:
    """Reads what the host does to everybody: time stolen, time waited for a core, cores in use.

    `cores` are those whose use is watched.
    """

    def __init__(self, cores: Sequence[int] = ()) -> None:
        self._cores = {f"cpu{core}" for core in cores}

    def read(self) -> HostReading:
        """Read all of it; None where the kernel does not tell."""
        rows = _processor_rows()
        everybody, watched = rows.get("cpu"), self._cores & rows.keys()
        return HostReading(
            steal_s=everybody[STEAL] / _TICKS_PER_S if everybody else None,
            pressure_s=_pressure_s(),
            busy_s=sum(_busy_s(rows[core]) for core in watched) if watched else None,
        )


STEAL = 7
WORKING = (0, 1, 2, 5, 6)
"""user, nice, system, irq and softirq among the fields of /proc/stat (proc_stat(5))."""


def _processor_rows() -> dict[str, list[int]]:
    """The rows of /proc/stat about processors, in ticks; those too short to tell are left out."""
    try:
        with Path("/proc/stat").open() as file:
            rows = [line.split() for line in takewhile(lambda line: line[:3] == "cpu", file)]
    except OSError:
        return {}
    return {row[0]: [int(field) for field in row[1:]] for row in rows if len(row) > STEAL + 1}


def _busy_s(row: Sequence[int]) -> float:
    return sum(row[field] for field in WORKING) / _TICKS_PER_S


def _pressure_s() -> float | None:
    """The `some` line's total of /proc/pressure/cpu, which is in microseconds."""
    try:
        with Path("/proc/pressure/cpu").open() as file:
            line = file.readline()
    except OSError:
        return None
    return int(line.rpartition("total=")[2]) / 1e6 if line.startswith("some ") else None
