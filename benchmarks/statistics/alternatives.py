"""What was tried instead, on the recordings: other windows, other estimators, other freedom."""

from __future__ import annotations

import math
from multiprocessing.pool import Pool

import numpy as np
from scipy import stats

from reports.statistics import ALPHA, Estimate, Floats, degrees_of_freedom, rate_log_ratio
from tests.support.noise import Design, capacities
from tests.support.recorded_machine import COMPLETIONS, SETTLED_GAP_S, Machine, machine

WALL_S = 120.0
TRIALS = 48
WINDOW_S = 0.75
TRIMMED_EACH_SIDE = 3


def window_table(_pool: Pool, _repetitions: int) -> None:
    """The noise of a pair of windows, and what 120 s of wall time make of it."""
    print("\n## Length of the window: sd of a pair's log ratio, and standard error after 120 s\n")
    print("| window | " + " | ".join(f"{name}: pair, 120 s" for name in sorted(COMPLETIONS)) + " |")
    print("|---|---|---|")
    for window_s in (0.3, 0.5, 0.75, 1.0, 1.5, 2.0):
        pairs = WALL_S / (2 * (window_s + SETTLED_GAP_S))
        sds = [machine(name).pair_sd(window_s) for name in sorted(COMPLETIONS)]
        cells = [f"{sd:.1%}, {sd / math.sqrt(pairs):.2%}" for sd in sds]
        print(f"| {window_s:g} s | " + " | ".join(cells) + " |")


def estimator_table(_pool: Pool, repetitions: int) -> None:
    """Other estimators of the log ratio from 24 blocks: their spread, and what a stall makes."""
    names = ("sums (chosen)", "mean of logs", "smoothed (GLS)", "ABBA", "trimmed", "median")
    print(f"\n## Estimators, 24 blocks of identical arms, {4 * repetitions} repetitions: sd; bias")
    print("\nBias where one trial in ten of one arm loses half its window (truth −5.1%).\n")
    print("| recording | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for name in sorted(COMPLETIONS):
        random = np.random.default_rng(5)
        calm = np.array([_estimates(random, name, 0.0) for _ in range(4 * repetitions)])
        stalled = np.array([_estimates(random, name, 0.1) for _ in range(4 * repetitions)])
        bias = np.mean(stalled, axis=0) - math.log(1 - 0.5 * 0.1)
        cells = [f"{s:.2%}; {b:+.1%}" for s, b in zip(np.std(calm, axis=0), bias, strict=True)]
        print(f"| {name} | " + " | ".join(cells) + " |")


def _estimates(random: np.random.Generator, name: str, stall_share: float) -> list[float]:
    clock = machine(name, start_s=float(random.uniform(0, 150)))
    first = random.integers(0, 2, TRIALS // 2)
    randomly = np.stack([first, 1 - first], axis=1).ravel()
    abba = np.tile([0, 1, 1, 0] if first[0] else [1, 0, 0, 1], TRIALS // 4)
    rates = [_rates(random, clock, arm, stall_share) for arm in (randomly, abba)]
    logs = _block_logs(rates[0], randomly)
    return [
        math.log(rates[0][randomly == 1].sum() / rates[0][randomly == 0].sum()),
        float(np.mean(logs)),
        _smoothed(np.log(rates[0]), randomly),
        math.log(rates[1][abba == 1].sum() / rates[1][abba == 0].sum()),
        float(np.mean(np.sort(logs)[TRIMMED_EACH_SIDE:-TRIMMED_EACH_SIDE])),
        float(np.median(logs)),
    ]


def _rates(
    random: np.random.Generator, clock: Machine, arm: np.ndarray, stall_share: float
) -> Floats:
    starts_s = np.arange(TRIALS) * (WINDOW_S + SETTLED_GAP_S)
    stalled = (random.random(TRIALS) < stall_share) & (arm == 1)
    return np.exp(clock.log_speed(starts_s, WINDOW_S)) * np.where(stalled, 0.5, 1.0)


def _block_logs(rates: Floats, arm: np.ndarray) -> Floats:
    signed = np.log(rates) * np.where(arm == 1, 1.0, -1.0)
    return signed.reshape(-1, 2).sum(axis=1)


def _smoothed(logs: Floats, arm: np.ndarray) -> float:
    """Generalised least squares, the machine's speed an AR(1) beside a slow walk and noise: what
    the autocorrelation of the recordings says (0.5 to 0.6 at one trial's distance, 0.7 of it at
    the next), so that neighbouring blocks help, too."""
    at = np.arange(TRIALS)
    lag = np.abs(np.subtract.outer(at, at))
    walk = 0.05 * np.minimum.outer(at, at)
    inverse = np.linalg.inv(0.8 * 0.73**lag + 0.2 * np.eye(TRIALS) + 5.0 + walk)
    design = np.stack([np.ones(TRIALS), np.where(arm == 1, 0.5, -0.5)], axis=1)
    fit = np.linalg.solve(design.T @ inverse @ design, design.T @ inverse @ logs)
    return float(fit[1])


def lost_trials_table(_pool: Pool, repetitions: int) -> None:
    """Coverage where an arm's trials are lost at random, with n − 1 and kurtosis freedom."""
    print(f"\n## Capacity where trials of one arm are lost, {3 * repetitions} repetitions\n")
    print("| lost | n × rounds | n − 1 (chosen) | kurtosis |\n|---|---|---|---|")
    for share, loss in ((1 / 30, 0.5), (1 / 30, 1.0), (0.1, 0.5), (0.1, 1.0)):
        for instances, rounds in ((3, 2), (15, 2), (27, 3)):
            cells = _lost(share, loss, instances, rounds, 3 * repetitions)
            what = f"{'half of' if loss < 1 else 'all of'} 1 trial in {1 / share:.0f}"
            print(f"| {what} | {instances} × {rounds} | {cells[0]} | {cells[1]} |", flush=True)


def _lost(share: float, loss: float, instances: int, rounds: int, repetitions: int) -> list[str]:
    random = np.random.default_rng([instances, round(100 * share), round(10 * loss)])
    design = Design(instances=instances, rounds=rounds, block_sd=0.11)
    truth, hits, halves = math.log(1 - share * loss), [], []
    for _ in range(repetitions):
        baseline, candidate, pair = capacities(random, design, 0.0)
        candidate = candidate * (1 - loss * (random.random(len(pair)) < share))
        found = rate_log_ratio(baseline, candidate, pair)
        assert isinstance(found, Estimate)
        sums = [rates.reshape(instances, rounds).sum(axis=1) for rates in (baseline, candidate)]
        few = degrees_of_freedom(sums[1] / np.mean(sums[1]) - sums[0] / np.mean(sums[0]))
        both = [float(stats.t.ppf(1 - ALPHA / 2, df)) for df in (found.df, few)]
        half = [quantile * found.standard_error for quantile in both]
        hits.append([abs(found.log_ratio - truth) <= each for each in half])
        halves.append(half)
    return [
        f"{covered:.1%} ±{half:.1%}"
        for covered, half in zip(np.mean(hits, axis=0), np.median(halves, axis=0), strict=True)
    ]
