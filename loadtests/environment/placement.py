"""PURE: which cores generator, apps and database get: candidates, and the choice by their noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any

from loadtests.environment.topology import Core

ENOUGH_CORES = 4
"""Physical cores of one node that are enough for all three parties, for each process of the
generator."""
MOST_CANDIDATES = 4
CLEARLY = 1.5
"""How many times less the arms must be slowed for a placement other than the usual one …"""
CLEARLY_PCT = 2.0
"""… and how many points less, in each half of the look."""


@dataclass(frozen=True, slots=True)
class CoreNoise:
    """How a CPU was seen to be slowed, against the fastest piece of work on any of them.

    `slowed_pct`: how much longer its pieces took in the mean; `halves_pct`: the same in the first
    and the second half of the look.
    """

    core: int
    slowed_pct: float
    halves_pct: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Placement:
    """CPUs for each party, by the system's numbers; empty means "wherever the system puts it"."""

    generator: tuple[int, ...]
    apps: tuple[int, ...]
    database: tuple[int, ...]
    why: str
    relay: tuple[int, ...] = ()
    """For the relay between apps and database, where there is one."""
    noise: tuple[CoreNoise, ...] = ()
    """What was seen of the cores before the choice; empty where nobody looked."""

    @property
    def cores(self) -> tuple[int, ...]:
        """All CPUs that are given to somebody, in order."""
        return tuple(sorted({*self.generator, *self.apps, *self.database}))

    def to_json(self) -> dict[str, Any]:
        """As the manifest writes it."""
        return {
            "generator": list(self.generator),
            "apps": list(self.apps),
            "database": list(self.database),
            **({"relay": list(self.relay)} if self.relay else {}),
            "why": self.why,
            **({"noise": [_noise_json(each) for each in self.noise]} if self.noise else {}),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Placement:
        """What `to_json` wrote."""
        return cls(
            generator=tuple(told["generator"]),
            apps=tuple(told["apps"]),
            database=tuple(told["database"]),
            why=told["why"],
            relay=tuple(told.get("relay", ())),
            noise=tuple(
                CoreNoise(each["core"], each["slowed_pct"], tuple(each["halves_pct"]))
                for each in told.get("noise", ())
            ),
        )

    def with_relay(self) -> Placement:
        """The same with a relay on the last of the database's cores: never on one of the apps',
        whose time is measured, nor on the generator's where that has one to itself."""
        if not self.database:
            return self
        core = self.database[-1]
        return replace(self, relay=(core,), why=f"{self.why}; relay on core {core}")


def _noise_json(noise: CoreNoise) -> dict[str, Any]:
    return {**asdict(noise), "halves_pct": list(noise.halves_pct)}


def choose_placement(
    cores: Sequence[Core], noise: Sequence[CoreNoise] = (), generators: int = 1
) -> Placement:
    """The usual placement, unless another one's apps are clearly left alone more.

    Without noise of all the cores: the usual one. The choice depends on nothing but its arguments,
    and a difference that is not seen in both halves of the look does not count.
    """
    usual, *others = candidates(cores, generators)
    if not others or {each.core for each in noise} != set(usual.cores):
        return usual
    slowed = {each.core: (each.slowed_pct, *each.halves_pct) for each in noise}
    usual_slowed = _slowed_pct(usual, slowed)
    best = min(others, key=lambda each: _slowed_pct(each, slowed)[0])
    best_slowed = _slowed_pct(best, slowed)
    better = all(
        there * CLEARLY <= here and there + CLEARLY_PCT <= here
        for here, there in zip(usual_slowed, best_slowed, strict=True)
    )
    chosen = best if better else usual
    words = _why(usual_slowed[0], best_slowed[0], better=better)
    return replace(chosen, why=f"{chosen.why}; {words}", noise=tuple(noise))


def _slowed_pct(placement: Placement, slowed: Mapping[int, tuple[float, ...]]) -> tuple[float, ...]:
    """How the apps' cores are slowed in the mean: in the whole look, and in each of its halves."""
    each = [slowed[core] for core in placement.apps]
    return tuple(sum(column) / len(each) for column in zip(*each, strict=True))


def _why(usual_pct: float, best_pct: float, *, better: bool) -> str:
    if better:
        return (
            f"others slow the arms there by {best_pct:.1f}%, at the usual place by {usual_pct:.1f}%"
        )
    return (
        f"others slow the arms there by {usual_pct:.1f}%, at the quietest other place by "
        f"{best_pct:.1f}%: not clearly better"
    )


def candidates(cores: Sequence[Core], generators: int = 1) -> tuple[Placement, ...]:
    """Placements worth comparing, the usual one first: the same shares of the cores in their order,
    and of the order begun at other cores."""
    chosen, where = _of_one_node(cores)
    away = _away(cores, chosen, generators)
    if len(chosen) == 1:  # threads of one core: apart from each other is as good as it gets
        chosen = [Core((cpu,)) for cpu in chosen[0].cpus]
        where = ", threads of one core" if len(chosen) > 1 else where
    step = math.ceil(len(chosen) / MOST_CANDIDATES)
    starts = range(0, len(chosen), step) if len(chosen) > 1 else range(1)
    return tuple(
        share_out([*chosen[start:], *chosen[:start]], generators, where, away) for start in starts
    )


def _of_one_node(cores: Sequence[Core]) -> tuple[list[Core], str]:
    """The cores of the node that has most, if that is enough for all, and words for it.

    Instances on different nodes would differ, and so would their ways to the database.
    """
    nodes = sorted({core.node for core in cores})
    by_node = [[core for core in cores if core.node == node] for node in nodes]
    largest = max(by_node, key=len, default=[])
    if len(by_node) < 2 or len(largest) < ENOUGH_CORES:
        return list(cores), ""
    return largest, f" of node {largest[0].node}"


def _away(cores: Sequence[Core], chosen: Sequence[Core], generators: int) -> list[Core]:
    """Cores of other nodes for the generator, where it would take too many of the chosen node's.

    Its way to the arms is longer then, for all of them alike.
    """
    others = [core for core in cores if core not in chosen]
    crowded = generators * ENOUGH_CORES > len(chosen)
    return others[:generators] if crowded and len(others) >= generators else []


def share_out(
    cores: Sequence[Core], generators: int = 1, where: str = "", away: Sequence[Core] = ()
) -> Placement:
    """Share out cores in their order; arms always get cores that nobody else uses, if there are
    two. Each of the generator's processes gets one of its own (of those that are `away`, if any),
    as far as two others are left. Hardware threads of a core stay together, but for generator and
    database sharing one."""
    if not cores:
        return Placement((), (), (), "this system cannot pin processes to cores")
    if len(cores) == 1:
        return Placement((), (), (), "one core: everything shares it, nothing is pinned")
    if len(cores) == 2:
        shared, apps = cores[0].cpus, cores[1].cpus
        why = f"two cores{where}: the arms alone on one, generator and database on the other"
        return Placement(shared[:1], apps, shared[1:] or shared, why)
    ahead = 0 if away else max(1, min(generators, len(cores) - 2))
    generator, rest = away or cores[:ahead], cores[ahead:]
    split = (len(rest) + 1) // 2
    elsewhere = " on other nodes" if away else ""
    why = (
        f"{len(cores)} cores{where}: arms {split}, database {len(rest) - split}, generator "
        f"{len(generator)}{elsewhere}"
    )
    return Placement(_cpus(generator), _cpus(rest[:split]), _cpus(rest[split:]), why)


def _cpus(cores: Sequence[Core]) -> tuple[int, ...]:
    return tuple(chain.from_iterable(core.cpus for core in cores))
