"""PURE: the answer of a tune run in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.tuning.score import Objective
from reports import words
from reports.tuning import say
from reports.tuning.model import ArmReport, Change, TuneReport, Word
from reports.tuning.phrases import share_words


def title(report: TuneReport) -> str:
    """What to take, as short as a heading: `sync: take 10 + 0, gate; async: take 5 + 0`."""
    return "; ".join(_title(each, report.objective) for each in report.arms) or "Nothing was tuned"


def _title(arm: ArmReport, objective: Objective) -> str:
    name = words.tidy(arm.arm, 30)
    if arm.recommended is None:
        limit = f"{objective.p99_ms:g}{words.NBSP}ms"
        return (
            f"{name}: no setting keeps p99 within {limit}" if arm.nearest else f"{name}: no answer"
        )
    setting = say.short(arm.recommended, say.knobs_of(arm))
    if arm.confirmed:
        return f"{name}: take {setting}"
    return f"{name}: {setting} looks best, not confirmed"


def answer(arm: ArmReport, objective: Objective) -> str:
    """The answer of one arm in one sentence, with its intervals."""
    if arm.recommended is None:
        return _no_answer(arm, objective)
    setting = say.short(arm.recommended, say.knobs_of(arm))
    if arm.capacity is None:
        unproven = f"{setting} looks best so far, but was not measured again in fresh processes"
        return f"{_capital('; '.join(part for part in (_level(arm), unproven) if part))}."
    knee = say.knee(arm.capacity, arm.capacity.ci95_per_s)
    take = f"take {setting}: {knee} {objective_words(objective)}"
    gains = [each for each in (arm.over_default, arm.over_present) if each is not None]
    parts = [_level(arm), take, *_gains(arm, gains)]
    return f"{_capital('; '.join(part for part in parts if part))}."


def objective_words(objective: Objective) -> str:
    """`with p99 ≤ 100 ms`."""
    return f"with p99 ≤{words.NBSP}{objective.p99_ms:g}{words.NBSP}ms"


def _level(arm: ArmReport) -> str:
    """Which pools cannot be told apart: `pools of 5 and 40 connections cannot be told apart`; or
    that nobody could have told. Only those are named that were compared."""
    if len(arm.plateau) < 2:
        return ""
    totals = sorted(
        {each.found.setting.pool_size + each.found.setting.max_overflow for each in arm.plateau}
    )
    level = f"{len(arm.plateau)} settings"
    if len(totals) > 1:
        level = f"pools of {words.listed([str(each) for each in totals])} connections"
    if any(say.is_vague(each) for each in arm.plateau):
        return f"too little was measured to tell {level} apart"
    return f"{level} cannot be told apart"


def _gains(arm: ArmReport, changes: Sequence[Change]) -> list[str]:
    """`+40% [+31, +52] over the default 5 + 10`; changes that are not decided share their words."""
    told: dict[str, list[str]] = {}
    knobs = say.knobs_of(arm)
    for each in dict.fromkeys(changes):
        apart = say.apart(each.baseline, arm.recommended, knobs)
        other = f"{say.AGAINST[each.against]} {apart}"
        if each.word in ("better", "worse"):
            told.setdefault("", []).append(f"{say.change(each)} over {other}")
        else:
            size = "" if each.change_pct is None else f" ({say.change(each)})"
            told.setdefault(UNDECIDED[each.word], []).append(f"{other}{size}")
    return [
        f"{start}{' or '.join(said) if start else words.listed(said)}"
        for start, said in told.items()
    ]


UNDECIDED: dict[Word, str] = {
    "cannot be told apart": "no difference shown to ",
    "equivalent": "no difference that matters to ",
    "not measured": "not measured against ",
}


def _no_answer(arm: ArmReport, objective: Objective) -> str:
    nearest = arm.nearest
    if nearest is not None:
        setting = say.short(nearest.setting, say.knobs_of(arm))
        return (
            f"No setting kept p99 within {objective.p99_ms:g}{words.NBSP}ms. The nearest was "
            f"{setting}: at {words.per_s(nearest.offered_per_s)} "
            f"its p99 was {words.ms(nearest.p99_ms)}, with {words.percent(nearest.late_pct)} of "
            f"answers late and {share_words(nearest.error_pct)}; {nearest.limited_by}."
        )
    return "Nothing is recommended: too little was measured."


def standing(arm: ArmReport) -> str:
    """`confirmed`, `not confirmed`, `no setting`."""
    if arm.confirmed:
        return "confirmed"
    return "not confirmed" if arm.taken or arm.recommended else "no setting"


def overline(report: TuneReport) -> str:
    """What was asked of whom: scenario, objective, distance, fleet."""
    objective = report.objective
    parts = [
        words.tidy(report.scenario, 40),
        f"p99 ≤ {objective.p99_ms:g} ms, errors ≤ {objective.max_error_pct:g}%",
    ]
    if report.database_rtt_ms:
        parts.append(words.distance(report.database_rtt_ms))
    if report.hosts > 1:
        parts.append(f"{report.hosts} hosts")
    return ", ".join(parts)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
