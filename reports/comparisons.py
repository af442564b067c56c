"""PURE: the candidate against the baseline at one load: estimates, then verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loadtests.scenarios.model import Scenario
from reports.estimates import PERCENTILES, Question, estimate, estimates, spreads
from reports.gates import SPARED, crowding, saturation, unequal_errors
from reports.measures import LoadData, Pairing, pair_blocks, tidy
from reports.model import (
    CAPACITY,
    COST,
    PRIMARY_LATENCY,
    Comparison,
    GateResult,
    Outlook,
    Spread,
)
from reports.resolution import outlook
from reports.statistics import ALPHA, Doubt, Estimate
from reports.verdicts import Verdict, judge

FEW_INSTANCES = 3


@dataclass(frozen=True, slots=True)
class Rules:
    """What the spec fixed before the run."""

    primary_alpha: float
    equivalence_pct: float


def questions(
    data: LoadData, scenario: Scenario, requests: Sequence[str], is_primary_load: bool
) -> Iterator[Question]:
    """What is compared at a load, the primary first.

    Closed loads judge capacity and cost, open loads latency and cost. The whole is left out where
    there is one kind of request, since it would say the same twice. Where errors are expected
    capacity is all: it counts good answers, while a cost per request would count failures too.
    """
    if scenario.expect_errors:
        yield Question(CAPACITY, None, is_primary_load)
        return
    if data.facts.model == "closed":
        yield Question(CAPACITY, None, is_primary_load)
    else:
        judged = scenario.judged_request
        if is_primary_load:
            yield Question(PRIMARY_LATENCY, judged, True)
        names = (None, *requests) if len(requests) != 1 else tuple(requests)
        for name in names:
            for metric in PERCENTILES:
                if not (is_primary_load and metric == PRIMARY_LATENCY and name == judged):
                    yield Question(metric, name, False)
    yield Question(COST, None, False)


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two arms at one load: what was measured of them, and what is to be kept in mind."""

    data: LoadData
    baseline: str
    candidate: str
    pairing: Pairing
    gates: Sequence[GateResult]
    remarks: Sequence[str]
    rules: Rules


def compare(
    data: LoadData,
    baseline: str,
    candidate: str,
    asked: Sequence[Question],
    gates: Sequence[GateResult],
    rules: Rules,
) -> list[Comparison]:
    """A Comparison for each question asked of two arms at one load."""
    pairing = pair_blocks(data.trials, baseline, candidate)
    remarks = _remarks(data, pairing, (baseline, candidate))
    if crowd := crowding(gates, data.facts.load, (baseline, candidate)):
        remarks.append(crowd)
    meeting = Meeting(data, baseline, candidate, pairing, gates, remarks, rules)
    return [
        _comparison(meeting, question, found)
        for question, found in zip(asked, estimates(data, asked, pairing), strict=True)
    ]


def verdict_of(
    data: LoadData, baseline: str, candidate: str, question: Question, rules: Rules
) -> Verdict:
    """What the numbers alone say of one question, no gate asked."""
    found = estimate(data, question, pair_blocks(data.trials, baseline, candidate))
    return judge(
        question.metric, found, alpha=_alpha(question, rules), equivalence_pct=rules.equivalence_pct
    )


def _alpha(question: Question, rules: Rules) -> float:
    return rules.primary_alpha if question.primary else ALPHA


def _comparison(meeting: Meeting, question: Question, found: Estimate | Doubt) -> Comparison:
    spread, ahead = _spread(meeting, question, found)
    verdict = judge(
        question.metric,
        found,
        alpha=_alpha(question, meeting.rules),
        equivalence_pct=meeting.rules.equivalence_pct,
        failed_gates=_failed(meeting, question),
        remarks=meeting.remarks,
    )
    return Comparison(
        load=meeting.data.facts.load,
        metric=question.metric,
        request=question.request,
        primary=question.primary,
        baseline=meeting.baseline,
        candidate=meeting.candidate,
        change_pct=tidy(verdict.change_pct),
        ci95_pct=None if verdict.ci_pct is None else _tidy_ends(verdict.ci_pct),
        mde_pct=tidy(verdict.mde_pct),
        instances=meeting.pairing.instances,
        rounds=meeting.pairing.rounds,
        blocks=len(meeting.pairing.block),
        scope=meeting.pairing.scope,
        verdict=verdict.word,
        reasons=verdict.reasons,
        spread=spread,
        outlook=ahead,
        log_standard_error=None if isinstance(found, Doubt) else tidy(found.standard_error),
        degrees_of_freedom=None if isinstance(found, Doubt) else tidy(found.df),
    )


def _failed(meeting: Meeting, question: Question) -> list[str]:
    """What makes the comparison invalid, in words."""
    arms = (meeting.baseline, meeting.candidate)
    return [
        f"{gate.name} ({gate.arm or 'all arms'}): {gate.detail}"
        for gate in meeting.gates
        if gate.ok is False and _concerns(gate, meeting.data, question, arms)
    ]


def _spread(
    meeting: Meeting, question: Question, found: Estimate | Doubt
) -> tuple[Spread | None, Outlook | None]:
    """Where a primary's uncertainty comes from, and what would lessen it."""
    if isinstance(found, Doubt) or not question.primary:
        return None, None
    pairing, alpha = meeting.pairing, _alpha(question, meeting.rules)
    known = spreads(meeting.data, question, pairing)
    if known is None:
        return None, None
    ahead = outlook(found, known, len(pairing.block) / pairing.instances, alpha)
    return (
        Spread(_tidy(100.0 * known.instance_sd), _tidy(100.0 * known.block_sd)),
        Outlook(_tidy(ahead.twice_instances_pct), _tidy(ahead.twice_rounds_pct)),
    )


def _tidy(value: float) -> float:
    return tidy(value) or 0.0


def _tidy_ends(ci_pct: tuple[float, float]) -> tuple[float, float]:
    return _tidy(ci_pct[0]), _tidy(ci_pct[1])


def _concerns(gate: GateResult, data: LoadData, question: Question, arms: tuple[str, str]) -> bool:
    if gate.arm is not None and gate.arm not in arms:
        return False
    if gate.load is not None and gate.load != data.facts.load:
        return False
    return SPARED.get(gate.name) != question.metric


def _remarks(data: LoadData, pairing: Pairing, arms: tuple[str, str]) -> list[str]:
    remarks = [saturation(data, arm) for arm in arms]
    remarks.append(unequal_errors(data, arms))
    remarks.append(_silence(data, pairing, arms))
    if len(pairing.block) == 0:
        return [remark for remark in remarks if remark]
    if pairing.scope == "these instances":
        remarks.append("one instance only: this speaks of these processes, not of the program")
    elif pairing.instances < FEW_INSTANCES:
        remarks.append(f"{pairing.instances} instance pairs only: start more to learn more")
    return [remark for remark in remarks if remark]


def _silence(data: LoadData, pairing: Pairing, arms: tuple[str, str]) -> str | None:
    """A remark when one arm never answered inside a window of a closed load."""
    if data.facts.model != "closed":
        return None
    rates = data.good_per_s()
    silent = [
        arm
        for arm, rows in zip(arms, (pairing.baseline, pairing.candidate), strict=True)
        if len(rows) and not rates[rows].any()
    ]
    if len(silent) != 1:
        return None
    return (
        f"{silent[0]} gave no good answer in any measured window; it counts as half an answer per "
        "instance, so the true difference is larger"
    )
