"""What one run touches and keeps: its parts, whoever watches it, and the wish to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from loadtests.plan import Origin
from loadtests.sameness.record import Proof
from loadtests.scenarios.model import Scenario
from loadtests.schedule import Sizes
from loadtests.second_opinion.wrk import Counted
from loadtests.spec import Spec
from loadtests.store import RunStore
from loadtests.telemetry import Telemetry
from loadtests.testbed import Bed
from loadtests.trials import Generator, Load, Target, TrialOrder


class Interim(Protocol):
    """A primary comparison as it stands after some rounds."""

    @property
    def half_width_pct(self) -> float | None:
        """Half the width of its interval; None while it cannot be computed."""
        ...


class Watcher(Protocol):
    """Whoever shows progress."""

    def say(self, message: str) -> None:
        """Show one message."""
        ...

    def trial(self, order: TrialOrder, done: int, planned: int) -> None:
        """One trial is about to start; `done` of `planned` of this round are finished."""
        ...

    def round_finished(self, number: int, interims: Sequence[Interim]) -> None:
        """A round is stored, and its primaries stand like this."""
        ...


class Interruption:
    """The first Ctrl-C sets `requested`; the run ends after the trial it is in."""

    def __init__(self) -> None:
        self.requested = False


@dataclass
class Run:
    """Everything one run touches."""

    spec: Spec
    sizes: Sizes
    store: RunStore
    bed: Bed
    generator: Generator
    watcher: Watcher
    assess: Callable[[], Sequence[Interim]]
    interruption: Interruption = field(default_factory=Interruption)
    origin: Origin = field(default_factory=Origin)
    prove: Callable[[], Proof] | None = None
    """Looks whether the twins among the arms are the same; None where nothing real runs."""
    ask_wrk: Callable[[Scenario, Target, int], Counted] | None = None
    """Loads a target with wrk for a turn, with a seed; None where nothing real runs."""
    frozen: Mapping[str, tuple[Load, ...]] = field(default_factory=dict)
    """Loads that an earlier session of this run has frozen."""
    clock: Callable[[], float] = time.monotonic
    settle_within_s: float | None = None
    """How long after a trial its instance may go on with what clients gave up (see
    `Bed.settle`)."""

    def __post_init__(self) -> None:
        self.telemetry = Telemetry(self.bed, rows=self.store.read_telemetry())
        self.next_trial = self.origin.trial
        self.dirty: set[str] = set()
        self.targets: dict[tuple[str, int], Target] = {
            (target.arm, target.instance): target for target in self.bed.targets
        }


class InterruptedByUser(Exception):
    """The person asked to stop; the trial in hand is finished."""


def check_interruption(run: Run) -> None:
    """Raise InterruptedByUser when the person has asked to stop."""
    if run.interruption.requested:
        raise InterruptedByUser
