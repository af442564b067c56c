"""PURE: what all gates share: the shape of an outcome, counting, setting aside, words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from loadtests.inspection import InstanceFacts
from loadtests.spec import Arm
from reports.measures import Bools, Floats, LoadData, tidy
from reports.model import GateResult
from reports.percentiles import nearest_rank

SET_ASIDE_ONE_IN = 20
FEWEST_TRIALS_TO_SET_ASIDE = 5

Check = tuple[bool | None, float | None, float | None, str]
"""ok, value, limit, detail."""


def result(name: str, load: str | None, arm: str | None, check: Check) -> GateResult:
    """A check as the summary holds it."""
    ok, value, limit, detail = check
    return GateResult(name, load, arm, ok, tidy(value), tidy(limit), detail)


def per_trial(data: LoadData, trials: pd.DataFrame, chosen: Bools) -> Floats:
    """How many of the chosen samples each of `trials` (rows of `data.trials`) has."""
    counts = np.bincount(data.row[chosen], minlength=len(data.trials)).astype(np.float64)
    return np.asarray(counts[trials.index.to_numpy()], dtype=np.float64)


def unseen(
    arms: Sequence[Arm], measured: Mapping[str, Collection[int]], seen: Iterable[InstanceFacts]
) -> tuple[set[tuple[str, int]], int]:
    """Loaded instances of the arms (by arm and number) that are not among those seen, and how many
    were loaded: a gate vouches only for what it saw. `measured`: the numbers loaded of each arm."""
    loaded = {(arm.name, number) for arm in arms for number in measured.get(arm.name, ())}
    return loaded - {(each.arm, each.instance) for each in seen}, len(loaded)


def worst_set_aside(
    trial: Any, limit: float, value_of: Callable[[Any], float], badness: Floats
) -> tuple[bool, float, list[int]]:
    """Judge all trials; if that fails, judge again without the worst one in twenty (one at least).

    `trial`: the trial of each entry; `badness`: a number per entry whose 99th percentile ranks
    the trials. Returns ok, value, and the trials set aside.
    """
    trials = np.unique(trial)
    value = value_of(trials)
    if value <= limit or len(trials) < FEWEST_TRIALS_TO_SET_ASIDE:
        return value <= limit, value, []
    worst_first = sorted(trials, key=lambda each: -nearest_rank(badness[trial == each], 0.99))
    aside = [int(each) for each in worst_first[: max(1, len(trials) // SET_ASIDE_ONE_IN)]]
    trimmed = value_of(np.setdiff1d(trials, aside))
    return (True, trimmed, aside) if trimmed <= limit else (False, value, [])


def aside_words(trials: Any) -> str:
    """Names the trials set aside; nothing where there are none."""
    if not len(trials):
        return ""
    return f", setting aside the worst one in {SET_ASIDE_ONE_IN} (trial {listed(trials)})"


def first_few(lines: Iterable[str], most: int = 3) -> str:
    """Different lines, the first few of them, and how many more there are."""
    different = list(dict.fromkeys(lines))
    more = len(different) - most
    return "; ".join(different[:most]) + (f"; and {more} more" if more > 0 else "")


def listed(trials: Any, most: int = 5) -> str:
    """Numbers of trials or blocks, the first few."""
    names = [str(int(each)) for each in trials[:most]]
    return ", ".join(names) + (" …" if len(trials) > most else "")
