"""PURE: the answer of a tune run in sentences: as a title, as a headline, arm by arm."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.tuning.score import Objective
from reports import words
from reports.model import Status
from reports.tuning import numbers, say
from reports.tuning.findings import Change, SettingKnee, Word
from reports.tuning.model import ArmReport, TuneReport
from reports.tuning.terms import ROLES


def title(report: TuneReport) -> str:
    """As short as a heading: `sync: take pool 10 + 0, gate; async: take pool 5 + 0`."""
    arms = [f"{words.tidy(arm.arm, 30)}: {_advice(arm, report.objective)}" for arm in report.arms]
    return "; ".join(arms) or "Nothing was tuned"


def headline(arms: Sequence[ArmReport], objective: Objective, status: Status) -> str:
    """Every arm's answer with its numbers, in one line: for programs and logs."""
    said = " ".join(f"{arm.arm}: {_answer(arm, objective)}" for arm in arms) or "Nothing was tuned."
    return said if status == "complete" else f"Not finished, so far: {said}"


def answer(arm: ArmReport, objective: Objective) -> str:
    """One arm's answer: the setting first, then what it bears, what is gained, what is level."""
    return words.capital(_answer(arm, objective))


def _advice(arm: ArmReport, objective: Objective) -> str:
    """What to do, and whether that is confirmed; `keep` what is set already."""
    if arm.recommended is None:
        unmet = f"no setting keeps p99 within {numbers.limit(objective)}"
        return unmet if arm.nearest else "no answer"
    setting = f"pool {say.short(arm.recommended, say.knobs_of(arm))}"
    if not arm.confirmed:
        return f"{setting} looks best, not confirmed"
    return f"{'keep' if arm.recommended == arm.present else 'take'} {setting}"


def _answer(arm: ArmReport, objective: Objective) -> str:
    advice = _advice(arm, objective)
    if arm.recommended is None:
        return f"{advice}. {_nearest(arm)}"
    if arm.capacity is None:
        measured = ["it was not measured again in fresh processes"]
    else:
        measured = [f"{_capacity(arm.capacity)} with {numbers.p99_limit(objective)}", *_gains(arm)]
    return f"{advice}: {'; '.join(measured)}.{_level(arm)}"


def _capacity(found: SettingKnee) -> str:
    """With what its interval is, for those who read no further."""
    known = found.ci95_per_s is not None and found.censored is None
    return f"{numbers.knee_of(found)}{' (95% interval)' if known else ''}"


def _level(arm: ArmReport) -> str:
    """Which pools cannot be told apart: ` In the finals pools of 5 and 40 connections could not be
    told apart.`; or that nobody could have told. Only those are named that were compared."""
    if len(arm.plateau) < 2:
        return ""
    totals = sorted(
        {each.found.setting.pool_size + each.found.setting.max_overflow for each in arm.plateau}
    )
    level = f"{len(arm.plateau)} settings"
    if len(totals) > 1:
        level = f"pools of {words.listed([str(each) for each in totals])} connections"
    if any(say.is_vague(each) for each in arm.plateau):
        return f" In the finals too little was measured to tell {level} apart."
    return f" In the finals {level} could not be told apart."


def _gains(arm: ArmReport) -> list[str]:
    """`+40% [+31, +52] over the default 5 + 10`; changes that are not decided share their words."""
    told: dict[str, list[str]] = {}
    knobs = say.knobs_of(arm)
    changes = [each for each in (arm.over_default, arm.over_present) if each is not None]
    for each in dict.fromkeys(changes):
        apart = say.apart(each.baseline, arm.recommended, knobs)
        other = f"{ROLES[each.against].short} {apart}"
        if each.word in ("better", "worse"):
            told.setdefault("", []).append(f"{numbers.change(each)} over {other}")
        else:
            told.setdefault(UNDECIDED[each.word], []).append(f"{other}{_in_brackets(each)}")
    return [
        f"{start}{' or '.join(said) if start else words.listed(said)}"
        for start, said in told.items()
    ]


def _in_brackets(change: Change) -> str:
    told = numbers.change(change)
    return "" if told == words.NOTHING else f" ({told})"


UNDECIDED: dict[Word, str] = {
    "cannot be told apart": "no difference shown to ",
    "equivalent": "no difference that matters to ",
    "not measured": "not measured against ",
}


def _nearest(arm: ArmReport) -> str:
    """Where no setting met the objective: which came nearest, and what limits it."""
    nearest = arm.nearest
    if nearest is None:
        return "Too little was measured."
    setting = say.short(nearest.setting, say.knobs_of(arm))
    errors = numbers.and_errors(nearest.error_pct, beyond=nearest.p99_beyond)
    return (
        f"The nearest is pool {setting} at {words.per_s(nearest.offered_per_s)}: "
        f"p99 {numbers.p99(nearest.p99_ms, beyond=nearest.p99_beyond)}, "
        f"{words.percent(nearest.late_pct)} of requests late{errors}. "
        f"{words.capital(nearest.limited_by)}."
    )


def standing(arm: ArmReport) -> str:
    """`confirmed`, `not confirmed`, `no setting`."""
    if arm.confirmed:
        return "confirmed"
    return "not confirmed" if arm.taken or arm.recommended else "no setting"


def overline(report: TuneReport) -> str:
    """What was asked of whom: scenario, objective, distance, fleet."""
    parts = [words.tidy(report.scenario, 40), numbers.both_limits(report.objective)]
    if report.database_rtt_ms:
        parts.append(words.distance(report.database_rtt_ms))
    if report.hosts > 1:
        parts.append(f"{report.hosts} hosts")
    return ", ".join(parts)
