"""PURE: the highest offered load at which each arm keeps the objective, from a run's open loads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

from loadtests.tuning.score import Objective, Score
from reports.measures import LoadData
from reports.statistics import Doubt
from reports.tuning import numbers
from reports.tuning.knee import (
    Knee,
    Scored,
    knee,
    knee_estimate,
    knee_log_ratio_bound,
    loads_kept,
    rates_of,
)


@dataclass(frozen=True, slots=True)
class ArmKnee:
    """Where an arm's knee is. `claimed` is False where a check failed at any of its loads: then
    the knee is shown, but answers nothing. `kept`: by offered rate, whether all trials together
    met the objective, by the counts that the knee is read off."""

    knee: Knee
    interval_per_s: tuple[float, float] | None
    kept: Mapping[float, bool]
    claimed: bool = True
    trials: Sequence[Scored] = field(default=(), repr=False)

    @property
    def said(self) -> str:
        """In words: `210/s [190, 240]`, `≥ 270/s`."""
        return numbers.knee(self.knee, self.interval_per_s)


def arm_knee(
    at_loads: Sequence[LoadData],
    arm: str,
    request: str | None,
    objective: Objective,
    *,
    claimed: bool = True,
) -> ArmKnee | None:
    """From steady requests of one kind at two open loads or more; None with fewer.

    The estimate, its rules and its interval over instances (blocks, where an arm has one) are those
    of a tune run: `reports.tuning.knee`.
    """
    instances = {int(each) for data in at_loads for each in _own(data, arm, "instance")}
    unit = "instance" if len(instances) > 1 else "block"
    trials = [each for data in at_loads for each in _scored(data, arm, request, objective, unit)]
    rates = sorted({each.score.offered_per_s for each in trials})
    found = knee(trials, objective)
    if found is None or len(rates) < 2:
        return None
    return ArmKnee(
        found,
        None if found.censored else rates_of(knee_estimate(trials, objective)),
        loads_kept(trials, objective),
        claimed,
        trials,
    )


def told_apart(baseline: ArmKnee, candidate: ArmKnee, objective: Objective) -> bool:
    """Whether the 95% interval of the ratio of two knees holds no 1, over the instances (blocks)
    that both arms share; a knee beyond the loads counts as the last of them."""
    found, bound = knee_log_ratio_bound(baseline.trials, candidate.trials, objective)
    if isinstance(found, Doubt):
        return False
    half = found.half_width_log()
    low = -inf if bound == "less than" else found.log_ratio - half
    high = inf if bound == "more than" else found.log_ratio + half
    return low > 0.0 or high < 0.0


def _own(data: LoadData, arm: str, column: str) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    chosen = data.trials.loc[data.trials["arm"] == arm, column]
    return np.asarray(chosen.to_numpy(dtype="int64"))


def _scored(
    data: LoadData, arm: str, request: str | None, objective: Objective, unit: str
) -> Iterator[Scored]:
    """A score for each of the arm's trials with such requests."""
    counted = data.steady & data.of_request(request)
    late = counted & ~(data.ok & (data.response_ms <= objective.p99_ms))
    failed = counted & ~data.ok
    planned, missed, errors = (
        np.bincount(data.row[each], minlength=len(data.trials)) for each in (counted, late, failed)
    )
    offered = data.facts.rate_per_s or 0.0
    for row in np.flatnonzero((data.trials["arm"] == arm).to_numpy() & (planned > 0)):
        score = Score(offered, int(planned[row]), int(missed[row]), int(errors[row]))
        yield Scored(int(data.trials[unit].iloc[row]), score)
