"""What a tune run found out about settings: knees, changes, hazards … as frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from loadtests.tuning.setting import Setting
from reports.tuning.knee import Bound, Censored
from reports.tuning.record import Split, Stage

Role = Literal["taken", "alternate", "present", "default", "same budget"]
Word = Literal["better", "worse", "equivalent", "cannot be told apart", "not measured"]
Metric = Literal["knee_per_s", "good_per_s", "p99_ms"]
HazardKind = Literal["deadlock", "unfair-waiting", "max-connections"]
Interval = tuple[float | None, float | None]
"""None stands at an end that is open: what was measured bounds the number on one side only."""


@dataclass(frozen=True, slots=True)
class SettingKnee:
    """A setting's knee in requests/s with its 95% interval over `units` passes or instances.

    `censored`: "below" when it missed the objective already at the lowest load measured, which is
    `per_s` then; "above" when it still met it at the highest.
    """

    setting: Setting
    per_s: float
    ci95_per_s: Interval | None
    censored: Censored | None
    units: int


@dataclass(frozen=True, slots=True)
class Finalist:
    """A finalist's knee, and how far it lies behind the best of them (0 for the best itself)."""

    found: SettingKnee
    behind_pct: float | None
    behind_ci95_pct: Interval | None
    on_plateau: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One setting against another in one stage, units (instances) paired.

    `change_pct` is the candidate relative to the baseline; `ci95_pct` is adjusted for the
    comparisons that stand beside it. `bound`: one of two knees lies beyond the loads measured, so
    the true change is more (or less) than `change_pct`.
    """

    stage: Stage
    metric: Metric
    candidate_arm: str
    candidate: Setting
    baseline_arm: str
    baseline: Setting
    against: Role
    change_pct: float | None
    ci95_pct: Interval | None
    bound: Bound | None
    word: Word
    reason: str
    units: int

    @property
    def better_arm(self) -> str | None:
        """The arm that is better for sure; None where that is not decided."""
        return {"better": self.candidate_arm, "worse": self.baseline_arm}.get(self.word)


@dataclass(frozen=True, slots=True)
class AtTwice:
    """What a setting did at twice the knee of the best in its arm's finals."""

    setting: Setting
    offered_per_s: float
    good_per_s: float
    error_pct: float
    p99_ms: float | None
    p99_beyond: bool
    units: int


@dataclass(frozen=True, slots=True)
class Burst:
    """A burst of closed users on a setting, beside the calm load of as many as its pool holds."""

    setting: Setting
    users: int
    calm_users: int
    good_per_s: float
    calm_good_per_s: float
    error_pct: float
    p99_ms: float | None
    p99_beyond: bool
    calm_p99_ms: float | None
    patience_s: float | None
    """How old a request became before it was given up early; None where none ever is."""


@dataclass(frozen=True, slots=True)
class Hazard:
    """Something that arithmetic says can go wrong, and whether a burst showed it.

    `confirmed` None: no burst was measured, or it could not show this. `words` name the condition
    with its numbers, and what the burst showed.
    """

    kind: HazardKind
    setting: Setting
    roles: tuple[Role, ...]
    confirmed: bool | None
    words: str
    burst: Burst | None = None


@dataclass(frozen=True, slots=True)
class Nearest:
    """When no setting met the objective: the one that came nearest, and what limits it."""

    setting: Setting
    offered_per_s: float
    p99_ms: float | None
    p99_beyond: bool
    late_pct: float
    error_pct: float
    split: Split | None
    limited_by: str
    """In words: which part of the time dominates."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """Something to paste: a title, what language it is in, and the text."""

    title: str
    language: Literal["python", "shell", "ini", "text"]
    text: str
