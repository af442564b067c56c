"""Simulated runs before `bench gate`: how often they pass, fail and cannot tell.

    .venv/bin/python -m benchmarks.statistics.gate_rates [--runs N]

Prints a Markdown table (kept in results.md beside this file). Seeds are fixed.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.statistics.whole_runs import NOISY, QUIET, RECORDED, ROOMY
from loadtests.schedule import choose_sizes
from loadtests.spec import Spec, load_spec
from reports.slowdown.decide import against, slowdown_interval
from reports.slowdown.model import Decision, Judged, Outcome, Planned
from reports.statistics import Estimate
from tests.support.documents import block
from tests.support.simulated_plan import Primary, World, simulated_primaries

LIMITS_PCT = (5.0, 10.0, 15.0)
INSTANCE_SD = 0.05
EXAMPLE = "continuous-integration.md"


@dataclass(frozen=True)
class Job:
    """A profile, or the example of the documentation, on a machine, with a candidate whose p95 is
    longer by `slowdown_pct` (and whose capacity is as much smaller)."""

    name: str
    pair_sd: float | None
    slowdown_pct: float
    runs: int

    def spec(self) -> Spec:
        """What is planned."""
        if self.name != EXAMPLE:
            return load_spec(self.name, environ={})
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "gate.toml"
            path.write_text(block(EXAMPLE, "toml"), encoding="utf-8")
            return load_spec(str(path), environ={})


def row(job: Job) -> str:
    """One row: outcomes at each limit."""
    spec = job.spec()
    sizes = choose_sizes(spec, ROOMY)
    world = World(-math.log1p(job.slowdown_pct / 100.0), job.pair_sd, INSTANCE_SD)
    random = np.random.default_rng([sizes.instances, sizes.rounds, round(10 * job.slowdown_pct)])
    seen: dict[float, Counter[Outcome]] = {limit: Counter() for limit in LIMITS_PCT}
    for _ in range(job.runs):
        primaries = list(simulated_primaries(random, spec, sizes, world))
        for limit, counts in seen.items():
            counts[_outcome(primaries, limit)] += 1
    noise = "recorded" if job.pair_sd is None else f"{job.pair_sd:.0%}"
    cells = [
        "the example" if job.name == EXAMPLE else job.name,
        f"{spec.run.budget_s:g} s, {sizes.instances} × {sizes.rounds}",
        str(2 * len(spec.scenario)),
        noise,
        f"{job.slowdown_pct:g}%",
        *(_shares(counts, job.runs) for counts in seen.values()),
    ]
    return f"| {' | '.join(cells)} |"


def _shares(counts: Counter[Outcome], runs: int) -> str:
    said: tuple[Outcome, ...] = ("passed", "not enough data", "failed")
    shares = " / ".join(f"{100 * counts[each] / runs:.1f}" for each in said)
    return f"{shares} ± {max(standard_error_pct(counts[each], runs) for each in said):.1f}"


def standard_error_pct(count: int, runs: int) -> float:
    """Of a share of simulated runs, estimated as (k + 1)/(n + 2), the mean of what a count leaves
    possible if nothing was known before (Laplace), so that it is not 0 where k is 0 or n."""
    share = (count + 1) / (runs + 2)
    return 100 * math.sqrt(share * (1 - share) / (runs + 2))


def _outcome(primaries: list[Primary], limit_pct: float) -> Outcome:
    judged = tuple(_judged(each, limit_pct) for each in primaries)
    return Decision("simulated", "complete", limit_pct, judged).outcome


def _judged(primary: Primary, limit_pct: float) -> Judged:
    assert isinstance(primary.estimate, Estimate)
    interval = slowdown_interval(primary.metric, primary.estimate.interval_pct(primary.alpha))
    planned = Planned("", primary.metric, "base", "head")
    outcome = against(limit_pct, interval)
    return Judged(planned, None, None, None, None, None, interval, outcome)


def jobs(runs: int) -> Iterator[Job]:
    """Plans on three kinds of machine: nothing changed, p95 at the limit of 10%, twice as far."""
    for name in (EXAMPLE, "quick"):
        for pair_sd in (QUIET, RECORDED, NOISY):
            for slowdown_pct in (0.0, 10.0, 20.0):
                yield Job(name, pair_sd, slowdown_pct, runs)


def main() -> None:
    """Run all rows and print them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    runs = parser.parse_args().runs
    limits = " | ".join(f"limit {limit:g}%" for limit in LIMITS_PCT)
    print(
        f"## The gate on simulated runs, {runs} each: passed / cannot tell / failed, "
        "in percent ± the largest standard error of the three\n"
    )
    print(
        f"| plan | budget, instances × rounds | comparisons | machine | p95 slower by | {limits} |"
    )
    print("|" + "---|" * 8)
    with multiprocessing.Pool() as pool:
        for line in pool.imap(row, jobs(runs)):
            print(line, flush=True)


if __name__ == "__main__":
    main()
