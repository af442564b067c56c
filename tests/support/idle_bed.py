"""A stand-in for the running arms: nothing runs, readings are simple arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from loadtests.inspection import AS_SEEDED, Inspection
from loadtests.testbed import Reading, Stop
from loadtests.trials import Target


@dataclass
class IdleBed:
    """Satisfies `loadtests.testbed.Bed`; counts what it was asked for."""

    arms: tuple[str, ...]
    instances: int
    first_instance: int = 0
    dead: tuple[str, int] | None = None
    put_backs: list[str] = field(default_factory=list)
    readings: int = 0
    last_error: str | None = None
    stops: dict[int, Stop] = field(default_factory=dict)
    """What is stopped in which trial, counting from 0 as they are watched."""
    watched: int = 0
    rss_mb: float = 80.0
    busy: dict[tuple[str, int], int] = field(default_factory=dict)
    """How many requests an instance is left with, whatever it is given to settle."""
    waits: list[tuple[str, int, float | None]] = field(default_factory=list)
    drift: dict[str, str] = field(default_factory=dict)

    @property
    def targets(self) -> Sequence[Target]:
        return [
            Target(arm, instance, f"http://127.0.0.1:{9000 + instance}")
            for arm in self.arms
            for instance in range(self.first_instance, self.first_instance + self.instances)
        ]

    def put_back(self, arm: str) -> None:
        self.put_backs.append(arm)

    def read(self, target: Target, *, full: bool) -> Reading:
        self.readings += 1
        return Reading(
            t_ns=self.readings * 10**9,
            cpu_s=self.readings * 0.5,
            rss_mb=self.rss_mb,
            threads=4,
            steal_s=self.readings * 0.01,
            pressure_s=None,
            last_error=self.last_error,
        )

    def settle(self, target: Target, within_s: float | None = None) -> int | None:
        left = self.busy.get((target.arm, target.instance), 0)
        self.waits.append((target.arm, target.instance, within_s))
        return left

    @contextmanager
    def watching(self, target: Target) -> Iterator[list[Stop]]:
        found: list[Stop] = []
        yield found
        found += [self.stops[self.watched]] if self.watched in self.stops else []
        self.watched += 1

    def inspect(self, round_number: int) -> Inspection:
        tables = {arm: self.drift.get(arm, AS_SEEDED) for arm in self.arms}
        return Inspection(round=round_number, tables=tables)

    def server_counters(self) -> dict[str, float] | None:
        return {"Questions": 10.0 * self.readings}

    def check(self) -> None:
        pass

    def failure(self, target: Target) -> str | None:
        gone = (target.arm, target.instance) == self.dead
        return f"{target.arm} #{target.instance} has ended" if gone else None
