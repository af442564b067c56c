"""PURE: the comparisons of all runs, like beside like, and what may be claimed between runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reports.compare.claims import Place, claim_of, no_counterpart
from reports.compare.meetings import Meeting, Other, meeting_of, other_run
from reports.compare.model import Claim, Obstacle, Question, Within
from reports.compare.record import RunRecord
from reports.model import Comparison
from reports.statistics import ALPHA, adjusted_alpha


@dataclass(frozen=True, slots=True)
class Row:
    """A comparison of the reference run with what each other run has of it, or why it has not."""

    scenario: str
    found: Comparison
    meetings: tuple[Meeting | str, ...]


@dataclass(frozen=True)
class Asked:
    """All questions of the reference run, met by the other runs."""

    letter: str
    reference: RunRecord
    others: tuple[Other, ...]
    rows: tuple[Row, ...]

    @property
    def primary_claims(self) -> int:
        """How many primary claims are possible: what both specs ask and both runs came to measure,
        however it came out."""
        return sum(
            isinstance(meeting, Meeting) and meeting.obstacle is None
            for row in self.rows
            if row.found.primary
            for meeting in row.meetings
        )


def ask(runs: Mapping[str, RunRecord]) -> Asked:
    """The questions of the runs by letter, the reference run first."""
    (letter, reference), *rest = runs.items()
    others = tuple(other_run(name, run, reference) for name, run in rest)
    rows = tuple(
        Row(
            scenario.name,
            found,
            tuple(meeting_of(reference, other, scenario.name, found) for other in others),
        )
        for scenario in reference.summary.scenarios
        for found in scenario.comparisons
    )
    return Asked(letter, reference, others, rows)


def answered(asked: Asked, equivalence_pct: float) -> tuple[Question, ...]:
    """Every question that any run answers, with the claims of each other run against the first."""
    primary_alpha = adjusted_alpha(asked.primary_claims)
    return (
        *(_question(asked, row, primary_alpha, equivalence_pct) for row in asked.rows),
        *_only_elsewhere(asked),
    )


def obstacles(asked: Asked) -> tuple[Obstacle, ...]:
    """What by itself forbids claims, each once."""
    found = [
        Obstacle(asked.letter, other.letter, row.scenario, row.found.load, why)
        for row in asked.rows
        if row.found.primary
        for other, meeting in zip(asked.others, row.meetings, strict=True)
        if (why := meeting if isinstance(meeting, str) else meeting.obstacle) is not None
    ]
    return tuple(dict.fromkeys(found))


def doubts(asked: Asked) -> tuple[str, ...]:
    """What cannot be known of the sameness of arms that the runs have in common, each once."""
    found = [
        doubt
        for other in asked.others
        for pair in other.arms.values()
        if pair.is_common
        for doubt in pair.doubts
    ]
    return tuple(dict.fromkeys(found))


def _question(asked: Asked, row: Row, primary_alpha: float, equivalence_pct: float) -> Question:
    alpha = primary_alpha if row.found.primary else ALPHA
    within = [within_run(asked.letter, asked.reference, row.scenario, row.found)]
    claims: list[Claim] = []
    for other, meeting in zip(asked.others, row.meetings, strict=True):
        if isinstance(meeting, Meeting):
            within.append(within_run(other.letter, other.run, row.scenario, meeting.other))
            place = Place(asked.letter, other.letter, alpha, equivalence_pct)
            claims.append(claim_of(meeting, place))
        else:
            claims.append(no_counterpart(row.found, asked.letter, other.letter, meeting))
    found = row.found
    return Question(
        row.scenario, found.metric, found.request, found.primary, tuple(within), tuple(claims)
    )


def _only_elsewhere(asked: Asked) -> Iterator[Question]:
    """What the reference run does not have: each run by itself, no claim."""
    for number, other in enumerate(asked.others):
        met = {
            (row.scenario, id(meeting.other))
            for row in asked.rows
            if isinstance(meeting := row.meetings[number], Meeting)
        }
        for scenario in other.run.summary.scenarios:
            for found in scenario.comparisons:
                if (scenario.name, id(found)) not in met:
                    why = f"{asked.letter} has nothing of the kind"
                    yield Question(
                        scenario.name,
                        found.metric,
                        found.request,
                        found.primary,
                        (within_run(other.letter, other.run, scenario.name, found),),
                        (no_counterpart(found, asked.letter, other.letter, why),),
                    )


def within_run(letter: str, run: RunRecord, scenario: str, found: Comparison) -> Within:
    """A run's own comparison; a failed one keeps its verdict and reasons, and loses its numbers."""
    shown = found.verdict != "invalid"
    return Within(
        letter=letter,
        load=run.load(scenario, found.load),
        baseline=found.baseline,
        candidate=found.candidate,
        change_pct=found.change_pct if shown else None,
        ci95_pct=found.ci95_pct if shown else None,
        scope=found.scope,
        verdict=found.verdict,
        reasons=found.reasons,
    )


def equivalence_of(runs: Sequence[RunRecord]) -> float:
    """The strictest of what the runs' specs call too small to matter, in percent."""
    return min(run.spec.run.equivalence_pct for run in runs)
