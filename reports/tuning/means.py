"""PURE: several trials of a setting together: their means, and their p99."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from reports.tuning.record import Split, Tried


@dataclass(frozen=True, slots=True, order=True)
class P99:
    """A p99; `beyond`: so many were given up that the true one is longer. All requests of a run
    are given up at the same age, so those beyond are the longest."""

    ms: float
    beyond: bool = False


def p99s_of(trials: Iterable[Tried]) -> list[P99]:
    """Those that are known, the shortest first."""
    return sorted(P99(each.p99_ms, each.p99_beyond) for each in trials if each.p99_ms is not None)


def middle(p99s: Sequence[P99]) -> P99 | None:
    """The median of p99s in ascending order; of an even number the mean of both in the middle,
    beyond if either of them is. None of none."""
    if not p99s:
        return None
    low, high = p99s[(len(p99s) - 1) // 2], p99s[len(p99s) // 2]
    return P99((low.ms + high.ms) / 2.0, low.beyond or high.beyond)


def mean(values: Sequence[float]) -> float:
    """Of one value at least."""
    return sum(values) / len(values)


def mean_known(values: Iterable[float | None]) -> float | None:
    """The mean of those that are known; None when there are none."""
    known = [value for value in values if value is not None]
    return mean(known) if known else None


def mean_split(trials: Sequence[Tried]) -> Split | None:
    """The mean split of trials that have one, each counted by its good answers."""
    weighed = [(each.split, max(1, each.good)) for each in trials if each.split is not None]
    if not weighed:
        return None
    in_all = sum(weight for _, weight in weighed)
    means = {
        part.name: sum(getattr(split, part.name) * weight for split, weight in weighed) / in_all
        for part in fields(Split)
    }
    return Split(**means)
