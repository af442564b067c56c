"""PURE: how many generator processes a run needs, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator

from loadtests.spec import Spec

OPEN_PER_PROCESS_PER_S = 9_000.0
"""Measured (benchmarks/generator): the highest open rate that one process sends on time, with a
send lag of at most 0.5 ms at p99, at 74% of its core."""
CLOSED_PER_PROCESS_PER_S = 18_000.0
"""Measured (the same): 23,000/s at 100% of a core; the gate `generator-cpu` allows 80%."""
MOST_PER_WORKER_PER_S = 9_000.0
"""What one worker of a Python service answers at most (FastAPI without any database: 8,900/s)."""
CORES_PER_PROCESS = 4
"""The generator never takes more than a quarter of the cores from what is measured."""


def choose_generators(spec: Spec, cores: int) -> int:
    """The number that the spec gives; else as many as the largest load may need, as far as `cores`
    allow: one for every four of them, and one at least."""
    if spec.run.generators != "auto":
        return spec.run.generators
    needed = max(map(math.ceil, _needs(spec)), default=1)
    return max(1, min(needed, cores // CORES_PER_PROCESS))


def _needs(spec: Spec) -> Iterator[float]:
    """Processes that each scenario may keep busy, in fractions."""
    for scenario in spec.scenario:
        if scenario.locustfile is not None:
            yield 1.0  # its users are never shared out: other processes would stand idle
        elif scenario.load.rate_per_s is not None:
            yield scenario.load.rate_per_s / OPEN_PER_PROCESS_PER_S
        else:
            workers = max(arm.workers for arm in spec.arms_of(scenario))
            yield workers * MOST_PER_WORKER_PER_S / CLOSED_PER_PROCESS_PER_S
