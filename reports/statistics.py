"""PURE: log ratios of a candidate to a baseline with their uncertainty (see docs/method.md).

The unit of analysis is never the request. Blocks pair the arms in time; instance pairs carry the
interval, because two processes of identical code differ for as long as they live.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from reports.percentiles import clustered_quantiles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ALPHA = 0.05
POWER = 0.8
RESAMPLES = 1000
RESAMPLING_SEED = 20_261_101
WIDEST_LOG = math.log(100.0)
"""An interval wider than a factor of 100 either way says nothing and is not shown."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A log ratio candidate/baseline, its standard error and degrees of freedom."""

    log_ratio: float
    standard_error: float
    df: float

    @property
    def change_pct(self) -> float:
        """The candidate relative to the baseline in percent."""
        return 100.0 * math.expm1(self.log_ratio)

    def interval_pct(self, alpha: float = ALPHA) -> tuple[float, float]:
        """The two-sided `1 − alpha` interval of `change_pct`."""
        half = self.half_width_log(alpha)
        return (
            100.0 * math.expm1(self.log_ratio - half),
            100.0 * math.expm1(self.log_ratio + half),
        )

    def half_width_log(self, alpha: float = ALPHA) -> float:
        """Half the width of the interval of the log ratio."""
        return _t(1.0 - alpha / 2.0, self.df) * self.standard_error

    def mde_pct(self, alpha: float = ALPHA) -> float:
        """The smallest effect that a repetition would find with 80% power, in percent.

        (t₁₋α/₂ + t₀.₈)·se, after Bloom (1995), "Minimum detectable effects".
        """
        return smallest_effect_pct(self.standard_error, self.df, alpha)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why there is no estimate: doubt is a result."""

    reason: str


def smallest_effect_pct(standard_error: float, df: float, alpha: float) -> float:
    """The effect found with 80% power, given the standard error of a log ratio, in percent."""
    log_effect = (_t(1.0 - alpha / 2.0, df) + _t(POWER, df)) * standard_error
    return 100.0 * math.expm1(min(log_effect, 50.0))


def _t(probability: float, df: float) -> float:
    return float(stats.t.ppf(probability, df))


def mean_log_ratio(baseline: Floats, candidate: Floats, pair: Ints) -> Estimate | Doubt:
    """Mean log ratio over instance pairs with a t interval (df = pairs − 1).

    `baseline`, `candidate`: one positive value per block, in the same order; `pair`: the instance
    pair of each block. Blocks of a pair are averaged first. With one pair only, its blocks are the
    units, and the interval speaks of these instances.
    """
    if len(baseline) == 0:
        return Doubt("no block was measured for both arms")
    if not (_all_positive(baseline) and _all_positive(candidate)):
        return Doubt("a trial ended with nothing to count, so a ratio does not exist")
    return t_estimate(_pair_means(np.log(candidate / baseline), pair))


def _all_positive(values: Floats) -> bool:
    return bool(np.all(np.isfinite(values) & (values > 0)))


def _pair_means(logs: Floats, pair: Ints) -> Floats:
    _, index = np.unique(pair, return_inverse=True)
    counts = np.bincount(index)
    if len(counts) == 1:
        return logs
    return np.bincount(index, weights=logs) / counts


def t_estimate(units: Floats) -> Estimate | Doubt:
    """The mean of independent log ratios with its standard error."""
    if len(units) < 2:
        return Doubt("one unit (instance pair or block) only; an interval needs two")
    standard_error = float(np.std(units, ddof=1) / math.sqrt(len(units)))
    return _checked(float(np.mean(units)), standard_error, float(len(units) - 1))


def _checked(log_ratio: float, standard_error: float, df: float) -> Estimate | Doubt:
    if not (math.isfinite(log_ratio) and math.isfinite(standard_error)):
        return Doubt("the ratio is not a finite number")
    if standard_error < 1e-9:
        return Doubt("no variation between instances or blocks, so no uncertainty can be told")
    return Estimate(log_ratio, standard_error, df)


@dataclass(frozen=True, slots=True)
class Latencies:
    """Latencies of one arm: parallel arrays, one entry per request that counts."""

    values_ms: Floats
    block: Ints
    pair: Ints


def percentile_log_ratio(
    baseline: Latencies,
    candidate: Latencies,
    q: float,
    *,
    resamples: int = RESAMPLES,
    seed: int = RESAMPLING_SEED,
) -> Estimate | Doubt:
    """Log ratio of the arms' `q` percentiles, pooled over all instances and rounds.

    Blocks are first levelled (`levels`), then all requests of an arm are pooled. The standard
    error resamples whole instance pairs with all their blocks (cluster bootstrap: Davison &
    Hinkley 1997, section 3.8; enlarged by √(n/(n−1)), since resampling n clusters understates the
    variance by (n−1)/n). Degrees of freedom: n − 1, or fewer where few pairs decide
    (`degrees_of_freedom`). Coverage was measured by simulation: docs/method.md.
    """
    if len(baseline.values_ms) == 0 or len(candidate.values_ms) == 0:
        return Doubt("an arm has no response to judge")
    units = _units(baseline, candidate)
    if len(np.unique(np.concatenate(units))) < 2:
        return Doubt("one unit (instance pair or block) only; an interval needs two")
    level = levels(baseline, candidate)
    arms = [
        (arm.values_ms / factor, unit)
        for arm, factor, unit in zip((baseline, candidate), level, units, strict=True)
    ]
    weights = _resampling_weights(int(max(map(np.max, units))) + 1, resamples, seed)
    low, high = (clustered_quantiles(values, unit, weights, q) for values, unit in arms)
    if not (_all_positive(low) and _all_positive(high)):
        return Doubt("some instances have no response to judge")
    logs = np.log(high / low)
    return _from_replicates(float(logs[0]), logs, weights.shape[1])


def _resampling_weights(n: int, resamples: int, seed: int) -> Ints:
    """Rows: everything once; each unit left out once; random resamples of n units of n."""
    everything = np.ones((1, n), dtype=np.int64)
    left_out = 1 - np.eye(n, dtype=np.int64)
    random = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=resamples)
    return np.concatenate([everything, left_out, random])


def _from_replicates(log_ratio: float, logs: Floats, n: int) -> Estimate | Doubt:
    left_out, resampled = logs[1 : n + 1], logs[n + 1 :]
    standard_error = float(np.std(resampled, ddof=1) * math.sqrt(n / (n - 1.0)))
    return _checked(log_ratio, standard_error, degrees_of_freedom(left_out))


def degrees_of_freedom(influences: Floats) -> float:
    """Degrees of freedom of a variance estimated from n units: at most n − 1.

    2n / (κ − (n−3)/(n−1)), with κ the kurtosis of what each unit contributes (O'Neill 2014, "Some
    useful moment results in sampling problems", The American Statistician 68). It is small where
    one or two instances make up the whole variance, and the interval is then honestly wider.
    """
    n = len(influences)
    squares = (influences - np.mean(influences)) ** 2
    variance = float(np.mean(squares))
    if variance <= 0.0:
        return float(n - 1)
    kurtosis = float(np.mean(squares**2)) / variance**2
    return min(n - 1.0, max(1.0, 2.0 * n / (kurtosis - (n - 3.0) / (n - 1.0))))


def _units(baseline: Latencies, candidate: Latencies) -> tuple[Ints, Ints]:
    """Each request's resampling unit, from 0: its instance pair; its block if there is one pair."""
    by_pair = np.unique(np.concatenate([baseline.pair, candidate.pair]))
    column = (baseline.pair, candidate.pair)
    if len(by_pair) == 1:
        column = (baseline.block, candidate.block)
        by_pair = np.unique(np.concatenate(column))
    first, second = (np.searchsorted(by_pair, each).astype(np.int64) for each in column)
    return first, second


def levels(baseline: Latencies, candidate: Latencies) -> tuple[Floats, Floats]:
    """What each request's latency is divided by, so that the machine's drift does not decide
    which blocks make up the tail.

    A block's pace, per arm, is its median over the arm's usual block median. Where both arms were
    slower than usual the machine was: both are divided by the smaller of their paces (where both
    were faster, by the larger). Where one was slower and the other faster nothing is changed; a
    slow trial of one arm alone stays in full.
    """
    blocks = np.unique(np.concatenate([baseline.block, candidate.block]))
    paces = np.vstack([_paces(arm, blocks) for arm in (baseline, candidate)])
    level = np.median(np.vstack([paces, np.ones(len(blocks))]), axis=0)
    first, second = (level[np.searchsorted(blocks, arm.block)] for arm in (baseline, candidate))
    return first, second


def _paces(arm: Latencies, blocks: Ints) -> Floats:
    medians = block_medians(arm, blocks)
    known = np.isfinite(medians) & (medians > 0)
    if not known.any():
        return np.ones(len(blocks))
    return np.where(known, medians / float(np.median(medians[known])), 1.0)


def block_medians(arm: Latencies, blocks: Ints) -> Floats:
    """The median latency in each of `blocks` (sorted); NaN where a block has none."""
    index = np.searchsorted(blocks, arm.block)
    order = np.lexsort((arm.values_ms, index))
    counts = np.bincount(index, minlength=len(blocks))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    ordered = arm.values_ms[order]
    some = counts > 0
    medians = np.full(len(blocks), np.nan)
    lower = (starts + (counts - 1) // 2)[some]
    upper = (starts + counts // 2)[some]
    medians[some] = (ordered[lower] + ordered[upper]) / 2.0
    return medians


def adjusted_alpha(comparisons: int) -> float:
    """Bonferroni: each of several primary comparisons gets its share of 5%."""
    return ALPHA / max(1, comparisons)
