"""PURE: what a known-answer server does, and the service time and fate it has for each key."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

import numpy as np

from loadtests.trials import Int64Array

NS_PER_S = 1_000_000_000
KEYS = 40_000
"""Keys of a known-answer trial are 0 … KEYS − 1, each asked for once."""
_SERVICE, _FATE = range(2)
"""Independent random streams of one seed."""


class Fate(IntEnum):
    """What becomes of a request."""

    ANSWERED = 0
    FAILED = 1
    """Answered with status 500."""
    NEVER_ANSWERED = 2
    DROPPED = 3
    """The connection is closed instead of an answer."""


@dataclass(frozen=True, slots=True)
class Service:
    """How long an answer takes: always `mean_s`; or exponential about it; or bimodal, where a share
    `slow_share` takes `slow_s` and the others `mean_s`."""

    kind: Literal["constant", "exponential", "bimodal"]
    mean_s: float
    slow_s: float = 0.0
    slow_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Stall:
    """Nothing is read or written for `for_s` seconds, `after_s` after the first request."""

    after_s: float
    for_s: float


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A known-answer server for one trial."""

    service: Service
    one_at_a_time: bool = False
    """First come, first served by one server; else every request is served at once."""
    stall: Stall | None = None
    failed_share: float = 0.0
    unanswered_share: float = 0.0
    dropped_share: float = 0.0
    hangs_up: Literal["never", "announced", "unannounced"] = "never"
    """After each answer: keep the connection, or close it with or without saying so."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """Service time and fate of each key."""

    service_ns: Int64Array
    fate: Int64Array


def draw(behaviour: Behaviour, seed: int, keys: int = KEYS) -> Drawn:
    """What a server with this behaviour does with each key; same seed, same answer.

    Server and judge both call this: neither has to believe the other.
    """
    return Drawn(_service_ns(behaviour.service, seed, keys), _fates(behaviour, seed, keys))


def _service_ns(service: Service, seed: int, keys: int) -> Int64Array:
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SERVICE,)))
    seconds = np.full(keys, service.mean_s)
    if service.kind == "exponential":
        seconds = random.exponential(service.mean_s, keys)
    elif service.kind == "bimodal":
        seconds = np.where(random.random(keys) < service.slow_share, service.slow_s, seconds)
    return (seconds * NS_PER_S).astype(np.int64)


def _fates(behaviour: Behaviour, seed: int, keys: int) -> Int64Array:
    random = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_FATE,)))
    shares = (behaviour.failed_share, behaviour.unanswered_share, behaviour.dropped_share)
    bounds = np.cumsum(shares)
    fate = np.searchsorted(bounds, random.random(keys), side="right") + 1
    return np.where(fate > len(shares), int(Fate.ANSWERED), fate).astype(np.int64)
