"""Measures the search for a setting, and the intervals of its answer, on simulated services.

    .venv/bin/python -m benchmarks.tuning.simulate [--surfaces N] [--repetitions N]

Prints Markdown tables (kept in results.md beside this file). Seeds are fixed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loadtests.tuning.setting import Setting
from reports.statistics import Doubt, Estimate
from reports.tuning.knee import Bound, Scored, knee_log_ratio_bound
from tests.support.tuning_surfaces import (
    OBJECTIVE,
    Chosen,
    Machine,
    Surface,
    drawn,
    gridded,
    gridded_from_a_pilot,
    random_surface,
    searched,
)

ONE, OTHER = Setting(10), Setting(20)
CONFIRM_SHARES = (0.6, 0.8, 0.9, 1.0, 1.1)
NOISES = {
    "quiet": (0.02, 0.02, 0.03),
    "usual": (0.05, 0.02, 0.03),
    "wild": (0.10, 0.05, 0.05),
}
"""Standard deviations of a block's, an instance's and a trial's log knee."""


def speed_table(surfaces: int) -> Iterator[str]:
    """The search beside three grids and two random searches: regret and trials."""
    found: dict[str, list[tuple[float, int]]] = {}
    for seed in range(surfaces):
        surface = random_surface(np.random.default_rng([seed, 0]))
        for name, chosen in _methods(surface, seed).items():
            found.setdefault(name, []).append((chosen.regret(surface), chosen.trials))
    yield "| method | trials, mean | of the grid's | mean regret | median | p90 | within 3% |"
    yield "|---|---|---|---|---|---|---|"
    grid = float(np.mean([trials for _, trials in found["grid"]]))
    for name, outcomes in found.items():
        regrets, trials = (np.array(each) for each in zip(*outcomes, strict=True))
        yield (
            f"| {name} | {np.mean(trials):.0f} | {100 * np.mean(trials) / grid:.0f}% "
            f"| {100 * np.mean(regrets):.1f}% | {100 * np.median(regrets):.1f}% "
            f"| {100 * np.percentile(regrets, 90):.1f}% | {100 * np.mean(regrets <= 0.03):.0f}% |"
        )


def _methods(surface: Surface, seed: int) -> Mapping[str, Chosen]:
    search = searched(surface, seed)
    return {
        "search": search,
        "grid": gridded(surface, seed),
        "grid, every load once": gridded(surface, seed, 1),
        "grid from a pilot, once": gridded_from_a_pilot(surface, seed),
        "random, every load once": drawn(surface, seed, search.trials, 1),
        "random, as the grid": drawn(surface, seed, search.trials, 3),
    }


def coverage_table(repetitions: int) -> Iterator[str]:
    """How often the interval of a ratio of two knees covers the truth, and how wide it is."""
    yield "| machine | true ratio | instances | covers | half-width, median | sd of the estimate |"
    yield "|---|---|---|---|---|---|"
    for machine, noise in NOISES.items():
        for ratio in (1.0, 1.2):
            for instances in (3, 4, 5, 8):
                outcomes = list(_ratios(noise, ratio, instances, repetitions))
                yield f"| {machine} | {ratio:g} | {instances} | {_summary(outcomes, ratio)} |"


def _summary(outcomes: Sequence[tuple[Estimate | Doubt, Bound | None]], ratio: float) -> str:
    known = [(each, bound) for each, bound in outcomes if isinstance(each, Estimate)]
    covered = [_covers(each, bound, math.log(ratio)) for each, bound in known]
    widths = [100 * math.expm1(each.half_width_log()) for each, _ in known]
    spread = float(np.std([each.log_ratio for each, _ in known]))
    return f"{100 * np.mean(covered):.1f}% | {np.median(widths):.1f}% | {100 * spread:.1f}%"


def _covers(found: Estimate, bound: Bound | None, truth: float) -> bool:
    half = found.half_width_log()
    low = bound == "less than" or found.log_ratio - half <= truth
    return low and (bound == "more than" or truth <= found.log_ratio + half)


def _ratios(
    noise: tuple[float, float, float], ratio: float, instances: int, repetitions: int
) -> Iterator[tuple[Estimate | Doubt, Bound | None]]:
    random = np.random.default_rng([instances, round(10 * ratio)])
    for _ in range(repetitions):
        machine = Machine(_Two(400.0, 10.0, 20.0, 0.0, ratio=ratio), random, *noise)
        trials: dict[Setting, list[Scored]] = {ONE: [], OTHER: []}
        for instance in range(instances):
            for share in CONFIRM_SHARES:
                scores = machine.block((ONE, OTHER), share * 400.0 * ratio, instance)
                for setting, score in scores.items():
                    trials[setting].append(Scored(instance, score))
        yield knee_log_ratio_bound(trials[ONE], trials[OTHER], OBJECTIVE)


@dataclass(frozen=True)
class _Two(Surface):
    """Two settings whose knees are known: 400/s, and that times a ratio."""

    ratio: float = 1.0

    def knee_per_s(self, setting: Setting) -> float:
        """The true knee."""
        return 400.0 if setting == ONE else 400.0 * self.ratio


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--surfaces", type=int, default=300)
    parser.add_argument("--repetitions", type=int, default=500)
    options = parser.parse_args()
    for table in (speed_table(options.surfaces), coverage_table(options.repetitions)):
        for line in table:
            print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
