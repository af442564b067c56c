"""PURE: one setting against another in one stage of a tune run, with interval and word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from reports.statistics import WIDEST_LOG, Doubt, Estimate, Floats, rate_log_ratio, t_estimate
from reports.tuning.findings import Change, Interval, Metric, Role, SettingKnee, Word
from reports.tuning.knee import Bound, Scored, knee, knee_estimate, knee_log_ratio_bound, rates_of
from reports.tuning.record import Stage, Tried
from reports.tuning.terms import METRICS


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
        estimate, bound = self._estimate(stage, metric, candidate, baseline)
        units = {t.unit for t in self.of(stage, candidate)}
        units &= {t.unit for t in self.of(stage, baseline)}
        word, reason, interval = _word(metric, estimate, bound, alpha, self.equivalence_pct)
        if not units:
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
            units=len(units),
        )

    def _estimate(
        self, stage: Stage, metric: Metric, candidate: Side, baseline: Side
    ) -> tuple[Estimate | Doubt, Bound | None]:
        if metric == "knee_per_s":
            low, high = (self.scored(stage, side) for side in (baseline, candidate))
            return knee_log_ratio_bound(low, high, self.objective)
        pairs = _in_same_blocks(self.of(stage, baseline), self.of(stage, candidate))
        if metric == "good_per_s":
            return _good_log_ratio(pairs), None
        return _p99_log_ratio(pairs), None


Pairs = Sequence[tuple[Tried, Tried]]


def _grouped(tried: Sequence[Tried]) -> dict[tuple[Stage, Side], list[Tried]]:
    found: dict[tuple[Stage, Side], list[Tried]] = defaultdict(list)
    for each in tried:
        found[each.stage, Side(each.arm, each.setting)].append(each)
    return dict(found)


def _in_same_blocks(baseline: Sequence[Tried], candidate: Sequence[Tried]) -> Pairs:
    by_block = {(each.block, each.unit): each for each in candidate}
    return [
        (each, by_block[each.block, each.unit])
        for each in baseline
        if (each.block, each.unit) in by_block
    ]


def _good_log_ratio(pairs: Pairs) -> Estimate | Doubt:
    """Good answers per second, summed over blocks before they are divided; t over instances."""
    if len({low.unit for low, _ in pairs}) < 2:
        return Doubt("fewer than two instances that both settings share")
    low, high = (_column(pairs, side, lambda t: t.good_per_s) for side in (0, 1))
    return rate_log_ratio(low, high, np.array([each.unit for each, _ in pairs], dtype=np.int64))


def _p99_log_ratio(pairs: Pairs) -> Estimate | Doubt:
    """The mean over instances of the mean log ratio of their trials' p99, where both are known."""
    ratios = defaultdict(list)
    for low, high in pairs:
        if low.p99_ms and high.p99_ms and not (low.p99_beyond or high.p99_beyond):
            ratios[low.unit].append(np.log(high.p99_ms / low.p99_ms))
    if len(ratios) < 2:
        return Doubt("fewer than two instances whose p99 is known for both")
    return t_estimate(np.array([np.mean(each) for each in ratios.values()]))


def _column(pairs: Pairs, side: int, value: Callable[[Tried], float]) -> Floats:
    return np.array([value(pair[side]) for pair in pairs], dtype=np.float64)


def _word(
    metric: Metric,
    estimate: Estimate | Doubt,
    bound: Bound | None,
    alpha: float,
    margin_pct: float,
) -> tuple[Word, str, Interval | None]:
    if isinstance(estimate, Doubt):
        return "cannot be told apart", estimate.reason, None
    low, high = estimate.interval_pct(alpha)
    if estimate.half_width_log(alpha) > WIDEST_LOG:
        return _next_to_nothing(metric, low, high)
    interval = (None if bound == "less than" else low, None if bound == "more than" else high)
    below = bound != "more than" and high < 0.0
    above = bound != "less than" and low > 0.0
    if bound is None and -margin_pct <= low and high <= margin_pct:
        return "equivalent", f"the whole interval lies within ±{margin_pct:g}%", interval
    if above or below:
        better = above == METRICS[metric].more_is_better
        reason = "the whole interval lies on one side of no change"
        return "better" if better else "worse", reason, interval
    return "cannot be told apart", "the interval holds no change", interval


def _told_pct(estimate: Estimate | Doubt, alpha: float) -> float | None:
    if isinstance(estimate, Doubt) or estimate.half_width_log(alpha) > WIDEST_LOG:
        return None
    return estimate.change_pct


def _next_to_nothing(metric: Metric, low: float, high: float) -> tuple[Word, str, Interval | None]:
    """An interval so wide that its middle says nothing: one side did next to nothing. Which side is
    better may still be known, and by how much at least."""
    wide = "the interval is wider than a factor of 100"
    if low <= 0.0 <= high:
        return "cannot be told apart", wide, None
    better = (low > 0.0) == METRICS[metric].more_is_better
    interval = (low, None) if low > 0.0 else (None, high)
    return "better" if better else "worse", f"{wide}, and lies on one side of no change", interval
