"""PURE: two settings in the blocks that they share: the same arrivals, within seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from reports.statistics import (
    ALPHA,
    Doubt,
    Estimate,
    Floats,
    Ints,
    rate_log_ratio,
    t_estimate,
    t_mean,
)
from reports.tuning.record import Tried

Pairs = Sequence[tuple[Tried, Tried]]
Value = Callable[[Tried], float | None]
FEWEST_UNITS = 2
"""Without a second one there is no interval, and nothing can be told."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A mean difference with its interval, in the unit of what was compared; `before`: the mean
    of that which it starts from, over the same blocks."""

    before: float
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


def many_units(pairs: Pairs) -> int:
    """How many units there are."""
    return len(set(units(pairs).tolist()))


def in_time(pairs: Pairs) -> Estimate | Doubt:
    """Log ratio, other to one, of the answers within the objective to the same arrivals; summed
    before they are divided, with an interval over units."""
    if many_units(pairs) < FEWEST_UNITS:
        return Doubt("fewer than two blocks that both share")
    return rate_log_ratio(*_both(pairs, lambda each: each.score.in_time), units(pairs))


def good(pairs: Pairs) -> Estimate | Doubt:
    """The same of good answers per second, however late."""
    if many_units(pairs) < FEWEST_UNITS:
        return Doubt("fewer than two instances that both settings share")
    window_s = float(np.mean([each.window_s for pair in pairs for each in pair]))
    return rate_log_ratio(*_both(pairs, lambda each: each.good_per_s), units(pairs), window_s)


def _both(pairs: Pairs, value: Callable[[Tried], float]) -> tuple[Floats, Floats]:
    one, other = (np.array([value(pair[side]) for pair in pairs], dtype=float) for side in (0, 1))
    return one, other


def ratio(pairs: Pairs, value: Value) -> Estimate | Doubt:
    """The mean over units of the mean log ratio, other to one, of a value; blocks where either
    does not have it, or has 0, are left out."""
    return t_estimate(_by_unit(pairs, value, lambda one, other: np.log(other / one), above=0.0))


def difference(pairs: Pairs, value: Value, alpha: float = ALPHA) -> Difference | Doubt:
    """The mean over units of the mean difference, other less one, with its `1 − alpha` interval;
    blocks where either does not have the value are left out."""
    found = t_mean(_by_unit(pairs, value, lambda one, other: other - one))
    if isinstance(found, Doubt):
        return found
    before = float(np.mean(_by_unit(pairs, value, lambda one, _: one)))
    return Difference(before, found.value, *found.interval(alpha))


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
