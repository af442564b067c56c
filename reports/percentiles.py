"""PURE: exact percentiles of pooled samples, and of resampled clusters of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST_BEYOND = 10
"""A percentile is shown only where this many samples or more stand beyond it."""
MOST_CELLS = 16_000_000
"""Counts by value and cluster that are held at once (128 MB): more only where the clusters are the
blocks of a long run, of arms with one instance."""


def rank(count: int, q: float) -> int:
    """The rank, from 1, of the `q` percentile among `count` samples: ⌈q·count⌉.

    The smallest sample that is at least as large as a share `q` of all: definition 1 of Hyndman &
    Fan (1996). No interpolation, since a timeout's value is only a lower bound.
    """
    return max(1, math.ceil(round(q * count, 9)))


def nearest_rank(values: Floats, q: float) -> float:
    """The `q` percentile of one value or more in any order, as an exact sample."""
    return float(np.sort(values)[rank(len(values), q) - 1])


def nearest_rank_or_none(values: Floats, q: float) -> float | None:
    """The `q` percentile as an exact sample; None of no values."""
    return nearest_rank(values, q) if len(values) else None


def enough_beyond(count: int, q: float) -> bool:
    """Whether enough samples stand beyond the `q` percentile: p95 needs 200, p99 1,000."""
    return count > 0 and count - rank(count, q) >= FEWEST_BEYOND


def fewest_samples(q: float) -> int:
    """The samples needed to show the `q` percentile."""
    return round(FEWEST_BEYOND / (1.0 - q))


def exact_percentile(ordered: Floats, q: float) -> float | None:
    """The `q` percentile of samples in ascending order; None with too few beyond it."""
    if not enough_beyond(len(ordered), q):
        return None
    return float(ordered[rank(len(ordered), q) - 1])


def medians_by(values: Floats, group: Ints, groups: int, fewest: int = 1) -> Floats:
    """The median of the values of each of `groups` groups (`group`: 0 … groups−1 per value); NaN
    where there are fewer than `fewest`."""
    by_value = np.argsort(values)
    ordered = values[by_value[np.argsort(_narrow(group[by_value], groups), kind="stable")]]
    counts = np.bincount(group, minlength=groups)
    starts = np.cumsum(counts) - counts
    some = counts >= max(1, fewest)
    medians = np.full(groups, np.nan)
    lower = (starts + (counts - 1) // 2)[some]
    upper = (starts + counts // 2)[some]
    medians[some] = (ordered[lower] + ordered[upper]) / 2.0
    return medians


def _narrow(group: Ints, groups: int) -> npt.NDArray[np.integer]:
    """Groups in the narrowest type that holds them: numpy sorts 16 bits by radix, three times as
    fast."""
    return group.astype(np.min_scalar_type(groups))


def left_out_quantiles(values: Floats, cluster: Ints, clusters: int, q: float) -> Floats:
    """The `q` quantile of all `values` but those of one cluster, for each of `clusters` in turn.

    `cluster`: 0 … clusters−1 per value. NaN where nothing is left. Exact, in memory and time that
    grow with the number of values alone: of the ordered values, the r-th that is not in a cluster
    stands k places further on, where k of the cluster's own come before it.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    places = np.argsort(cluster[order], kind="stable")  # of each cluster in turn, ascending
    ends = np.cumsum(np.bincount(cluster, minlength=clusters))
    found = np.full(clusters, np.nan)
    for each, own in enumerate(np.split(places, ends[:-1])):
        if len(own) < len(values):
            wanted = rank(len(values) - len(own), q) - 1
            before = np.searchsorted(own - np.arange(len(own)), wanted, side="right")
            found[each] = ordered[wanted + before]
    return found


def clustered_quantiles(
    values: Floats, cluster: Ints, weights: Ints, q: float, most_cells: int = MOST_CELLS
) -> Floats:
    """The `q` quantile for each row of `weights`: one of `several_clustered_quantiles`."""
    return several_clustered_quantiles(values, cluster, weights, [q], most_cells)[0]


def several_clustered_quantiles(
    values: Floats,
    cluster: Ints,
    weights: Ints,
    qs: Sequence[float],
    most_cells: int = MOST_CELLS,
) -> list[Floats]:
    """Each of the quantiles `qs` of `values`, for each row of `weights`: how often each cluster is
    taken.

    `cluster`: 0 … n−1 per value; `weights`: replicates × n. A replicate without samples gives
    NaN. Exact: the values are sorted once; per replicate, a binary search in them by weighted
    counts; with more than `most_cells` of these, one replicate after the other, in memory by the
    value.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    clusters = weights.shape[1]
    if len(values) * clusters > most_cells:
        return [_one_by_one(ordered, cluster[order], weights, q) for q in qs]
    below = np.zeros((len(values) + 1, clusters), dtype=np.int64)
    below[np.arange(1, len(values) + 1), cluster[order]] = 1
    np.cumsum(below, axis=0, out=below)  # below[i, c]: cluster c's samples among the i smallest
    return [_by_bisection(ordered, below, weights, q) for q in qs]


def _by_bisection(ordered: Floats, below: Ints, weights: Ints, q: float) -> Floats:
    totals = weights @ below[-1]
    wanted = np.maximum(1, np.ceil(np.round(q * totals, 9))).astype(np.int64)
    low = np.zeros(len(weights), dtype=np.int64)
    high = np.full(len(weights), len(ordered), dtype=np.int64)
    while np.any(low < high):
        middle = (low + high) // 2
        reached = np.sum(weights * below[middle], axis=1) >= wanted
        high = np.where(reached, middle, high)
        low = np.where(reached, low, np.minimum(middle + 1, high))
    found = ordered[np.clip(low - 1, 0, len(ordered) - 1)]
    return np.where(totals > 0, found, np.nan)


def _one_by_one(ordered: Floats, cluster: Ints, weights: Ints, q: float) -> Floats:
    found = np.full(len(weights), np.nan)
    for replicate, taken in enumerate(weights):
        reached = np.cumsum(taken[cluster])
        if reached[-1] > 0:
            found[replicate] = ordered[np.searchsorted(reached, rank(int(reached[-1]), q))]
    return found
