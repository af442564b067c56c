"""Whole simulated runs of the profiles: how often they decide, and how often falsely."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from multiprocessing.pool import Pool

import numpy as np

from loadtests.schedule import Limits, Sizes, choose_sizes
from loadtests.spec import Spec, load_spec
from reports.model import CAPACITY, PRIMARY_LATENCY
from reports.statistics import ALPHA, Estimate
from reports.verdicts import judge
from tests.support.simulated_plan import Primary, World, simulated_primaries

ROOMY = Limits(memory_mb=24_000, connections=None)
MARGIN_PCT = 5.0
EFFECT_PCT = {"quick": 15.0, "standard": 8.0}
QUIET, RECORDED, NOISY = 0.11, None, 0.20


@dataclass(frozen=True)
class Job:
    """One row: a plan in a world, so many times. `division`: instances, rounds and window."""

    profile: str
    world: World
    runs: int
    division: tuple[int, int, float] | None = None
    latency: bool = True

    def plan(self) -> tuple[Spec, Sizes]:
        """The profile as it plans itself, or divided otherwise."""
        window = [f"run.block_s={self.division[2]}"] if self.division else []
        spec = load_spec(self.profile, overrides=window, environ={})
        sizes = choose_sizes(spec, ROOMY)
        if self.division:
            sizes = replace(sizes, instances=self.division[0], rounds=self.division[1])
        return spec, sizes


@dataclass
class Counts:
    """What became of the primaries of one kind."""

    words: list[str]
    covered: list[bool]
    half_widths: list[float]

    def share(self, *words: str) -> float:
        """Share of comparisons with one of these verdicts."""
        return float(np.mean([word in words for word in self.words]))


def row(job: Job) -> str:
    """One row of the table of decisive runs."""
    spec, sizes = job.plan()
    random = np.random.default_rng(
        [sizes.instances, sizes.rounds, round(1e4 * job.world.log_effect)]
    )
    kinds = {name: Counts([], [], []) for name in (CAPACITY, PRIMARY_LATENCY)}
    all_found, alarms = 0, 0
    for _ in range(job.runs):
        primaries = list(simulated_primaries(random, spec, sizes, job.world, latency=job.latency))
        words = [_tally(each, kinds[each.metric]) for each in primaries]
        capacity = [w for w, p in zip(words, primaries, strict=True) if p.metric == CAPACITY]
        all_found += all(word == "faster" for word in capacity)
        alarms += any(_is_false(w, job.world.log_effect) for w in words)
    return _cells(job, spec, sizes, kinds, all_found / job.runs, alarms / job.runs)


def _tally(primary: Primary, counts: Counts) -> str:
    assert isinstance(primary.estimate, Estimate)
    word = judge(
        primary.metric, primary.estimate, alpha=primary.alpha, equivalence_pct=MARGIN_PCT
    ).word
    off = abs(primary.estimate.log_ratio - primary.truth)
    counts.words.append(word)
    counts.covered.append(off <= primary.estimate.half_width_log(ALPHA))
    counts.half_widths.append(primary.estimate.half_width_log(primary.alpha))
    return word


def _is_false(word: str, log_effect: float) -> bool:
    return word == "slower" or (word == "faster" and log_effect == 0.0)


def _cells(
    job: Job, spec: Spec, sizes: Sizes, kinds: dict[str, Counts], all_found: float, alarms: float
) -> str:
    world, capacity, p95 = job.world, kinds[CAPACITY], kinds[PRIMARY_LATENCY]
    noise = "recorded" if world.pair_sd is None else f"{world.pair_sd:.0%}"
    noise += " + stalls" if world.stall_share else ""
    cells = [
        job.profile,
        f"{sizes.instances} × {sizes.rounds} × {spec.run.block_s:g} s",
        noise,
        f"{world.instance_sd:.0%}",
        f"{math.expm1(world.log_effect):.0%}",
        f"{np.median(capacity.half_widths):.1%}",
        f"{capacity.share('faster'):.1%}",
        f"{all_found:.1%}",
        f"{p95.share('faster'):.1%}" if p95.words else "",
        f"{alarms:.1%} ± {math.sqrt(alarms * (1 - alarms) / job.runs):.1%}",
        f"{np.mean(capacity.covered):.1%}",
        f"{np.mean(p95.covered):.1%}" if p95.words else "",
    ]
    return "| " + " | ".join(cells) + " |"


HEAD = (
    "| profile | instances × rounds × window | sd of a block | sd of instances | true change "
    "| half-width, adjusted | capacity found | all capacities found | p95 found "
    "| runs with a false verdict | capacity covered, 95% | p95 covered, 95% |"
)


def decisive_table(pool: Pool, repetitions: int) -> None:
    """What the profiles find and how often they are wrong, on machines of three kinds."""
    jobs = [
        Job(profile, World(math.log1p(effect / 100), pair_sd, instance_sd), runs)
        for profile, effect_pct in EFFECT_PCT.items()
        for effect, runs in ((0.0, 2 * repetitions), (effect_pct, repetitions))
        for pair_sd in (QUIET, RECORDED, NOISY)
        for instance_sd in (0.04, 0.06)
    ]
    _print(pool, f"Whole runs, {repetitions} (no change: {2 * repetitions}) each", jobs)


def stalls_table(pool: Pool, repetitions: int) -> None:
    """The same where one trial in 30 of the candidate stands still for half its window."""
    jobs = [
        Job("quick", World(0.0, pair_sd, 0.05, stall_share=1 / 30), repetitions)
        for pair_sd in (QUIET, RECORDED)
    ]
    _print(pool, f"One trial in 30 of one arm half lost, {repetitions} runs each", jobs)


DIVISIONS = {
    "quick": [
        (6, 4, 1.0), (12, 2, 1.0), (25, 1, 1.0), (16, 2, 0.75), (32, 1, 0.75), (21, 2, 0.5),
    ],
    "standard": [
        (12, 5, 1.0), (22, 3, 1.0), (34, 2, 1.0), (14, 6, 0.75), (21, 4, 0.75), (28, 3, 0.75),
        (43, 2, 0.75),
    ],
}  # fmt: skip
"""Ways to spend the same measuring time."""


def division_table(pool: Pool, repetitions: int) -> None:
    """The same budget divided otherwise."""
    jobs = [
        Job(profile, World(math.log1p(EFFECT_PCT[profile] / 100), pair_sd, 0.06), repetitions, each)
        for profile, divisions in DIVISIONS.items()
        for pair_sd in (QUIET, RECORDED)
        for each in divisions
    ]
    _print(pool, f"The same budget divided otherwise, {repetitions} runs each", jobs)


def _print(pool: Pool, title: str, jobs: list[Job]) -> None:
    print(f"\n## {title}\n\n{HEAD}\n|" + "---|" * 12)
    for line in pool.imap(row, jobs):
        print(line, flush=True)
