"""Whole runs simulated as they are planned: every trial in its place on a recorded machine's clock.

The order of trials is that of `plan_round`, their times those of `schedule`; so trials near in time
are alike as they are in the recordings, and a block's arms as far apart as in a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loadtests.plan import plan_round
from loadtests.schedule import Sizes, round_shape, trial_seconds
from loadtests.spec import Spec
from reports.model import CAPACITY, PRIMARY_LATENCY
from reports.resolution import planned_primaries
from reports.statistics import (
    Doubt,
    Estimate,
    Latencies,
    adjusted_alpha,
    percentile_log_ratio,
    rate_log_ratio,
)
from tests.support.recorded_machine import COMPLETIONS, Machine, machine

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

USUAL_PER_S = 300.0
OPEN_PER_S = 150.0
REQUEST_SD = 0.5
"""Of the log latency of single requests: p95 is 2.3 times the median."""
ROUND_READ_OUT_S = 0.5


@dataclass(frozen=True)
class World:
    """What is true, and how restless the machine is."""

    log_effect: float = 0.0
    """Of the candidate: on capacity upwards, on latency downwards."""
    pair_sd: float | None = None
    """Of the log ratio of two trials of 1 s in a row; None: as recorded."""
    instance_sd: float = 0.05
    """Of the log ratio of two instances; own for every scenario."""
    stall_share: float = 0.0
    """Share of the candidate's trials that stand still for half of their window."""


@dataclass(frozen=True)
class Trials:
    """The paired trials of one scenario at one load, by block; times of baseline and candidate."""

    from_s: Floats
    """2 × blocks."""
    instance: Ints


@dataclass(frozen=True)
class Primary:
    """A primary comparison of a simulated run."""

    metric: str
    estimate: Estimate | Doubt
    truth: float
    alpha: float


def simulated_primaries(
    random: np.random.Generator,
    spec: Spec,
    sizes: Sizes,
    world: World,
    *,
    latency: bool = True,
    resamples: int = 200,
) -> Iterator[Primary]:
    """The primaries of one simulated run: capacity of every scenario, and p95 with `latency`."""
    name = str(random.choice(sorted(COMPLETIONS)))
    clock = machine(name, world.pair_sd, start_s=float(random.uniform(0, 150)))
    alpha = adjusted_alpha(planned_primaries(spec))
    planned = planned_trials(spec, sizes, int(random.integers(2**31)))
    for scenario, (closed, opened, *_) in zip(spec.scenario, planned, strict=True):
        window_s = spec.block_s_of(scenario)
        own = random.normal(0, world.instance_sd / np.sqrt(2), (2, sizes.instances))
        slow = trial_log_slowness(clock, closed, own, window_s)
        rates = USUAL_PER_S * np.exp(-slow)
        rates[1] *= np.exp(world.log_effect)
        rates[1] *= 1 - 0.5 * (random.random(rates.shape[1]) < world.stall_share)
        truth = world.log_effect + float(np.log(1 - 0.5 * world.stall_share))
        found = rate_log_ratio(rates[0], rates[1], closed.instance, window_s)
        yield Primary(CAPACITY, found, truth, alpha)
        if latency:
            slow = trial_log_slowness(clock, opened, own, window_s)
            slow[1] -= world.log_effect
            arms = _latencies(random, slow, opened.instance, round(OPEN_PER_S * window_s))
            estimate = percentile_log_ratio(*arms, 0.95, resamples=resamples)
            yield Primary(PRIMARY_LATENCY, estimate, -world.log_effect, alpha)


def planned_trials(spec: Spec, sizes: Sizes, seed: int) -> list[list[Trials]]:
    """Per scenario and load, the trials of a run of two arms, each at its planned time."""
    shape = round_shape(spec, sizes)
    numbers = {entry.name: number for number, entry in enumerate(spec.scenario)}
    rows: dict[tuple[int, str], list[tuple[float, float, int]]] = {}
    now_s = 0.0
    for number in range(sizes.rounds):
        for block in plan_round(shape, number, seed):
            scenario = spec.scenario[numbers[block.scenario]]
            length_s = trial_seconds(spec, scenario)
            first = block.arms[0] == spec.arm[0].name
            times = (now_s, now_s + length_s) if first else (now_s + length_s, now_s)
            key = (numbers[block.scenario], block.load.name)
            rows.setdefault(key, []).append((*times, block.instance))
            now_s += 2 * length_s
        now_s += ROUND_READ_OUT_S
    return [
        [_trials(rows[number, load.name]) for load in entry.loads]
        for number, entry in enumerate(shape.scenarios)
    ]


def _trials(rows: Sequence[tuple[float, float, int]]) -> Trials:
    table = np.array(rows)
    return Trials(table[:, :2].T, table[:, 2].astype(np.int64))


def trial_log_slowness(clock: Machine, trials: Trials, own: Floats, window_s: float) -> Floats:
    """2 × blocks: how slow the machine and the instance were in each trial."""
    return own[:, trials.instance] - clock.log_speed(trials.from_s, window_s)


def _latencies(
    random: np.random.Generator, log_slowness: Floats, instance: Ints, requests: int
) -> list[Latencies]:
    blocks = log_slowness.shape[1]
    noise = random.normal(0, REQUEST_SD, (2, blocks, requests))
    values = np.exp(log_slowness[..., None] + noise)
    block = np.repeat(np.arange(blocks), requests)
    return [Latencies(arm.ravel(), block, instance[block]) for arm in values]
