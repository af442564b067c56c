"""The shapes that pass from measuring known answers to judging them; values only."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from loadtests.selftest.behaviour import Behaviour
from loadtests.trials import ClosedLoad, Int64Array, Load, OpenLoad, TrialOutcome

LOG_COLUMNS = ("key", "connection", "read_ns", "start_ns", "due_ns", "end_ns")
NEVER = -1
"""In a log: this instant never came."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing whose answer is known."""

    name: str
    says: str
    """What is known about it, as a sentence."""
    behaviour: Behaviour
    load: Load
    steady_s: float
    lead_in_s: float = 0.5
    timeout_s: float = 10.0
    think_s: float = 0.0
    """Users of the case's locustfile wait this long after each answer."""
    locustfile: str | None = None
    pairs: int = 0
    """Two identical servers take turns for so many pairs of trials; 0: one server, one trial."""
    on_the_wire: bool = False
    """Packet times are captured as well, where that is allowed."""

    @property
    def is_open(self) -> bool:
        """Whether requests are sent on a schedule."""
        return isinstance(self.load, OpenLoad)

    @property
    def users(self) -> int:
        """Users of a closed load; 0 otherwise."""
        return self.load.users if isinstance(self.load, ClosedLoad) else 0

    @property
    def length_s(self) -> float:
        """How long it takes, as planned, without what is drained."""
        return max(1, 2 * self.pairs) * (self.lead_in_s + self.steady_s)


@dataclass(frozen=True, slots=True)
class ServerLog:
    """A server's own log of one trial, one row per request in the order in which they were read.

    `read_ns`: when the server woke up for it; `due_ns`: when its answer ought to leave; `end_ns`:
    the instant before the answer was handed to the system, or before its connection was closed.
    NEVER where that did not happen. Times are `time.monotonic_ns`.
    """

    key: Int64Array
    connection: Int64Array
    read_ns: Int64Array
    start_ns: Int64Array
    due_ns: Int64Array
    end_ns: Int64Array
    stalls_ns: tuple[tuple[int, int], ...] = ()
    """Beginning and end of each stall, as they were."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a trial ought to ask for: per request of an open load its instant, counted from the
    trial's start, and its key; and per key its service time and fate."""

    offset_ns: Int64Array
    keys: Int64Array
    service_ns: Int64Array
    fate: Int64Array


@dataclass(frozen=True, slots=True)
class WireTimes:
    """When requests and answers passed the loopback interface, by key; or why that is unknown."""

    key: Int64Array = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    asked_ns: Int64Array = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    answered_ns: Int64Array = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial of a case: what was to happen, what the generator said, what the server wrote."""

    server: int
    planned: Planned
    outcome: TrialOutcome
    log: ServerLog


@dataclass(frozen=True, slots=True)
class Measured:
    """A case with everything that was seen of it."""

    case: Case
    trials: tuple[Trial, ...]
    wire: WireTimes | None = None
    steal_pct: float | None = None
    pressure_pct: float | None = None
