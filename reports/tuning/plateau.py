"""PURE: which finalists cannot be told apart from the best, and the one of them to take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from reports.log_ratio import as_pct
from reports.statistics import Doubt, Estimate
from reports.tuning.knee import Knee, Scored, knee, knee_log_ratio

TOLERANCE_PCT = 2.0
"""A setting estimated to be worse than the best by more is not taken, however little is known."""
LEVEL_PCT = 1.0
"""Less than this is no difference, however surely it is known: with the same arrivals for all, two
settings that do the same can differ by a few late requests in the same direction every time."""


@dataclass(frozen=True, slots=True)
class Plateau:
    """`members`, in ascending order of cost, cannot be told apart from `best`; `taken` is the
    cheapest of them that is estimated within TOLERANCE_PCT. `behind`: each finalist's knee against
    the best's."""

    best: Setting
    members: tuple[Setting, ...]
    taken: Setting
    knees: dict[Setting, Knee]
    behind: dict[Setting, Estimate | Doubt]

    @property
    def alternate(self) -> Setting | None:
        """The roomiest member, with a gate if there is one with and one without; None when it is
        `taken`. It is what to fall back on where the cheapest turns out to be too small."""
        roomiest = max(self.members, key=lambda s: (s.room, s))
        return roomiest if roomiest != self.taken else None


def plateau_of(finals: Mapping[Setting, Sequence[Scored]], objective: Objective) -> Plateau | None:
    """Judge the finals; None when no finalist met the objective at any load."""
    knees = {s: found for s, trials in finals.items() if (found := knee(trials, objective))}
    met = [s for s, found in knees.items() if found.censored != "below"]
    if not met:
        return None
    best = max(met, key=lambda s: (knees[s].per_s, [-each for each in s.cost]))
    behind = {s: knee_log_ratio(finals[best], finals[s], objective) for s in met if s != best}
    members = [s for s in met if s == best or _may_be_level(knees[s], knees[best], behind[s])]
    close = [s for s in members if _behind_pct(knees[s], knees[best]) <= TOLERANCE_PCT]
    by_cost = sorted(members, key=lambda s: (s.cost, s))
    return Plateau(best, tuple(by_cost), min(close, key=lambda s: (s.cost, s)), knees, behind)


def _may_be_level(found: Knee, best: Knee, behind: Estimate | Doubt) -> bool:
    """Whether the interval of the difference reaches nought, or nearly; without one, whether the
    difference is small."""
    if isinstance(behind, Doubt):
        return _behind_pct(found, best) <= TOLERANCE_PCT
    return behind.interval_pct()[1] >= -LEVEL_PCT


def _behind_pct(found: Knee, best: Knee) -> float:
    return -as_pct(math.log(found.per_s / best.per_s))
