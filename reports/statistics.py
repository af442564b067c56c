"""PURE: log ratios of a candidate to a baseline with their uncertainty (see docs/method.md).

The unit of analysis is never the request. Blocks pair the arms in time; instance pairs carry the
interval, because two processes of identical code differ for as long as they live.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from reports.log_ratio import as_pct
from reports.percentiles import medians_by, several_clustered_quantiles

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ALPHA = 0.05
POWER = 0.8
RESAMPLES = 1000
RESAMPLING_SEED = 20_261_101
WIDEST_LOG = math.log(100.0)
"""An interval wider than a factor of 100 either way says nothing and is not shown."""
FURTHEST_LOG = math.log(1e6)
ONE_UNIT = "one unit (instance pair or block) only; an interval needs two"
LEAST_ERROR = 1e-9
"""What differs by less is alike but for rounding."""
NO_VARIATION = "no variation between instances or blocks, so no uncertainty can be told"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A log ratio candidate/baseline, its standard error and degrees of freedom."""

    log_ratio: float
    standard_error: float
    df: float

    @property
    def change_pct(self) -> float:
        """The candidate relative to the baseline in percent."""
        return as_pct(self.log_ratio)

    def interval_pct(self, alpha: float = ALPHA) -> tuple[float, float]:
        """The two-sided `1 − alpha` interval of `change_pct`."""
        half = self.half_width_log(alpha)
        return as_pct(self.log_ratio - half), as_pct(self.log_ratio + half)

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
    return as_pct(smallest_effect_log(standard_error, df, alpha))


def smallest_effect_log(
    standard_error: float, df: float, alpha: float, power: float = POWER
) -> float:
    """The same as a log ratio, with any power."""
    return (_t(1.0 - alpha / 2.0, df) + _t(power, df)) * standard_error


def _t(probability: float, df: float) -> float:
    """The quantile of Student's t. Of scipy.special: scipy.stats asks it too, and takes a second to
    import."""
    return float(special.stdtrit(df, probability))


def rate_log_ratio(
    baseline: Floats, candidate: Floats, pair: Ints, window_s: float = 1.0
) -> Estimate | Doubt:
    """Log ratio of the arms' mean rates over all blocks, with a t interval over instance pairs.

    `baseline`, `candidate`: answers per second, one per block of `window_s` seconds, in the same
    order; `pair`: the instance pair of each block. With one pair only, its blocks are the units,
    and the interval speaks of these instances.

    Rates are summed before they are divided, so that a block without any answer (a stall, a
    deadlock) counts as the nothing it was. The standard error is that of a ratio of means,
    linearised over the pairs (Cochran 1977, *Sampling Techniques*, 6.4): the sd of c/mean(c) −
    b/mean(b) over √n, in which the drift that the arms of a block share cancels; df = n − 1.
    """
    if len(baseline) == 0:
        return Doubt("no block was measured for both arms")
    if not (np.all(np.isfinite(baseline)) and np.all(np.isfinite(candidate))):
        return Doubt("the length of a trial's window is not known, so a rate does not exist")
    if not (baseline.any() or candidate.any()):
        return Doubt("neither arm gave a good answer inside its windows")
    arms = [_pair_sums(rates, pair) for rates in (baseline, candidate)]
    n = len(arms[0])
    if n < 2:
        return Doubt(ONE_UNIT)
    # An arm that never answered counts as half an answer per unit (the usual continuity
    # correction), with the variance of such a count (1/0.5 each), since its spread is not seen.
    silent = not all(sums.any() for sums in arms)
    low, high = (sums if sums.any() else np.full(n, 0.5 / window_s) for sums in arms)
    spread = float(np.var(high / np.mean(high) - low / np.mean(low), ddof=1))
    standard_error = math.sqrt((spread + (2.0 if silent else 0.0)) / n)
    return _checked(math.log(np.mean(high) / np.mean(low)), standard_error, float(n - 1))


def _all_positive(values: Floats) -> bool:
    return bool(np.all(np.isfinite(values) & (values > 0)))


def _pair_sums(rates: Floats, pair: Ints) -> Floats:
    """The sum over each pair's blocks; the blocks themselves where there is one pair."""
    _, index = np.unique(pair, return_inverse=True)
    sums = np.bincount(index, weights=rates).astype(np.float64)
    return sums if len(sums) > 1 else rates


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of independent values with its standard error, in their unit."""

    value: float
    standard_error: float
    df: float

    def interval(self, alpha: float = ALPHA) -> tuple[float, float]:
        """The two-sided `1 − alpha` interval of Student's t."""
        half = _t(1.0 - alpha / 2.0, self.df) * self.standard_error
        return self.value - half, self.value + half


def t_mean(units: Floats) -> Mean | Doubt:
    """The mean of independent values; values that are all alike tell no uncertainty."""
    if len(units) < 2:
        return Doubt(ONE_UNIT)
    if not np.all(np.isfinite(units)):
        return Doubt("the value of some units is not a finite number")
    standard_error = float(np.std(units, ddof=1) / math.sqrt(len(units)))
    if standard_error < LEAST_ERROR:
        return Doubt(NO_VARIATION)
    return Mean(float(np.mean(units)), standard_error, float(len(units) - 1))


def t_estimate(units: Floats) -> Estimate | Doubt:
    """The mean of independent log ratios with its standard error."""
    found = t_mean(units)
    if isinstance(found, Doubt):
        return found
    return _checked(found.value, found.standard_error, found.df)


def _checked(log_ratio: float, standard_error: float, df: float) -> Estimate | Doubt:
    if not (abs(log_ratio) < FURTHEST_LOG and math.isfinite(standard_error)):
        return Doubt("the ratio is not a finite number, or beyond a million to one")
    if standard_error < LEAST_ERROR:
        return Doubt(NO_VARIATION)
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
    """Log ratio of the arms' `q` percentiles (see `percentile_log_ratios`)."""
    return percentile_log_ratios(baseline, candidate, [q], resamples=resamples, seed=seed)[0]


def percentile_log_ratios(
    baseline: Latencies,
    candidate: Latencies,
    qs: Sequence[float],
    *,
    resamples: int = RESAMPLES,
    seed: int = RESAMPLING_SEED,
) -> list[Estimate | Doubt]:
    """Log ratios of each of the arms' percentiles `qs`, pooled over all instances and rounds.

    Blocks are first levelled (`levels`), then all requests of an arm are pooled. The standard
    error resamples whole instance pairs with all their blocks (cluster bootstrap: Davison &
    Hinkley 1997, section 3.8; enlarged by √(n/(n−1)), since resampling n clusters understates the
    variance by (n−1)/n). Degrees of freedom: n − 1, or fewer where few pairs decide
    (`degrees_of_freedom`). Coverage was measured by simulation: docs/method.md.
    """
    if len(baseline.values_ms) == 0 or len(candidate.values_ms) == 0:
        return [Doubt("an arm has no response to judge") for _ in qs]
    units = _units(baseline, candidate)
    if max(map(np.max, units)) == min(map(np.min, units)):
        return [Doubt(ONE_UNIT) for _ in qs]
    weights = resampling_weights(int(max(map(np.max, units))) + 1, resamples, seed)
    arms = (
        several_clustered_quantiles(values, unit, weights, qs)
        for values, unit in zip(levelled(baseline, candidate), units, strict=True)
    )
    return [_of_replicates(low, high, weights.shape[1]) for low, high in zip(*arms, strict=True)]


def _of_replicates(low: Floats, high: Floats, n: int) -> Estimate | Doubt:
    if not (_all_positive(low) and _all_positive(high)):
        return Doubt("some instances have no response to judge")
    logs = np.log(high / low)
    return from_replicates(float(logs[0]), logs, n)


def resampling_weights(n: int, resamples: int, seed: int) -> Ints:
    """How often each of n units is taken; in rows everything once, each unit left out once, then
    random resamples of n units of n."""
    everything = np.ones((1, n), dtype=np.int64)
    left_out = 1 - np.eye(n, dtype=np.int64)
    random = np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), size=resamples)
    return np.concatenate([everything, left_out, random])


def from_replicates(log_ratio: float, logs: Floats, n: int) -> Estimate | Doubt:
    """The estimate whose replicates over the rows of `resampling_weights` are `logs`."""
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


def levelled(baseline: Latencies, candidate: Latencies) -> tuple[Floats, Floats]:
    """The latencies of both arms over what the machine's drift made of them (`levels`)."""
    first, second = levels(baseline, candidate)
    return baseline.values_ms / first, candidate.values_ms / second


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
    return medians_by(arm.values_ms, np.searchsorted(blocks, arm.block), len(blocks))


def adjusted_alpha(comparisons: int) -> float:
    """Bonferroni: each of several primary comparisons gets its share of 5%."""
    return ALPHA / max(1, comparisons)
