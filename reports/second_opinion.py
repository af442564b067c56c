"""PURE: our generator beside wrk: is it the same capacity, and the same difference of arms?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from loadtests.second_opinion.record import Opinion, Tool, Turn
from loadtests.trials import ClosedLoad
from reports.measures import Floats, tidy
from reports.model import (
    CAPACITY,
    ArmsSeen,
    Comparison,
    OpinionWord,
    ScenarioSummary,
    SecondOpinion,
)
from reports.statistics import WIDEST_LOG, Doubt, Estimate, t_estimate
from reports.words import change, interval, listed

WITHIN_PCT = 3.0
TOOLS: tuple[Tool, Tool] = ("ours", "wrk")

Rates = Mapping[tuple[Tool, str], Floats]
"""Good answers per second by tool and arm, in order of alternation."""


def judge_opinion(opinion: Opinion) -> SecondOpinion:
    """What the turns say. Differences are t intervals over pairs of adjacent turns at 95%."""
    if opinion.not_made is not None or not opinion.turns:
        why = opinion.not_made or "nothing was measured"
        return SecondOpinion("not made", f"There is no second opinion by wrk: {why}.")
    load = ClosedLoad(opinion.users or 1).name
    if (spoilt := _spoilt(opinion.turns)) is not None:
        detail = f"The second opinion by wrk cannot tell anything: {spoilt}."
        return SecondOpinion("cannot tell", detail, opinion.scenario, load)
    rates = rates_of(opinion)
    logs = np.concatenate([np.log(rates["ours", a] / rates["wrk", a]) for a in opinion.arms])
    estimate = t_estimate(logs)
    arms = tuple(_arms_seen(rates, opinion.arms[0], each) for each in opinion.arms[1:])
    word = word_of(estimate)
    return SecondOpinion(
        word=word,
        detail=" ".join([_sentence(opinion, word, estimate), *map(_arms_sentence, arms)]),
        scenario=opinion.scenario,
        load=load,
        pairs=len(logs),
        difference_pct=_change_pct(estimate),
        ci95_pct=_interval_pct(estimate),
        arms=arms,
    )


def with_warnings(
    scenarios: Sequence[ScenarioSummary], opinion: SecondOpinion | None
) -> tuple[ScenarioSummary, ...]:
    """The same scenarios; comparisons that wrk contradicts say so. No verdict changes."""
    if opinion is None:
        return tuple(scenarios)
    return tuple(
        replace(each, comparisons=tuple(_warned(c, opinion) for c in each.comparisons))
        if each.name == opinion.scenario
        else each
        for each in scenarios
    )


def _warned(comparison: Comparison, opinion: SecondOpinion) -> Comparison:
    if (comparison.load, comparison.metric) != (opinion.load, CAPACITY):
        return comparison
    arms = (comparison.baseline, comparison.candidate)
    against = [s for s in opinion.arms if s.contradict and (s.baseline, s.candidate) == arms]
    return replace(comparison, reasons=(*comparison.reasons, *map(_warning, against)))


def _spoilt(turns: Sequence[Turn]) -> str | None:
    """Why turns cannot be compared: a rate of good answers says little where many are not good."""
    failed = sum(turn.failed for turn in turns)
    if failed:
        return f"{failed} requests failed in its turns"
    if any(turn.per_s <= 0 for turn in turns):
        return "a turn got no answer at all"
    return None


def rates_of(opinion: Opinion) -> Rates:
    """The turns as rates, by tool and arm."""
    in_order = sorted(opinion.turns, key=lambda turn: turn.number)
    return {
        (tool, arm): np.array([t.per_s for t in in_order if (t.tool, t.arm) == (tool, arm)])
        for tool in TOOLS
        for arm in opinion.arms
    }


def word_of(estimate: Estimate | Doubt) -> OpinionWord:
    """Whether the tools agree within WITHIN_PCT, by the 95% interval of their log ratio."""
    ci = _interval_pct(estimate)
    if ci is None:
        return "cannot tell"
    low, high = ci
    if max(abs(low), abs(high)) <= WITHIN_PCT:
        return "agrees"
    return "differs" if low > WITHIN_PCT or high < -WITHIN_PCT else "cannot tell"


def _arms_seen(rates: Rates, baseline: str, candidate: str) -> ArmsSeen:
    ours, wrks = (
        t_estimate(np.log(rates[tool, candidate] / rates[tool, baseline])) for tool in TOOLS
    )
    own, other = _interval_pct(ours), _interval_pct(wrks)
    apart = own is not None and other is not None and (own[0] > other[1] or other[0] > own[1])
    return ArmsSeen(
        baseline, candidate, _change_pct(ours), own, _change_pct(wrks), other, contradict=apart
    )


def _change_pct(estimate: Estimate | Doubt) -> float | None:
    return None if isinstance(estimate, Doubt) else tidy(estimate.change_pct)


def _interval_pct(estimate: Estimate | Doubt) -> tuple[float, float] | None:
    if isinstance(estimate, Doubt) or estimate.half_width_log() > WIDEST_LOG:
        return None
    low, high = map(tidy, estimate.interval_pct())
    return None if low is None or high is None else (low, high)


def _sentence(opinion: Opinion, word: OpinionWord, estimate: Estimate | Doubt) -> str:
    where = f"{opinion.scenario} with {opinion.users} users, {listed(opinion.arms)}"
    if isinstance(estimate, Doubt):
        return f"The second opinion by wrk cannot tell anything ({where}): {estimate.reason}."
    by = f"{change(_change_pct(estimate))} ({interval(_interval_pct(estimate))})"
    said = {
        "agrees": f"wrk sees the same capacity as our generator within {WITHIN_PCT:g}%",
        "differs": f"our generator sees another capacity than wrk, by more than {WITHIN_PCT:g}%",
    }.get(word, f"too few turns to tell whether wrk and our generator agree within {WITHIN_PCT:g}%")
    return f"A second opinion: {said}; ours differs by {by} from wrk's ({where}, in turn)."


def _arms_sentence(seen: ArmsSeen) -> str:
    if seen.ci95_pct is None or seen.wrk_ci95_pct is None:
        return ""
    told = (
        f"{seen.candidate} against {seen.baseline}: {change(seen.change_pct)} "
        f"({interval(seen.ci95_pct)}) by ours, {change(seen.wrk_change_pct)} "
        f"({interval(seen.wrk_ci95_pct)}) by wrk"
    )
    return f"{told}, which contradict each other." if seen.contradict else f"{told}."


def _warning(seen: ArmsSeen) -> str:
    return (
        f"wrk saw another difference ({change(seen.wrk_change_pct)}, "
        f"{interval(seen.wrk_ci95_pct)}) than our generator did on the same processes "
        f"({change(seen.change_pct)}, {interval(seen.ci95_pct)})"
    )
