"""What a run needs of the world besides load: tables put back, and readings at trial boundaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from loadtests.inspection import Inspection
from loadtests.trials import Target


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at an instance and the host; None where it cannot be known.

    CPU seconds are cumulative; `server_requests` counts since the process started.
    """

    t_ns: int
    cpu_s: float | None = None
    rss_mb: float | None = None
    threads: int | None = None
    connections: int | None = None
    in_flight: int | None = None
    server_requests: int | None = None
    database_cpu_s: float | None = None
    relay_cpu_s: float | None = None
    steal_s: float | None = None
    pressure_s: float | None = None
    apps_busy_s: float | None = None
    """CPU seconds that anybody used on the cores of the apps."""
    in_flight_s: float | None = None
    """Integral over time of the app's own gauge of requests in flight."""
    arrivals_ns: int | None = None
    """Sum of the instants of `time.monotonic_ns` at which requests came, by the app's clock."""
    last_error: str | None = None
    """What the app's last refused request failed for, in the error's own words."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A process that was seen stopped (state T, as by SIGSTOP) while a trial ran."""

    what: str
    seconds: float


class Bed(Protocol):
    """The running arms and their database, or a stand-in for tests."""

    @property
    def targets(self) -> Sequence[Target]:
        """Every running instance."""
        ...

    def put_back(self, arm: str) -> None:
        """Bring the arm's tables back to their seeded state."""
        ...

    def read(self, target: Target, *, full: bool) -> Reading:
        """Read an instance's usage and gauges; `full` (between trials) whatever costs more."""
        ...

    def settle(self, target: Target, within_s: float | None = None) -> int | None:
        """Wait until the instance has nothing left to do, for at most `within_s` (None: longer than
        an app lets requests wait); returns how many requests are still in flight then, None where
        it does not tell."""
        ...

    def watching(self, target: Target) -> AbstractContextManager[list[Stop]]:
        """Within the block, look for processes of a trial that are stopped; the list is filled
        when the block ends."""
        ...

    def inspect(self, round_number: int) -> Inspection:
        """Look at resources, settings and tables of everything, while nothing is loaded."""
        ...

    def server_counters(self) -> Mapping[str, float] | None:
        """What the database server has counted of itself since it started; None where there is no
        server that we may ask."""
        ...

    def check(self) -> None:
        """Raise EnvironmentNotReady when something that all arms need is gone."""
        ...

    def failure(self, target: Target) -> str | None:
        """Why the instance can no longer be measured; None while it lives."""
        ...
