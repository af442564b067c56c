"""The shape of a comparison of runs: what `compare.json` holds, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from reports.model import LoadFacts, Scope, Status, VerdictWord

ClaimWord = Literal["changed", "equivalent", "inconclusive", "no claim", "invalid"]
Source = Literal["summary.json", "samples"]


@dataclass(frozen=True, slots=True)
class Run:
    """One of the compared runs, called by a letter in the order they were given."""

    letter: str
    run: str
    what: str
    """What tells it from the others in a few words: `MariaDB 10.11.19`."""
    created_utc: str
    status: Status
    valid: bool
    headline: str
    answer_from: Source
    """Whether its answer is the stored one or was computed again from its samples."""
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One fact of the set-up that is not the same in all runs."""

    name: str
    values: tuple[str, ...]
    """One for each run."""


@dataclass(frozen=True, slots=True)
class Group:
    """Facts of the set-up that belong together."""

    title: str
    changes_the_ground: bool
    """Whether a difference here changes what every arm runs on, and so the common arm as well."""
    differences: tuple[Difference, ...]
    same: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A difference that by itself forbids a comparison of two runs in one scenario."""

    reference: str
    other: str
    scenario: str
    load: str | None
    """Of the reference run; None where the whole scenario is concerned."""
    why: str


@dataclass(frozen=True, slots=True)
class Within:
    """What one run says of its own two arms, which it loaded in turn.

    Numbers are null where the comparison is invalid or has none.
    """

    letter: str
    load: LoadFacts
    baseline: str
    candidate: str
    change_pct: float | None
    ci95_pct: tuple[float, float] | None
    scope: Scope
    verdict: VerdictWord
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """One run against the reference run, by way of the arm that both have in common.

    `change_pct` is of the ratio subject/through in the other run relative to that ratio in the
    reference run.
    """

    reference: str
    other: str
    through: str | None
    """The common arm, as the reference run calls it."""
    subject: str
    """The arm that is spoken of, as the reference run calls it."""
    other_subject: str
    """The same in the other run."""
    subject_differs: tuple[str, ...]
    """In which settings the two subjects differ."""
    change_pct: float | None
    ci95_pct: tuple[float, float] | None
    mde_pct: float | None
    degrees_of_freedom: float | None
    verdict: ClaimWord
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """One comparison of two arms, as every run answers it, and what may be claimed between runs."""

    scenario: str
    metric: str
    request: str | None
    primary: bool
    within: tuple[Within, ...]
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Absolute:
    """What one arm of one run reached by itself. Numbers of different runs are no comparison."""

    letter: str
    scenario: str
    load: LoadFacts
    arm: str
    metric: str
    request: str | None
    value: float | None
    ci95: tuple[float, float] | None
    valid: bool
    """Whether no check failed that makes this number answer nothing."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The whole answer."""

    schema: int
    kind: Literal["compare"]
    headline: str
    runs: tuple[Run, ...]
    setup: tuple[Group, ...]
    doubts: tuple[str, ...]
    """What cannot be known of the sameness of arms that the runs have in common, each once."""
    obstacles: tuple[Obstacle, ...]
    questions: tuple[Question, ...]
    absolutes: tuple[Absolute, ...]
    equivalence_pct: float
    primary_claims: int
    """How many primary claims were possible: their intervals are adjusted for this number."""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)
