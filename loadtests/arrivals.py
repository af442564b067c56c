"""PURE: when requests are due, which request each one is, and which key it carries."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from loadtests.scenarios.model import Keys, Request
from loadtests.trials import Int64Array

FloatArray = npt.NDArray[np.float64]
NS_PER_S = 1_000_000_000
NO_KEY = -1
"""Stands for "this request carries no key" in arrays; real keys are never negative."""
MOST_UNIQUE_KEYS = 1_000_000
"""Unique keys prepared per trial: more than a trial of ours ever sends."""


@dataclass(frozen=True, slots=True)
class Window:
    """When a trial begins, when its steady part begins and when the last request may begin."""

    start_ns: int
    steady_start_ns: int
    steady_end_ns: int

    @classmethod
    def beginning(cls, start_ns: int, lead_in_s: float, steady_s: float) -> Window:
        """The window that begins at `start_ns`."""
        steady_start_ns = start_ns + round(lead_in_s * NS_PER_S)
        return cls(start_ns, steady_start_ns, steady_start_ns + round(steady_s * NS_PER_S))


_ARRIVALS, _CHOICE, _SECOND_CHOICE, _FIRST_REQUEST = range(4)
"""Independent random streams drawn from one seed, so that none shifts when another grows."""


def _stream(seed: int, *which: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=which))


def plan_arrivals(
    rate_per_s: float, duration_s: float, kind: Literal["poisson", "uniform"], seed: int
) -> Int64Array:
    """Planned send instants in ns from the trial's start, rising, all below `duration_s`.

    `poisson`: gaps are independent exponentials of mean `1 / rate_per_s`, which makes the arrivals
    a Poisson process (Ross, Introduction to Probability Models, "The Poisson Process"); its count
    varies from seed to seed with standard deviation `sqrt(rate × duration)`. `uniform`: equal gaps,
    the first one half a gap after the start.
    """
    if kind == "uniform":
        count = max(0, math.ceil(rate_per_s * duration_s - 0.5))
        offsets_s = (np.arange(count) + 0.5) / rate_per_s
    else:
        offsets_s = _poisson(rate_per_s, duration_s, _stream(seed, _ARRIVALS))
    due_ns = (offsets_s * NS_PER_S).astype(np.int64)
    return due_ns[due_ns < round(duration_s * NS_PER_S)]


def _poisson(rate_per_s: float, duration_s: float, random: np.random.Generator) -> FloatArray:
    expected = rate_per_s * duration_s
    enough = int(expected + 6 * math.sqrt(expected) + 10)
    offsets_s = np.cumsum(random.exponential(1 / rate_per_s, enough))
    while offsets_s[-1] < duration_s:
        more_s = np.cumsum(random.exponential(1 / rate_per_s, enough)) + offsets_s[-1]
        offsets_s = np.concatenate([offsets_s, more_s])
    return offsets_s


@dataclass(frozen=True, slots=True)
class Draw:
    """Some requests in the order in which they are sent: index into the scenario's, and key."""

    which: Int64Array
    keys: Int64Array


class RequestStream:
    """The sequence of requests and keys that one seed stands for.

    However it is cut into draws, the same seed gives the same sequence, so that all arms of a block
    are asked the same. Once a request has used up its `unique` keys, its share falls to requests
    whose keys cannot run out; where there are none, the stream ends.
    """

    def __init__(self, requests: Sequence[Request], seed: int) -> None:
        self._choice = _stream(seed, _CHOICE)
        self._second_choice = _stream(seed, _SECOND_CHOICE)
        self._sources = [
            _source(request.keys, _stream(seed, _FIRST_REQUEST, position))
            for position, request in enumerate(requests)
        ]
        self._weights = np.array([request.weight for request in requests], dtype=np.float64)
        endless = [not isinstance(source, _UniqueKey) for source in self._sources]
        self._endless_weights = np.where(endless, self._weights, 0.0)
        self._ended = False

    def draw(self, count: int) -> Draw:
        """The next `count` requests; fewer when the stream has ended."""
        which = _chosen(self._weights, self._choice.random(count))
        which = self._without_exhausted(which, self._second_choice.random(count))
        keys = np.full(len(which), NO_KEY, dtype=np.int64)
        for position, source in enumerate(self._sources):
            places = np.flatnonzero(which == position)
            if source is not None and len(places):
                keys[places] = source.take(len(places))
        return Draw(which, keys)

    def _without_exhausted(self, which: Int64Array, second_points: FloatArray) -> Int64Array:
        """Replace choices that have no key left; cut off at the first that cannot be replaced."""
        surplus = self._places_without_key(which)
        if self._endless_weights.any():
            which[surplus] = _chosen(self._endless_weights, second_points[surplus])
            return which
        end = 0 if self._ended else min(surplus, default=len(which))
        self._ended = end < len(which)
        return which[:end]

    def _places_without_key(self, which: Int64Array) -> Int64Array:
        places = [
            np.flatnonzero(which == position)[source.left :]
            for position, source in enumerate(self._sources)
            if isinstance(source, _UniqueKey)
        ]
        return np.concatenate([np.empty(0, dtype=np.int64), *places])


def _chosen(weights: FloatArray, points: FloatArray) -> Int64Array:
    """An index for each point of [0, 1), with probability proportional to the index's weight."""
    cumulative = np.cumsum(weights)
    found = np.searchsorted(cumulative, points * cumulative[-1], side="right")
    return np.asarray(np.minimum(found, np.flatnonzero(weights)[-1]), dtype=np.int64)


def _source(keys: Keys | None, random: np.random.Generator) -> _AnyKey | _UniqueKey | None:
    if keys is None:
        return None
    return _UniqueKey(keys, random) if keys.unique else _AnyKey(keys, random)


class _AnyKey:
    """Keys drawn with replacement, all equally likely."""

    def __init__(self, keys: Keys, random: np.random.Generator) -> None:
        self._keys, self._random = keys, random

    def take(self, count: int) -> Int64Array:
        first, last = self._keys.first, self._keys.last
        drawn = self._random.integers(first, last, count, dtype=np.int64, endpoint=True)
        return np.asarray(drawn, dtype=np.int64)


class _UniqueKey:
    """Keys drawn without replacement."""

    def __init__(self, keys: Keys, random: np.random.Generator) -> None:
        size = keys.last - keys.first + 1
        self._pool = keys.first + random.choice(size, min(size, MOST_UNIQUE_KEYS), replace=False)
        self._used = 0

    @property
    def left(self) -> int:
        return len(self._pool) - self._used

    def take(self, count: int) -> Int64Array:
        taken = self._pool[self._used : self._used + count]
        self._used += count
        return np.asarray(taken, dtype=np.int64)
