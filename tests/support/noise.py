"""Simulated measurements whose noise has the shape that was recorded on a real machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reports.statistics import Latencies
from tests.support.recorded_machine import COMPLETIONS, per_second

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Shape = Literal["lognormal", "stalls", "queue", "slow-trials"]


@dataclass(frozen=True)
class Design:
    """How a simulated run is laid out; `instance_sd` is of the log ratio of a pair."""

    instances: int = 12
    rounds: int = 2
    requests: int = 200
    """Per trial."""
    instance_sd: float = 0.05
    block_sd: float | None = None
    """Of the log ratio of a block; None: adjacent seconds of the recordings."""
    drift_sd: float = 0.2
    """Shared by the arms of a block; only with a `block_sd`."""

    @property
    def blocks(self) -> int:
        return self.instances * self.rounds


def log_slowness(random: np.random.Generator, design: Design) -> Floats:
    """Log slowness of each trial: arms × instances × rounds."""
    shape = (2, design.instances, design.rounds)
    own = random.normal(0, design.instance_sd / np.sqrt(2), (2, design.instances, 1))
    return own + (
        _recorded(random, design.blocks).reshape(shape)
        if design.block_sd is None
        else random.normal(0, design.block_sd / np.sqrt(2), shape)
        + random.normal(0, design.drift_sd, (1, *shape[1:]))
    )


def _recorded(random: np.random.Generator, blocks: int) -> Floats:
    """Two adjacent seconds of a recording per block, in random order."""
    rates = np.log(per_second(str(random.choice(sorted(COMPLETIONS)))))
    start = random.integers(0, len(rates) - 1, blocks)
    swapped = random.integers(0, 2, blocks)
    return -np.stack([rates[start + swapped], rates[start + 1 - swapped]]) + float(rates.mean())


def capacities(
    random: np.random.Generator, design: Design, log_effect: float
) -> tuple[Floats, Floats, Ints]:
    """Good completions per second of baseline and candidate per block, and the block's pair."""
    rates = 300.0 * np.exp(-log_slowness(random, design))
    pair = np.repeat(np.arange(design.instances), design.rounds)
    return rates[0].ravel(), rates[1].ravel() * float(np.exp(log_effect)), pair


def latencies(
    random: np.random.Generator, design: Design, shape: Shape, log_effect: float
) -> tuple[Latencies, Latencies]:
    """Latencies of baseline and candidate; the candidate's are longer by `log_effect`."""
    slowness = np.exp(log_slowness(random, design))[..., None]
    values = _SHAPES[shape](random, slowness, design.requests)
    values[1] *= np.exp(log_effect)
    block = np.repeat(np.arange(design.blocks), design.requests)
    pair = block // design.rounds
    baseline, candidate = (Latencies(arm.ravel(), block, pair) for arm in values)
    return baseline, candidate


def _lognormal(random: np.random.Generator, slowness: Floats, requests: int) -> Any:
    return slowness * np.exp(random.normal(0, 0.5, (*slowness.shape[:3], requests)))


def _stalls(random: np.random.Generator, slowness: Floats, requests: int) -> Any:
    """In one trial of five the server stands still for 20 median latencies or so."""
    shape = slowness.shape
    values = _lognormal(random, slowness, requests)
    length = random.exponential(20.0, shape) * (random.random(shape) < 0.2)
    since = random.random(values.shape) * 1000.0 - random.random(shape) * 1000.0
    return values + np.where((since > 0) & (since < length), length - since, 0.0)


def _queue(random: np.random.Generator, slowness: Floats, requests: int) -> Any:
    """One server, half busy at usual speed, same Poisson arrivals for both arms of a block."""
    service = slowness * np.exp(random.normal(0, 0.3, (*slowness.shape[:3], requests)))
    gaps = random.exponential(2.0, (1, *service.shape[1:]))
    wait = np.zeros_like(service)
    for i in range(1, requests):
        wait[..., i] = np.maximum(0, wait[..., i - 1] + service[..., i - 1] - gaps[..., i])
    return wait + service


def _slow_trials(random: np.random.Generator, slowness: Floats, requests: int) -> Any:
    """One trial of ten is three times slower from end to end, for one arm alone."""
    slow = np.where(random.random(slowness.shape) < 0.1, 3.0, 1.0)
    return _lognormal(random, slowness * slow, requests)


_SHAPES = {
    "lognormal": _lognormal,
    "stalls": _stalls,
    "queue": _queue,
    "slow-trials": _slow_trials,
}
