"""The shapes of a decision on slowdowns: each primary comparison against the limit, and the whole.

A *slowdown* is how much worse the candidate is, in percent of the baseline: capacity that is
missing, response time that came on top. A negative one is a gain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from reports.model import LoadFacts, Scope, Status

Outcome = Literal["passed", "failed", "not enough data", "invalid"]
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Planned:
    """A primary comparison that the run's spec plans, measured or not."""

    scenario: str
    metric: str
    baseline: str
    candidate: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One planned comparison against the limit."""

    planned: Planned
    load: LoadFacts | None
    """None where it was not measured, and so is everything else but the outcome and its reasons."""
    request: str | None
    change_pct: float | None
    ci95_pct: tuple[float, float] | None
    """As in the summary: adjusted for the number of primaries."""
    slowdown_pct: float | None
    slowdown_ci95_pct: tuple[float, float] | None
    """The least and the most that the interval allows."""
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    scope: Scope | None = None
    """Whether it speaks of the program or of one instance only; None where it was not measured."""


@dataclass(frozen=True, slots=True)
class More:
    """A plan by which a revision that is not slower would pass; times in seconds of wall time."""

    instances: int
    rounds: int
    wall_s: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What `bench gate` says of a run."""

    run: str
    status: Status
    max_slowdown_pct: float
    judged: tuple[Judged, ...]
    """Failed ones first, then invalid ones, then undecided ones."""
    commits: Mapping[str, str] = field(default_factory=dict)
    """By arm, what its `git_ref` stood for, as far as it is known."""
    notes: tuple[str, ...] = ()
    """What is missing or damaged in the run's folder."""
    more: More | None = None
    """Where it cannot tell, and more data would help within reason."""
    advice: str = ""
    """Where it did not pass: what to do."""

    @property
    def outcome(self) -> Outcome:
        """The whole. A clear failure stands whatever else is missing; what is invalid comes before
        what is undecided; a run that was interrupted, or in which anything is undecided, passes
        never."""
        outcomes = {each.outcome for each in self.judged}
        if "failed" in outcomes:
            return "failed"
        if "invalid" in outcomes:
            return "invalid"
        if self.status != "complete" or outcomes != {"passed"}:
            return "not enough data"
        return "passed"

    def those(self, outcome: Outcome) -> tuple[Judged, ...]:
        """The comparisons with one outcome."""
        return tuple(each for each in self.judged if each.outcome == outcome)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; null where a number does not exist."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "status": self.status,
            "outcome": self.outcome,
            "max_slowdown_pct": self.max_slowdown_pct,
            "comparisons": [_judged_json(each) for each in self.judged],
            "commits": dict(self.commits),
            "more": None if self.more is None else asdict(self.more),
            "advice": self.advice,
            "notes": list(self.notes),
        }


def _judged_json(judged: Judged) -> dict[str, Any]:
    planned = judged.planned
    return {
        "scenario": planned.scenario,
        "load": None if judged.load is None else judged.load.load,
        "metric": planned.metric,
        "request": judged.request,
        "baseline": planned.baseline,
        "candidate": planned.candidate,
        "outcome": judged.outcome,
        "scope": judged.scope,
        "change_pct": judged.change_pct,
        "ci95_pct": judged.ci95_pct,
        "slowdown_pct": judged.slowdown_pct,
        "slowdown_ci95_pct": judged.slowdown_ci95_pct,
        "reasons": list(judged.reasons),
    }
