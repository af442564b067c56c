"""PURE: two settings in the blocks that they share: the same arrivals, within seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from reports.statistics import ALPHA, Doubt, Estimate, Floats, Ints, rate_log_ratio, t_estimate
from reports.tuning.record import Tried

Pairs = Sequence[tuple[Tried, Tried]]
Value = Callable[[Tried], float | None]
FEWEST_UNITS = 2
"""Without a second one there is no interval, and nothing can be told."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference with its 95% interval, in the unit of what was compared."""

    mean: float
    low: float
    high: float


def shared_blocks(one: Iterable[Tried], other: Iterable[Tried]) -> Pairs:
    """Trials of the same block, in order; trials at closed loads have no arrivals in common."""
    by_block = {each.block: each for each in other if each.rate_per_s is not None}
    return [(each, by_block[each.block]) for each in one if each.block in by_block]


def units(pairs: Pairs) -> Ints:
    """What each pair belongs to (see `Tried.unit`), as numbers from 0."""
    names = [(one.stage, one.unit) for one, _ in pairs]
    order = {name: index for index, name in enumerate(dict.fromkeys(names))}
    return np.array([order[name] for name in names], dtype=np.int64)


def in_time(pairs: Pairs) -> Estimate | Doubt:
    """Log ratio, other to one, of the answers within the objective to the same arrivals; summed
    before they are divided, with an interval over units."""
    one, other = (
        np.array([pair[side].score.planned - pair[side].score.late for pair in pairs], dtype=float)
        for side in (0, 1)
    )
    if len(set(units(pairs).tolist())) < FEWEST_UNITS:
        return Doubt("fewer than two blocks that both share")
    return rate_log_ratio(one, other, units(pairs))


def ratio(pairs: Pairs, value: Value) -> Estimate | Doubt:
    """The mean over units of the mean log ratio, other to one, of a value; blocks where either
    does not have it, or has 0, are left out."""
    return t_estimate(_by_unit(pairs, value, lambda one, other: np.log(other / one), above=0.0))


def difference(pairs: Pairs, value: Value) -> Difference | None:
    """The mean over units of the mean difference, other less one; None of fewer than two units."""
    found = _by_unit(pairs, value, lambda one, other: other - one)
    if len(found) < FEWEST_UNITS:
        return None
    mean = float(np.mean(found))
    error = float(np.std(found, ddof=1)) / len(found) ** 0.5
    half = float(stats.t.ppf(1.0 - ALPHA / 2.0, len(found) - 1)) * error
    return Difference(mean, mean - half, mean + half)


def _by_unit(
    pairs: Pairs,
    value: Value,
    compare: Callable[[float, float], float],
    *,
    above: float = -np.inf,
) -> Floats:
    found: dict[int, list[float]] = defaultdict(list)
    for unit, (one, other) in zip(units(pairs).tolist(), pairs, strict=True):
        first, second = value(one), value(other)
        if first is not None and second is not None and min(first, second) > above:
            found[unit].append(compare(first, second))
    return np.array([np.mean(each) for each in found.values()], dtype=np.float64)
