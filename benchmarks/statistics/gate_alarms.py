"""How often gates that judge beside noise fail a good run, and what they could have seen in it.

    .venv/bin/python -m benchmarks.statistics.gate_alarms [--runs 1500]

Whole runs of the profiles on recorded machines, in which nothing is wrong: see
`tests/support/simulated_gates.py`. Prints the table of docs/method.md. Seeds are fixed.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
from dataclasses import dataclass

import numpy as np

from benchmarks.sabotage.good_runs import most_likely_pct
from loadtests.schedule import Limits, choose_sizes
from loadtests.spec import load_spec
from reports.gates.noise import alpha_of_each
from reports.statistics import Estimate
from tests.support.simulated_gates import LIMITS_PCT, outcomes, simulated_changes
from tests.support.simulated_plan import World

ROOMY = Limits(memory_mb=24_000, connections=None)
MACHINES = {"quiet, 11%": 0.11, "as recorded": None, "noisy, 20%": 0.20}
HEAD = (
    "| profile | machine | runs | with a gate that failed | at most (95%) "
    "| trend, could have seen | carry-over | steady-state |\n|---|---|---|---|---|---|---|---|"
)


@dataclass(frozen=True)
class Job:
    """One row: a profile on a machine, so many runs."""

    profile: str
    machine: str
    runs: int


def row(job: Job) -> str:
    """Share of runs in which any gate failed; medians of what each gate could have seen."""
    spec = load_spec(job.profile, overrides=(), environ={})
    sizes = choose_sizes(spec, ROOMY)
    random = np.random.default_rng([sizes.instances, sizes.rounds])
    world = World(pair_sd=MACHINES[job.machine], instance_sd=0.05)
    alarms = 0
    seen_log: dict[str, list[float]] = {name: [] for name in LIMITS_PCT}
    for _ in range(job.runs):
        changes = list(simulated_changes(random, spec, sizes, world))
        alarms += any(ok is False for _, ok in outcomes(changes))
        for name, change in changes:
            if isinstance(change, Estimate):
                seen_log[name].append(change.half_width_log(alpha_of_each(len(changes))))
    most_pct = most_likely_pct(alarms, job.runs)
    could = [
        f"{math.expm1(float(np.median(seen_log[name]))):.0%}"
        for name in ("trend", "carry-over", "steady-state")
    ]
    cells = [f"`{job.profile}`", job.machine, f"{job.runs:,}", f"{alarms / job.runs:.2%}"]
    return "| " + " | ".join([*cells, f"{most_pct:.2f}%", *could]) + " |"


def main() -> None:
    """Print a row for each profile and machine."""
    parser = argparse.ArgumentParser(description="False alarms of gates on good runs.")
    parser.add_argument("--runs", type=int, default=1500, help="of quick; of standard a third")
    runs = parser.parse_args().runs
    jobs = [
        Job(profile, machine, count)
        for profile, count in (("quick", runs), ("standard", runs // 3))
        for machine in MACHINES
    ]
    print(HEAD, flush=True)
    with multiprocessing.Pool(2) as pool:
        for line in pool.imap(row, jobs):
            print(line, flush=True)


if __name__ == "__main__":
    main()
