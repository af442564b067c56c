"""PURE: what is taken of an arm's finals: the plateau's cheapest, and its roomiest beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import Setting
from loadtests.tuning.stages import Chosen
from reports.tuning.knee import Scored
from reports.tuning.plateau import plateau_of


def choose(
    finals: Mapping[Setting, Sequence[tuple[int, Score]]], objective: Objective
) -> Chosen | None:
    """Of each finalist the passes and scores of its trials; None when none met the objective."""
    scored = {
        setting: [Scored(unit, score) for unit, score in trials]
        for setting, trials in finals.items()
    }
    plateau = plateau_of(scored, objective)
    if plateau is None:
        return None
    return Chosen(plateau.taken, plateau.alternate, round(plateau.knees[plateau.best].per_s, 1))
