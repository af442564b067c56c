"""The shapes that pass between schedule, generator and journal: what to load, and what happened.

Everything here is a value: no clock, no file, no socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Bools = npt.NDArray[np.bool_]
Phase = Literal["lead-in", "steady"]

TIMEOUT_WORDS = r"time[d]?[ _-]?out"
"""In the error of a sample without a status: it was waited for in vain."""
SAMPLE_SCHEMA = pa.schema(
    [
        ("arm", pa.string()),
        ("instance", pa.int32()),
        ("round", pa.int32()),
        ("block", pa.int32()),
        ("trial", pa.int32()),
        ("request", pa.string()),
        ("key", pa.int64()),
        ("arrival_ns", pa.int64()),
        ("sent_ns", pa.int64()),
        ("done_ns", pa.int64()),
        ("status", pa.int16()),
        ("ok", pa.bool_()),
        ("error", pa.string()),
        ("bytes", pa.int64()),
        ("thread_ms", pa.float64()),
        ("pool_ms", pa.float64()),
        ("db_ms", pa.float64()),
        ("total_ms", pa.float64()),
        ("phase", pa.string()),
    ]
)
"""One row per planned request. Times are `time.monotonic_ns` of the generator's machine; null where
the event never happened. In closed load arrival = sent. `round`, `block` and `trial` count from 0
within a run; `block` and `trial` are unique within the whole run."""


def waited_in_vain(
    *, silent: Bools, spoken: Bools, wordless: Bools, sent: Bools, done: Bools
) -> Bools:
    """Which samples that are not ok were given up, and did not fail. `silent`: no status came;
    `spoken`: the error has TIMEOUT_WORDS; `wordless`: there is no error. One that was sent and of
    which nothing was heard, not even an end, was waited for as well."""
    return silent & (spoken | (wordless & sent & ~done))


@dataclass(frozen=True, slots=True)
class ClosedLoad:
    """`users` clients, each waiting for its answer before the next request."""

    users: int

    @property
    def name(self) -> str:
        """The load's name in file names and reports, for example `closed-16`."""
        return f"closed-{self.users}"


@dataclass(frozen=True, slots=True)
class OpenLoad:
    """Requests sent on a schedule, whatever the server does."""

    rate_per_s: float
    arrivals: Literal["poisson", "uniform"] = "poisson"

    @property
    def name(self) -> str:
        """The load's name in file names and reports, for example `open-240`."""
        return f"open-{self.rate_per_s:g}"


Load = ClosedLoad | OpenLoad


@dataclass(frozen=True, slots=True)
class Target:
    """One running instance of an arm, as the generator sees it: a place to send requests to."""

    arm: str
    instance: int
    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    idle_limit_s: float = 4.0
    """Connections idle for longer are opened anew before a trial (servers close idle ones)."""


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """One trial: load one target under one scenario at one load.

    `seed` decides arrivals, request choice and keys; all arms of a block share it.
    """

    trial: int
    round: int
    block: int
    scenario: str
    load: Load
    target: Target
    seed: int
    lead_in_s: float
    steady_s: float


@dataclass(frozen=True, slots=True)
class TrialOutcome:
    """What the generator saw in one trial. Times in ns of `time.monotonic_ns`."""

    samples: pa.Table
    """Rows in SAMPLE_SCHEMA, one per planned request, in order of arrival."""
    start_ns: int
    steady_start_ns: int
    steady_end_ns: int
    drained_ns: int
    """When the last request was answered or given up."""
    planned: int
    sent: int
    recorded: int
    no_free_user: int
    """Arrivals that found every user busy and had to wait for one."""
    generator_cpu_s: float
    generator_wall_s: float
    generator_still_s: float | None = None
    """The longest the generator stood still although it was due; None where that is not known."""


class Generator(Protocol):
    """Whatever produces load: the resident Locust process, or a stand-in for tests."""

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        """Run one trial and return once it has drained."""
        ...

    def close(self) -> None:
        """End the generator and everything it holds."""
        ...


Int64Array = npt.NDArray[np.int64]
