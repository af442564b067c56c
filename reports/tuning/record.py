"""What a tune run measured and decided on its way, as read back from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from loadtests.spec import Spec
from loadtests.tuning.score import Score
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.stages import Stage
from loadtests.tuning.start import Need

__all__ = ["ArmSearch", "Split", "Stage", "Tried", "TuneRecord"]


@dataclass(frozen=True, slots=True)
class Split:
    """Where the time of good answers went, means in ms (see `Server-Timing`)."""

    thread_ms: float
    pool_ms: float
    db_ms: float
    own_ms: float
    total_ms: float


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial that counts. `arm` is the spec's, not the derived name it was measured under.

    `unit` is what is resampled: the pass in `final`, the instance in `confirm`, `twice`,
    `distance` and `burst`, the block in `search`. `rung` exists in `search` and `final`;
    `rate_per_s` under open load, `users` under closed load.
    """

    arm: str
    setting: Setting
    stage: Stage
    unit: int
    block: int
    score: Score
    good_per_s: float
    window_s: float = 1.0
    """How long good answers were counted."""
    rate_per_s: float | None = None
    users: int | None = None
    rung: int | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    p99_beyond: bool = False
    """More than 1% were given up early: the true p99 lies beyond `p99_ms`."""
    given_up: int = 0
    """Steady requests that were given up early: late, and no errors."""
    patience_s: float | None = None
    """How old a request became before it was given up early; None where none ever is."""
    good: int = 0
    """Steady requests that were answered well, however late: those of `split`."""
    good_p50_ms: float | None = None
    """The median of their response times."""
    split: Split | None = None
    cpu_ms_per_request: float | None = None
    connections: int | None = None
    threads: int | None = None
    server: Mapping[str, float] = field(default_factory=dict)
    """What the database server counted of itself meanwhile; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class ArmSearch:
    """One arm's search: what could be tried, who was left, what was taken."""

    arm: str
    kind: Literal["app", "command", "url"]
    app: str | None
    present: Setting
    settings: tuple[Setting, ...]
    refused: Mapping[Setting, str]
    notes: tuple[str, ...]
    need: Need | None
    finalists: tuple[Setting, ...]
    taken: Setting | None
    alternate: Setting | None = None
    """The roomiest setting of the plateau, where that is not the one taken."""
    default: Setting | None = FRAMEWORK_DEFAULT
    """What the frameworks would give this arm; None where that cannot differ from what it has."""


@dataclass(frozen=True, slots=True)
class TuneRecord:
    """A whole tune run. `dropped` tells openly which blocks do not count, and why."""

    run: str
    status: Literal["complete", "interrupted"]
    spec: Spec
    hosts: int
    manifest: Mapping[str, Any]
    arms: tuple[ArmSearch, ...]
    tried: tuple[Tried, ...]
    dropped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What the run had to tell on its way: time that was spent, instances that died …"""
