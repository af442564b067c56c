"""PURE: what may be claimed of another run against the reference run, and with what interval."""

from __future__ import annotations

from dataclasses import dataclass

from reports import words
from reports.compare.meetings import Meeting
from reports.compare.model import Claim, ClaimWord
from reports.compare.ratio import inverted, judged, ratio_of_ratios
from reports.log_ratio import as_log
from reports.measures import tidy
from reports.model import Comparison
from reports.statistics import Doubt, Estimate


@dataclass(frozen=True, slots=True)
class Place:
    """Which two runs are set against each other, and by what rules."""

    reference: str
    other: str
    """Letters."""
    alpha: float
    equivalence_pct: float


def claim_of(meeting: Meeting, place: Place) -> Claim:
    """The claim, or why there is none. A comparison that failed a check in either run gives no
    number at all."""
    if meeting.obstacle is not None:
        return _claim(meeting, place, "no claim", (meeting.obstacle,))
    failed = _failed(meeting, place)
    if failed:
        return _claim(meeting, place, "invalid", failed)
    found = _found(meeting, place)
    word, verdict = judged(found, alpha=place.alpha, equivalence_pct=place.equivalence_pct)
    ci = verdict.ci_pct
    return _claim(
        meeting,
        place,
        word,
        (*verdict.reasons, *_all_remarks(meeting)),
        change_pct=tidy(verdict.change_pct) if ci else None,
        ci95_pct=None if ci is None else (tidy(ci[0]) or 0.0, tidy(ci[1]) or 0.0),
        mde_pct=tidy(verdict.mde_pct),
        degrees_of_freedom=None if isinstance(found, Doubt) else tidy(found.df),
    )


def no_counterpart(comparison: Comparison, reference: str, other: str, why: str) -> Claim:
    """No claim, because one of two runs does not have the comparison."""
    return Claim(
        reference=reference,
        other=other,
        through=None,
        subject=comparison.candidate,
        other_subject=comparison.candidate,
        subject_differs=(),
        change_pct=None,
        ci95_pct=None,
        mde_pct=None,
        degrees_of_freedom=None,
        verdict="no claim",
        reasons=(why,),
    )


def _failed(meeting: Meeting, place: Place) -> tuple[str, ...]:
    sides = ((place.reference, meeting.reference), (place.other, meeting.other))
    return tuple(
        f"invalid in {letter}: {words.tidy('; '.join(each.reasons)) or 'a check failed'}"
        for letter, each in sides
        if each.verdict == "invalid"
    )


def _found(meeting: Meeting, place: Place) -> Estimate | Doubt:
    reference, other = _estimate(meeting.reference), _estimate(meeting.other)
    if reference is None or other is None:
        silent = place.reference if reference is None else place.other
        comparison = meeting.reference if reference is None else meeting.other
        why = words.tidy(comparison.reasons[0]) if comparison.reasons else "too little was measured"
        return Doubt(f"{silent} has no interval of its own: {why}")
    return ratio_of_ratios(
        inverted(reference) if meeting.reference_is_turned else reference,
        inverted(other) if meeting.other_is_turned else other,
    )


def _estimate(comparison: Comparison) -> Estimate | None:
    told = comparison.log_standard_error, comparison.degrees_of_freedom
    if comparison.change_pct is None or comparison.ci95_pct is None or None in told:
        return None
    standard_error, df = told
    assert standard_error is not None
    assert df is not None
    return Estimate(as_log(comparison.change_pct), standard_error, df)


def _all_remarks(meeting: Meeting) -> tuple[str, ...]:
    remarks = meeting.remarks
    if "these instances" in (meeting.reference.scope, meeting.other.scope):
        remarks += ("one instance only: this speaks of these processes, not of the program",)
    return remarks


def _claim(
    meeting: Meeting,
    place: Place,
    word: ClaimWord,
    reasons: tuple[str, ...],
    *,
    change_pct: float | None = None,
    ci95_pct: tuple[float, float] | None = None,
    mde_pct: float | None = None,
    degrees_of_freedom: float | None = None,
) -> Claim:
    return Claim(
        reference=place.reference,
        other=place.other,
        through=meeting.through.name if meeting.through.is_common else None,
        subject=meeting.subject.name,
        other_subject=meeting.subject.other_name,
        subject_differs=meeting.subject.differences,
        change_pct=change_pct,
        ci95_pct=ci95_pct,
        mde_pct=mde_pct,
        degrees_of_freedom=degrees_of_freedom,
        verdict=word,
        reasons=reasons,
    )
