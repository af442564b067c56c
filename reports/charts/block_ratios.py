"""PURE: what each block, and each pair of instances, says of a comparison, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.estimates import PERCENTILES, paired_latencies
from reports.measures import Bools, Floats, Ints, LoadData, Pairing, pair_blocks
from reports.model import CAPACITY, Comparison
from reports.percentiles import nearest_rank, rank
from reports.statistics import Latencies, levelled

FEWEST_ANSWERS = 20
"""A block's own percentile needs so many answers of each arm; it scatters even so."""


@dataclass(frozen=True, slots=True)
class Ratios:
    """One entry per paired block, in the order of time. `logs` are log ratios candidate over
    baseline: ±inf where one arm gave nothing, NaN where there is no telling."""

    block: Ints
    round: Ints
    pair: Ints
    """Instance of the arms that have several; all 0 where an arm has one only."""
    logs: Floats
    pairs: dict[int, float]
    """Log ratio of each instance pair, its blocks taken together as for the stated change (response
    times levelled); finite ones only."""


def block_ratios(data: LoadData, comparison: Comparison) -> Ratios:
    """The blocks of a comparison of capacity or of a percentile."""
    pairing = pair_blocks(data.trials, comparison.baseline, comparison.candidate)
    order = _in_time(data, pairing)
    pair = pairing.pair[order]
    base, cand = pairing.baseline[order], pairing.candidate[order]
    if comparison.metric == CAPACITY:
        values = data.good_per_s()
        logs = _log_ratio(values[cand], values[base])
        pairs = {int(each): _sums(values, base, cand, pair == each) for each in np.unique(pair)}
    else:
        q = PERCENTILES[comparison.metric]
        counted = data.steady & data.of_request(comparison.request) & np.isfinite(data.response_ms)
        values = _trial_quantiles(data, counted, q)
        logs = _log_ratio(values[cand], values[base])
        arms = paired_latencies(data, comparison.request, pairing)
        level = levelled(*arms)
        pairs = {int(each): _pooled(arms, level, int(each), q) for each in np.unique(pair)}
    return Ratios(
        block=pairing.block[order],
        round=data.trials["round"].to_numpy(dtype="int64")[base],
        pair=pair,
        logs=logs,
        pairs={each: log for each, log in pairs.items() if np.isfinite(log)},
    )


def _in_time(data: LoadData, pairing: Pairing) -> Ints:
    start = data.trials["start_ns"].to_numpy(dtype="float64", na_value=np.inf)
    return np.asarray(np.argsort(start[pairing.baseline], kind="stable"), dtype=np.int64)


def _log_ratio(candidate: Floats, baseline: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(candidate) - np.log(baseline), dtype=np.float64)


def _sums(values: Floats, base: Ints, cand: Ints, own: Bools) -> float:
    sums = (np.array([values[rows[own]].sum()]) for rows in (cand, base))
    return float(_log_ratio(*sums)[0])


def _trial_quantiles(data: LoadData, counted: Bools, q: float) -> Floats:
    """The `q` percentile of each trial's own answers; NaN with fewer than FEWEST_ANSWERS."""
    row, value_ms = data.row[counted], data.response_ms[counted]
    order = np.lexsort((value_ms, row))
    counts = np.bincount(row, minlength=len(data.trials))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    found = np.full(len(data.trials), np.nan)
    for trial in np.flatnonzero(counts >= FEWEST_ANSWERS):
        found[trial] = value_ms[order[starts[trial] + rank(int(counts[trial]), q) - 1]]
    return np.where(found > 0, found, np.nan)


def _pooled(
    arms: tuple[Latencies, Latencies], values: tuple[Floats, Floats], pair: int, q: float
) -> float:
    """From all answers of a pair's blocks, `values` of both arms levelled (`statistics.levels`)."""
    own = [value[arm.pair == pair] for arm, value in zip(arms, values, strict=True)]
    baseline, candidate = (
        nearest_rank(each, q) if len(each) >= FEWEST_ANSWERS else np.nan for each in own
    )
    return float(_log_ratio(*(np.array([max(each, 0.0)]) for each in (candidate, baseline)))[0])
