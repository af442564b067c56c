"""What the gates that judge beside noise see of simulated whole runs in which nothing is wrong.

Every trial has its planned place on a recorded machine's clock; see `simulated_plan`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from loadtests.schedule import Sizes
from loadtests.spec import Spec
from reports.gates.noise import alpha_of_each, difference, judged
from reports.gates.stability import CARRY_OVER_LIMIT_PCT, DRIFT_LIMIT_PCT, TREND_LIMIT_PCT
from reports.statistics import Doubt, Estimate, rate_log_ratio, t_estimate
from tests.support.recorded_machine import COMPLETIONS, Machine, machine
from tests.support.simulated_plan import (
    OPEN_PER_S,
    REQUEST_SD,
    USUAL_PER_S,
    Floats,
    Trials,
    World,
    planned_trials,
    trial_log_slowness,
)

LIMITS_PCT = {
    "steady-state": DRIFT_LIMIT_PCT,
    "trend": TREND_LIMIT_PCT,
    "carry-over": CARRY_OVER_LIMIT_PCT,
}
MEDIAN_SD = 1.2533
"""A sample median's standard error in units of a mean's (normal logs)."""

Seen = tuple[str, Estimate | Doubt]
"""A gate's name and the change that it judges."""


def simulated_changes(
    random: np.random.Generator, spec: Spec, sizes: Sizes, world: World
) -> Iterator[Seen]:
    """What each gate of one run has to judge; all of it noise."""
    clock = machine(
        str(random.choice(sorted(COMPLETIONS))),
        world.pair_sd,
        start_s=float(random.uniform(0, 150)),
    )
    planned = planned_trials(spec, sizes, int(random.integers(2**31)))
    for scenario, loads in zip(spec.scenario, planned, strict=True):
        own = random.normal(0, world.instance_sd / np.sqrt(2), (2, sizes.instances))
        for number, trials in enumerate(loads):
            window_s = spec.block_s_of(scenario)
            sampling_sd = 0.0 if number == 0 else _median_sd(window_s)
            yield from _between_arms(random, clock, trials, own, window_s, sampling_sd)
            yield from _within_trials(random, clock, trials, window_s, closed=number == 0)


def _between_arms(
    random: np.random.Generator,
    clock: Machine,
    trials: Trials,
    own: Floats,
    window_s: float,
    sampling_sd: float,
) -> Iterator[Seen]:
    slow = trial_log_slowness(clock, trials, own, window_s)
    ratios = (slow[1] - slow[0]) + random.normal(0, np.sqrt(2) * sampling_sd, slow.shape[1])
    half = len(ratios) // 2
    yield "trend", difference(ratios[half:], ratios[:half])
    first = trials.from_s[1] < trials.from_s[0]
    yield "carry-over", difference(ratios[first], ratios[~first])


def _within_trials(
    random: np.random.Generator, clock: Machine, trials: Trials, window_s: float, *, closed: bool
) -> Iterator[Seen]:
    half_s = window_s / 2
    for from_s in trials.from_s:
        early, late = (clock.log_speed(from_s + shift_s, half_s) for shift_s in (0.0, half_s))
        if closed:
            rates = (USUAL_PER_S * np.exp(each) for each in (early, late))
            yield "steady-state", rate_log_ratio(*rates, np.arange(len(early)))
        else:
            noise = random.normal(0, np.sqrt(2) * _median_sd(half_s), len(early))
            yield "steady-state", t_estimate(early - late + noise)


def _median_sd(window_s: float) -> float:
    """Of the log of the median response time of an open load's requests in a window."""
    return float(MEDIAN_SD * REQUEST_SD / np.sqrt(OPEN_PER_S * window_s))


def outcomes(seen: list[Seen]) -> list[tuple[str, bool | None]]:
    """How each gate of one run is judged, at the level that the run's number of tests leaves."""
    alpha = alpha_of_each(len(seen))
    return [(name, judged(change, alpha, LIMITS_PCT[name], "{}", "")[0]) for name, change in seen]
