"""Pairs of whole simulated runs: `python -m benchmarks.between_runs.simulate --pairs 1000`."""

from __future__ import annotations

import argparse
import math
import multiprocessing
from dataclasses import dataclass, replace

import numpy as np

from loadtests.schedule import Limits, choose_sizes
from loadtests.spec import load_spec
from reports.compare.ratio import judged, ratio_of_ratios
from reports.comparisons import PRIMARY_LATENCY
from reports.model import CAPACITY
from reports.statistics import Estimate
from tests.support.simulated_plan import Primary, World, simulated_primaries

ROOMY = Limits(memory_mb=24_000, connections=None)
MARGIN_PCT = 5.0


@dataclass(frozen=True)
class Job:
    """One row: a profile measured twice, the candidate by so much better in the second run."""

    profile: str
    change_pct: float
    pairs: int


@dataclass
class Seen:
    """What became of the claims on one metric."""

    words: list[str]
    covered: list[bool]
    half_widths_pct: list[float]


def row(job: Job) -> str:
    """One row of the table."""
    spec = load_spec(job.profile, overrides=(), environ={})
    sizes = choose_sizes(spec, ROOMY)
    random = np.random.default_rng([sizes.instances, round(job.change_pct)])
    log_change = math.log1p(job.change_pct / 100.0)
    worlds = [World(), replace(World(), log_effect=log_change)]
    seen = {metric: Seen([], [], []) for metric in (CAPACITY, PRIMARY_LATENCY)}
    alarms = 0
    for _ in range(job.pairs):
        runs = [list(simulated_primaries(random, spec, sizes, world)) for world in worlds]
        words = [_tally(*pair, seen) for pair in zip(*runs, strict=True)]
        alarms += "changed" in words
    return _cells(job, seen, alarms / job.pairs)


def _tally(first: Primary, second: Primary, seen: dict[str, Seen]) -> str:
    assert isinstance(first.estimate, Estimate)
    assert isinstance(second.estimate, Estimate)
    found = ratio_of_ratios(first.estimate, second.estimate)
    word, _ = judged(found, alpha=first.alpha, equivalence_pct=MARGIN_PCT)
    own = seen[first.metric]
    own.words.append(word)
    own.covered.append(abs(found.log_ratio - second.truth + first.truth) <= found.half_width_log())
    own.half_widths_pct.append(100.0 * math.expm1(found.half_width_log(first.alpha)))
    return word


def _cells(job: Job, seen: dict[str, Seen], any_changed: float) -> str:
    error = math.sqrt(any_changed * (1 - any_changed) / job.pairs)
    cells = [f"`{job.profile}`", f"{job.change_pct:g}%", str(job.pairs)]
    for each in seen.values():
        changed = np.mean([word == "changed" for word in each.words])
        width = np.median(each.half_widths_pct)
        cells.append(f"{changed:.1%}, covers {np.mean(each.covered):.1%}, ±{width:.0f}%")
    return f"| {' | '.join(cells)} | {any_changed:.1%} ± {error:.1%} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    pairs = parser.parse_args().pairs
    print("| profile | true change | pairs | capacity changed | p95 changed | any of a pair |")
    print("|---|---|---|---|---|---|")
    jobs = [
        Job(profile, change_pct, pairs)
        for profile in ("quick", "standard")
        for change_pct in (0.0, 10.0, 20.0)
    ]
    with multiprocessing.Pool(2) as pool:
        for line in pool.imap(row, jobs):
            print(line, flush=True)


if __name__ == "__main__":
    main()
