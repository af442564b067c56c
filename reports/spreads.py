"""PURE: where the uncertainty of a log ratio comes from: instances or blocks."""

from __future__ import annotations

import math

import numpy as np

from loadtests.spreads import Spreads
from reports.percentiles import left_out_quantiles, rank
from reports.statistics import Floats, Ints, Latencies, levelled


def nested_spreads(units: Floats, pair: Ints) -> Spreads | None:
    """Standard deviations between pairs and between blocks within pairs.

    `units`: what each block says of the log ratio; `pair`: its instance pair. The classical
    estimators of a one-way random model, also with unequal numbers of blocks (Searle, Casella &
    McCulloch 1992, *Variance Components*, 3.6); a negative variance between pairs is told as 0.
    None with fewer than two pairs, or where no pair has two blocks.
    """
    _, index = np.unique(pair, return_inverse=True)
    blocks = np.bincount(index).astype(np.float64)
    pairs, total = len(blocks), float(len(units))
    if pairs < 2 or total <= pairs or not np.all(np.isfinite(units)):
        return None
    means = np.bincount(index, weights=units) / blocks
    within = float(np.sum((units - means[index]) ** 2)) / (total - pairs)
    between = float(np.sum(blocks * (means - np.mean(units)) ** 2)) / (pairs - 1.0)
    usual_blocks = (total - float(np.sum(blocks**2)) / total) / (pairs - 1.0)
    pair_variance = max(0.0, (between - within) / usual_blocks)
    return Spreads(math.sqrt(pair_variance), math.sqrt(within))


def rate_spreads(baseline: Floats, candidate: Floats, pair: Ints) -> Spreads | None:
    """Spreads of the log ratio of rates, linearised as its standard error is (`rate_log_ratio`)."""
    if not (np.any(baseline > 0) and np.any(candidate > 0)):
        return None
    return nested_spreads(candidate / np.mean(candidate) - baseline / np.mean(baseline), pair)


def percentile_spreads(baseline: Latencies, candidate: Latencies, q: float) -> Spreads | None:
    """Spreads of the log ratio of percentiles, from the pseudo-values of blocks left out one by one
    (Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, 11.5)."""
    blocks, first = np.unique(np.concatenate([baseline.block, candidate.block]), return_index=True)
    pair = np.concatenate([baseline.pair, candidate.pair])[first]
    n = len(blocks)
    low, high = (
        _with_and_without(values, np.searchsorted(blocks, arm.block), n, q)
        for arm, values in zip((baseline, candidate), levelled(baseline, candidate), strict=True)
    )
    if not (np.all(low > 0) and np.all(high > 0)):  # NaN: without a block nothing is left
        return None
    logs = np.log(high / low)
    return nested_spreads(n * logs[0] - (n - 1) * logs[1:], pair)


def _with_and_without(values: Floats, block: Ints, blocks: int, q: float) -> Floats:
    """The `q` quantile of everything, then without each block in turn; NaN of nothing."""
    everything = np.sort(values)[rank(len(values), q) - 1] if len(values) else np.nan
    return np.concatenate([[everything], left_out_quantiles(values, block, blocks, q)])
