"""PURE: the highest offered load that meets the objective, from trials at several loads."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from loadtests.tuning.score import LATE_SHARE, Objective, Score
from reports.statistics import WIDEST_LOG, Doubt, Estimate, from_replicates, resampling_weights

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Censored = Literal["below", "above"]
Bound = Literal["more than", "less than"]
MOST_OF_A_UNIT = 3 * LATE_SHARE
"""Of a unit's requests at a load at most so many count as late: a load is missed when a third of
its seconds go wrong, and not because the machine stood still in one (benchmarks/tuning)."""
RESAMPLES = 500
RESAMPLING_SEED = 20_261_126


@dataclass(frozen=True, slots=True)
class Scored:
    """One trial of a setting: its score, and its unit (the instance pair, or the block where every
    setting has one instance) by which trials of several settings belong together."""

    unit: int
    score: Score


@dataclass(frozen=True, slots=True)
class Knee:
    """A setting's knee in requests/s. `censored`: "below" when already the lowest load that was
    measured missed the objective, "above" when the highest still met it; then `per_s` is that
    load, and the knee lies on the other side of it."""

    per_s: float
    censored: Censored | None = None


def knee(trials: Sequence[Scored], objective: Objective) -> Knee | None:
    """The knee from all trials together; None without any trial.

    At each load the counts of all trials are added, of a unit's late requests at most
    MOST_OF_A_UNIT unless even so the load is missed. The share of late requests is made to rise
    with the load (pool adjacent violators: Barlow et al. 1972, "Statistical inference under order
    restrictions"), and read off where it crosses 1%, on logarithmic axes of load and share. Where
    errors pass their limit first, that crossing counts.
    """
    if not trials:
        return None
    counts = _counts(trials)
    everything = np.ones((1, counts.late.shape[1]))
    log_knee, side = _log_knees(counts, everything, objective)
    return Knee(math.exp(log_knee[0]), _SIDES[int(side[0])])


def loads_kept(trials: Sequence[Scored], objective: Objective) -> dict[float, bool]:
    """By offered rate, whether all trials together met the objective: by the counts of `knee`."""
    counts = _counts(trials)
    planned, late, errors = _summed(counts, np.ones((1, counts.late.shape[1])))
    within = (late <= LATE_SHARE * planned) & (100.0 * errors <= objective.max_error_pct * planned)
    rates = sorted({each.score.offered_per_s for each in trials})
    return dict(zip(rates, (within & (planned > 0))[0].tolist(), strict=True))


def knee_log_ratio(
    baseline: Sequence[Scored], candidate: Sequence[Scored], objective: Objective
) -> Estimate | Doubt:
    """Log ratio of two settings' knees, with its standard error over units they share.

    Whole units are resampled, for both settings together (cluster bootstrap, as for percentiles:
    docs/method.md). Doubt when there are not two units, or when either knee is not known.
    """
    pair = _paired(baseline, candidate, objective)
    if isinstance(pair, Doubt):
        return pair
    if any(pair.sides):
        return Doubt(_unknown(pair.sides))
    return from_replicates(float(pair.logs[0]), pair.logs, pair.units)


def knee_log_ratio_bound(
    baseline: Sequence[Scored], candidate: Sequence[Scored], objective: Objective
) -> tuple[Estimate | Doubt, Bound | None]:
    """As `knee_log_ratio`, but a knee beyond the loads measured counts as the last of them.

    Then the true ratio lies beyond the estimate, on the side that is told; only that end of the
    interval means something. Doubt when both knees lie out, and their ratio could be anything.
    """
    pair = _paired(baseline, candidate, objective)
    if isinstance(pair, Doubt):
        return pair, None
    low_side, high_side = pair.sides
    more = low_side == "below" or high_side == "above"
    less = low_side == "above" or high_side == "below"
    if more and less:
        return Doubt("both settings' knees lie beyond the loads that were measured"), None
    bound: Bound | None = "more than" if more else "less than" if less else None
    if low_side and high_side and pair.alike:  # one below all loads, the other above, everywhere
        return Estimate(float(pair.logs[0]), 0.0, pair.units - 1.0), bound
    return from_replicates(float(pair.logs[0]), pair.logs, pair.units), bound


@dataclass(frozen=True, slots=True)
class _Paired:
    """Log ratios of two knees in the rows of `resampling_weights`, and where either is censored;
    `alike`: in every row as in the first, which is all units as they are."""

    logs: Floats
    sides: tuple[Censored | None, Censored | None]
    alike: bool
    units: int


def _paired(
    baseline: Sequence[Scored], candidate: Sequence[Scored], objective: Objective
) -> _Paired | Doubt:
    shared = {each.unit for each in baseline} & {each.unit for each in candidate}
    if len(shared) < 2:
        return Doubt("fewer than two instances or blocks that both settings share")
    order = sorted(shared)
    weights = resampling_weights(len(order), RESAMPLES, RESAMPLING_SEED).astype(np.float64)
    (low, low_side), (high, high_side) = (
        _log_knees(
            _counts([each for each in trials if each.unit in shared], order), weights, objective
        )
        for trials in (baseline, candidate)
    )
    sides = (_SIDES[int(low_side[0])], _SIDES[int(high_side[0])])
    alike = bool((low_side == low_side[0]).all() and (high_side == high_side[0]).all())
    return _Paired(high - low, sides, alike, len(order))


def knee_estimate(trials: Sequence[Scored], objective: Objective) -> Estimate | Doubt:
    """The logarithm of one setting's knee, with its standard error over units."""
    order = sorted({each.unit for each in trials})
    if len(order) < 2:
        return Doubt("fewer than two instances or blocks")
    weights = resampling_weights(len(order), RESAMPLES, RESAMPLING_SEED).astype(np.float64)
    logs, side = _log_knees(_counts(trials, order), weights, objective)
    if side[0]:
        return Doubt(_unknown([_SIDES[int(side[0])]]))
    return from_replicates(float(logs[0]), logs, len(order))


def rates_of(estimate: Estimate | Doubt) -> tuple[float, float] | None:
    """The 95% interval of a knee in requests/s; None where it would say nothing."""
    if isinstance(estimate, Doubt) or estimate.half_width_log() > WIDEST_LOG:
        return None
    half = estimate.half_width_log()
    return math.exp(estimate.log_ratio - half), math.exp(estimate.log_ratio + half)


def _unknown(sides: Sequence[Censored | None]) -> str:
    if "below" in sides:
        return "a setting missed the objective already at the lowest load it was measured at"
    return "a setting met the objective even at the highest load it was measured at"


_SIDES: dict[int, Censored | None] = {-1: "below", 0: None, 1: "above"}


@dataclass(frozen=True, slots=True)
class _Counts:
    """Loads in ascending order; planned, late and failed requests per load (rows) and unit."""

    log_rates: Floats
    planned: Floats
    late: Floats
    errors: Floats


def _counts(trials: Sequence[Scored], order: Sequence[int] | None = None) -> _Counts:
    order = sorted({each.unit for each in trials}) if order is None else order
    rates = sorted({each.score.offered_per_s for each in trials})
    row, column = {r: i for i, r in enumerate(rates)}, {u: i for i, u in enumerate(order)}
    tables = np.zeros((3, len(rates), len(order)))
    for each in trials:
        score = each.score
        at = (slice(None), row[score.offered_per_s], column[each.unit])
        tables[at] += (score.planned, score.late, score.errors)
    return _Counts(np.log(np.asarray(rates)), *tables)


def _log_knees(counts: _Counts, weights: Floats, objective: Objective) -> tuple[Floats, Ints]:
    """Per row of `weights` (how often each unit is taken): log knee, and the side on which it is
    censored (−1 below, 1 above, else 0)."""
    weights, whose = np.unique(weights, axis=0, return_inverse=True)  # few units: few resamples
    planned, late, errors = _summed(counts, weights)
    found = [
        _crossing(counts.log_rates, planned[i], late[i], errors[i], objective)
        for i in range(len(weights))
    ]
    logs, sides = (np.array(each)[whose] for each in zip(*found, strict=True))
    return logs, sides


def _summed(counts: _Counts, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Planned, late (of a unit at most MOST_OF_A_UNIT) and failed requests of all units together:
    a row for each of `weights`, a column for each load."""
    capped = np.minimum(counts.late, MOST_OF_A_UNIT * counts.planned)
    planned, late, late_at_most, errors = (
        weights @ table.T for table in (counts.planned, counts.late, capped, counts.errors)
    )
    # The cap decides whether a load is missed; by how much says where between loads the knee is.
    return planned, np.where(late_at_most > LATE_SHARE * planned, late, late_at_most), errors


def _crossing(
    log_rates: Floats, planned: Floats, late: Floats, errors: Floats, objective: Objective
) -> tuple[float, int]:
    known = planned > 0  # a resample may have left a load out
    if not known.any():
        return float(log_rates[0]), -1
    x, n = log_rates[known], planned[known]
    first = _read_off(x, _rising(_log_shares(late[known], n), n), math.log(LATE_SHARE))
    limit = max(objective.max_error_pct / 100.0, 1e-9)
    second = _read_off(x, _rising(errors[known] / n, n), limit)
    return min(first, second, key=lambda each: (each[0], each[1]))


def _log_shares(late: Floats, planned: Floats) -> Floats:
    """Logarithms of shares that may be 0: half a late request more, as usual, but never so much
    that none at all comes near the limit; at the limit it shifts nothing."""
    short_of_limit = 1.0 - np.minimum(1.0, late / planned / LATE_SHARE)
    more = np.minimum(0.5, 0.5 * LATE_SHARE * planned) * short_of_limit
    return np.asarray(np.log((late + more) / planned))


def _read_off(x: Floats, y: Floats, limit: float) -> tuple[float, int]:
    """Where the rising `y` passes `limit`, by linear interpolation between loads."""
    beyond = np.nonzero(y > limit)[0]
    if len(beyond) == 0:
        return float(x[-1]), 1
    index = int(beyond[0])
    if index == 0:
        return float(x[0]), -1
    share = (limit - y[index - 1]) / (y[index] - y[index - 1])
    return float(x[index - 1] + share * (x[index] - x[index - 1])), 0


def _rising(values: Floats, weights: Floats) -> Floats:
    """The closest sequence that never falls (pool adjacent violators)."""
    from scipy.optimize import isotonic_regression  # takes most of a second

    return np.asarray(isotonic_regression(values, weights=weights).x)
