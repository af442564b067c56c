"""PURE: spec and seed to the ordered blocks of trials of a run."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from loadtests.scenarios.model import Scenario
from loadtests.trials import ClosedLoad, Load, OpenLoad

T = TypeVar("T")
Visit = tuple[Load, int]
"""A load and the number of the instances it is put on."""


@dataclass(frozen=True, slots=True)
class ScenarioLoads:
    """A scenario with its arms and the loads it is measured at.

    Both are in order: the first arm is the baseline, the first load of a model is primary.
    """

    scenario: str
    loads: tuple[Load, ...]
    arms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One instance of each of a scenario's arms, one trial each, adjacent in time, same arrivals.

    `arms` is the order in which they are loaded; `seed` decides arrivals, requests and keys.
    """

    round: int
    block: int
    scenario: str
    load: Load
    instance: int
    seed: int
    arms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """The numbers a run counts on from: all 0 in a new one, none used twice in a resumed one."""

    round: int = 0
    block: int = 0
    trial: int = 0
    instance: int = 0


@dataclass(frozen=True, slots=True)
class RoundShape:
    """What one round passes over."""

    scenarios: tuple[ScenarioLoads, ...]
    instances: int
    pairs: int
    origin: Origin = Origin()

    @property
    def blocks(self) -> int:
        """Blocks in one round."""
        return self.instances * self.pairs * sum(len(entry.loads) for entry in self.scenarios)

    @property
    def trials(self) -> int:
        """Trials in one round."""
        trials = sum(len(entry.loads) * len(entry.arms) for entry in self.scenarios)
        return self.instances * self.pairs * trials


def derived_seed(*parts: int | str) -> int:
    """A 63-bit seed that depends on every part, the same on every machine and Python."""
    words = [part if isinstance(part, int) else zlib.crc32(part.encode()) for part in parts]
    return int(np.random.SeedSequence(words).generate_state(1, np.uint64)[0] >> 1)


def plan_round(shape: RoundShape, round_number: int, seed: int) -> list[Block]:
    """The blocks of one round, in the order in which they are run.

    Scenarios stay together (their tables are put back the same way), in random order; within a
    scenario loads and instances are in random order, so that drift of the machine falls on all
    alike. Which arm of a scenario goes first is balanced: as often one as the other, at random
    places.
    """
    random = np.random.default_rng(derived_seed(seed, "round", round_number))
    places = [
        (entry.scenario, load, instance, order)
        for entry in shuffled(shape.scenarios, random)
        for (load, instance), order in _ordered(_visits(entry, shape), entry.arms, random)
    ]
    first_block = shape.origin.block + (round_number - shape.origin.round) * shape.blocks
    return [
        Block(
            round=round_number,
            block=first_block + index,
            scenario=scenario,
            load=load,
            instance=instance,
            seed=derived_seed(seed, "block", round_number, first_block + index),
            arms=order,
        )
        for index, (scenario, load, instance, order) in enumerate(places)
    ]


def _visits(entry: ScenarioLoads, shape: RoundShape) -> list[Visit]:
    first = shape.origin.instance
    instances = range(first, first + shape.instances)
    return [(load, i) for load in entry.loads for i in instances for _ in range(shape.pairs)]


def _ordered(
    visits: Sequence[Visit], arms: Sequence[str], random: np.random.Generator
) -> list[tuple[Visit, tuple[str, ...]]]:
    """A scenario's visits in random order, each with the order in which its arms are loaded."""
    in_turn = shuffled(visits, random)
    return list(zip(in_turn, _balanced_orders(arms, len(in_turn), random), strict=True))


def _balanced_orders(
    arms: Sequence[str], count: int, random: np.random.Generator
) -> list[tuple[str, ...]]:
    """`count` orders in which every arm stands at every position equally often (±1)."""
    orders: list[tuple[str, ...]] = []
    while len(orders) < count:
        base = shuffled(arms, random)
        orders += [tuple(base[shift:] + base[:shift]) for shift in range(len(base))]
    return shuffled(orders[:count], random)


def shuffled(items: Sequence[T], random: np.random.Generator) -> list[T]:
    """The same items in random order."""
    return [items[int(index)] for index in random.permutation(len(items))]


def scenario_loads(
    scenario: Scenario, capacity_per_s: dict[str, float] | None
) -> tuple[Load, ...] | None:
    """The loads of one scenario; None while `auto` still needs the pilot's capacities."""
    load = scenario.load
    if load.model == "closed":
        return (ClosedLoad(load.users),)
    if load.model == "open":
        assert load.rate_per_s is not None  # checked when the spec was read
        return (OpenLoad(load.rate_per_s, load.arrivals),)
    if capacity_per_s is None:
        return None
    lower = min(capacity_per_s.values())
    rates = dict.fromkeys(round_rate(share * lower) for share in load.open_shares)
    return (ClosedLoad(load.users), *(OpenLoad(rate, load.arrivals) for rate in rates))


def load_count(scenario: Scenario) -> int:
    """How many loads a scenario will have, known before any pilot."""
    return 1 + len(scenario.load.open_shares) if scenario.load.model == "auto" else 1


def round_rate(rate_per_s: float, digits: int = 2) -> float:
    """To two (or so many) significant digits and at least 1/s, so that a journal reads well."""
    return max(1.0, float(f"{rate_per_s:.{digits}g}"))
