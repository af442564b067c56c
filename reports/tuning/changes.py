"""PURE: one setting against another in one stage of a tune run, with interval and word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from reports.statistics import WIDEST_LOG, Doubt, Estimate
from reports.tuning.findings import Change, Interval, Metric, Role, SettingKnee, Word
from reports.tuning.knee import Bound, Scored, knee, knee_estimate, knee_log_ratio_bound, rates_of
from reports.tuning.paired import FEWEST_UNITS, Pairs, good, many_units, ratio, shared_blocks
from reports.tuning.record import Stage, Tried
from reports.words import more_is_better


@dataclass(frozen=True, slots=True)
class Side:
    """A setting of an arm."""

    arm: str
    setting: Setting


class Trials:
    """The trials of a record by stage, arm and setting."""

    def __init__(
        self, tried: Sequence[Tried], objective: Objective, equivalence_pct: float
    ) -> None:
        self.objective = objective
        self.equivalence_pct = equivalence_pct
        self._found: Mapping[tuple[Stage, Side], list[Tried]] = _grouped(tried)

    def of(self, stage: Stage, side: Side) -> list[Tried]:
        """What was measured of a setting in a stage."""
        return self._found.get((stage, side), [])

    def scored(self, stage: Stage, side: Side) -> list[Scored]:
        """Its open loads, as the knee wants them."""
        open_loads = [each for each in self.of(stage, side) if each.rate_per_s is not None]
        return [Scored(each.unit, each.score) for each in open_loads]

    def knee(self, stage: Stage, side: Side) -> SettingKnee | None:
        """A setting's knee in a stage with its 95% interval; None where nothing was measured."""
        trials = self.scored(stage, side)
        found = knee(trials, self.objective)
        if found is None:
            return None
        interval = rates_of(knee_estimate(trials, self.objective))
        units = len({each.unit for each in trials})
        return SettingKnee(side.setting, found.per_s, interval, found.censored, units)

    def compare(
        self,
        stage: Stage,
        metric: Metric,
        candidate: Side,
        baseline: Side,
        against: Role,
        alpha: float,
    ) -> Change:
        """The candidate's change against the baseline, judged at `alpha`."""
        estimate, bound, units = self._estimate(stage, metric, candidate, baseline)
        both = all(self.of(stage, side) for side in (candidate, baseline))
        word, reason, interval = word_of(metric, estimate, bound, alpha, self.equivalence_pct)
        if not both:
            word, reason = "not measured", "not measured for both"
        return Change(
            stage=stage,
            metric=metric,
            candidate_arm=candidate.arm,
            candidate=candidate.setting,
            baseline_arm=baseline.arm,
            baseline=baseline.setting,
            against=against,
            change_pct=_told_pct(estimate, alpha),
            ci95_pct=interval,
            bound=bound,
            word=word,
            reason=reason,
            units=units,
        )

    def _estimate(
        self, stage: Stage, metric: Metric, candidate: Side, baseline: Side
    ) -> tuple[Estimate | Doubt, Bound | None, int]:
        """With the number of units that both have of what is compared."""
        if metric == "knee_per_s":
            low, high = (self.scored(stage, side) for side in (baseline, candidate))
            units = len({each.unit for each in low} & {each.unit for each in high})
            return *knee_log_ratio_bound(low, high, self.objective), units
        pairs = shared_blocks(self.of(stage, baseline), self.of(stage, candidate))
        if metric == "good_per_s":
            return good(pairs), None, many_units(pairs)
        return _p99_log_ratio(pairs), None, many_units(pairs)


def _grouped(tried: Sequence[Tried]) -> dict[tuple[Stage, Side], list[Tried]]:
    found: dict[tuple[Stage, Side], list[Tried]] = defaultdict(list)
    for each in tried:
        found[each.stage, Side(each.arm, each.setting)].append(each)
    return dict(found)


def _p99_log_ratio(pairs: Pairs) -> Estimate | Doubt:
    """The mean over instances of the mean log ratio of their trials' p99. A single one that lies
    beyond what was waited for, or of a trial without any answer, leaves nothing to compare: the
    rest alone would flatter it."""
    beyond = _some(pairs, lambda each: each.p99_beyond, "lies beyond what was waited for")
    unknown = _some(pairs, lambda each: not each.p99_ms, "is not known")
    if beyond or unknown:
        return Doubt(beyond or unknown)
    if many_units(pairs) < FEWEST_UNITS:
        return Doubt("fewer than two instances whose p99 is known for both")
    return ratio(pairs, lambda each: each.p99_ms)


def _some(pairs: Pairs, lacks: Callable[[Tried], bool], what: str) -> str:
    """Whose p99 cannot be used in how many trials; empty where all can."""
    sides = [
        whose
        for side, whose in enumerate(("the other's", "its own"))
        if any(lacks(pair[side]) for pair in pairs)
    ]
    trials = sum(lacks(one) or lacks(other) for one, other in pairs)
    return f"{' and '.join(sides)} p99 {what} in {trials} of {len(pairs)} trials" if sides else ""


def word_of(
    metric: Metric,
    estimate: Estimate | Doubt,
    bound: Bound | None,
    alpha: float,
    margin_pct: float,
) -> tuple[Word, str, Interval | None]:
    """The word, why, and the interval without those ends that the bound leaves open. Where one side
    did next to nothing the middle of the interval says nothing, but its near end still may."""
    if isinstance(estimate, Doubt):
        return "cannot be told apart", estimate.reason, None
    ends = estimate.interval_pct(alpha)
    low, high = (
        None if bound == "less than" else ends[0],
        None if bound == "more than" else ends[1],
    )
    above, below = low is not None and low > 0.0, high is not None and high < 0.0
    word: Word = "better" if above == more_is_better(metric) else "worse"
    side = "on one side of no change"
    if estimate.half_width_log(alpha) > WIDEST_LOG:  # one side did next to nothing
        wide = "the interval is wider than a factor of 100"
        if not (above or below):
            return "cannot be told apart", wide, None
        return word, f"{wide}, and lies {side}", (low, None) if above else (None, high)
    if bound is None and -margin_pct <= ends[0] and ends[1] <= margin_pct:
        return "equivalent", f"the whole interval lies within ±{margin_pct:g}%", (low, high)
    if above or below:
        return word, f"the whole interval lies {side}", (low, high)
    return "cannot be told apart", "the interval holds no change", (low, high)


def _told_pct(estimate: Estimate | Doubt, alpha: float) -> float | None:
    if isinstance(estimate, Doubt) or estimate.half_width_log(alpha) > WIDEST_LOG:
        return None
    return estimate.change_pct
