"""PURE: means over several trials of a setting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from reports.tuning.record import Split, Tried


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
