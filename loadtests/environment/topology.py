"""Which of the usable CPUs are threads of one physical core, and which node of memory they are at.

A *CPU* is what the system numbers and pins to; a *core* is one physical core with the CPUs that are
its hardware threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True, slots=True)
class Core:
    """A physical core: its usable CPUs in order, and its NUMA node (0 where that is not known)."""

    cpus: tuple[int, ...]
    node: int = 0


def cores_of(cpus: Sequence[int], folder: Path = CPUS) -> tuple[Core, ...]:
    """The physical cores that the CPUs belong to, by node, then by their first CPU.

    A CPU whose siblings the kernel does not tell counts as a core of its own.
    """
    found: dict[tuple[int, frozenset[int]], list[int]] = {}
    for cpu in sorted(cpus):
        place = folder / f"cpu{cpu}"
        found.setdefault((_node(place), _siblings(place) or frozenset([cpu])), []).append(cpu)
    cores = [Core(tuple(each), node) for (node, _), each in found.items()]
    return tuple(sorted(cores, key=lambda core: (core.node, core.cpus)))


def _siblings(place: Path) -> frozenset[int]:
    try:
        return cpu_list((place / "topology" / "thread_siblings_list").read_text())
    except OSError:
        return frozenset()


def _node(place: Path) -> int:
    """The kernel links every CPU to its node as `nodeN`."""
    nodes = [each.name.removeprefix("node") for each in place.glob("node[0-9]*")]
    return min(map(int, nodes), default=0)


def cpu_list(text: str) -> frozenset[int]:
    """`0-1,8` as the kernel writes sets of CPUs (cpuset(7), "List format")."""
    found: set[int] = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return frozenset(found)
