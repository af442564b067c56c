"""One setting of an arm's pool, threads, workers and admission gate: what `bench tune` tries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Self

from loadtests.spec import Arm
from loadtests.tuning.spec import KNOBS, Knob

LONGEST_NAME = 40
"""As long as an arm's name may be."""


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """Values of all knobs, with the meanings of the spec's keys of the same names.

    Orders by the keys in the order of their names here.
    """

    pool_size: int
    max_overflow: int = 0
    threads: int = 40
    workers: int = 1
    admission: int = 0

    @classmethod
    def of(cls, arm: Arm) -> Self:
        """The setting that an arm has."""
        return cls(arm.pool_size, arm.max_overflow, arm.threads, arm.workers, arm.admission)

    @property
    def connections(self) -> int:
        """Most connections that one instance may hold, all its workers together."""
        return self.workers * (self.pool_size + self.max_overflow)

    @property
    def admitted(self) -> int | None:
        """Requests that one worker lets in at once; None without a gate."""
        if self.admission < 0:
            return None
        return self.admission or self.pool_size + self.max_overflow

    @property
    def cost(self) -> tuple[int, int, int, bool]:
        """What a setting takes up, the scarcest first: connections, threads, workers; then, whether
        it lacks a gate, without which nobody waits in turn. Of settings that cannot be told apart
        the smallest is recommended."""
        ungated = self.admitted is None
        return (self.connections, self.workers * self.threads, self.workers, ungated)

    @property
    def room(self) -> tuple[int, int, int, bool]:
        """How much a setting can bear: requests that have a thread and a connection at once, then
        what it takes up; a gate is better than none here as well."""
        at_once = self.workers * min(self.threads, self.pool_size + self.max_overflow)
        return (at_once, self.connections, self.workers * self.threads, self.admitted is not None)

    def with_knob(self, knob: Knob, value: int) -> Setting:
        """The same but for one knob."""
        return replace(self, **{knob: value})

    def to_json(self) -> dict[str, int]:
        """As `tune.json` has it."""
        return {knob: getattr(self, knob) for knob in KNOBS}

    @property
    def label(self) -> str:
        """Short and unique, fit for an arm's name: `p10-0.t40.w1.a0`; `an` is "no gate"."""
        gate = "n" if self.admission < 0 else str(self.admission)
        return f"p{self.pool_size}-{self.max_overflow}.t{self.threads}.w{self.workers}.a{gate}"

    @property
    def pool(self) -> str:
        """As SQLAlchemy's users write it: `5 + 10`."""
        return f"{self.pool_size} + {self.max_overflow}"

    @property
    def gate(self) -> str:
        """`no gate`, `gate` (as wide as the pool), `gate of 8`."""
        if self.admitted is None:
            return "no gate"
        return f"gate of {self.admission}" if self.admission else "gate"

    def parts(self, knobs: Collection[Knob]) -> list[str]:
        """The pool, then those of the other `knobs`: `5 + 10`, `40 threads`, `2 workers`, `gate`.
        The one wording of a setting: logs and reports join these."""
        others: dict[Knob, str] = {
            "threads": f"{self.threads} threads",
            "workers": _count(self.workers, "worker"),
            "admission": self.gate,
        }
        return [self.pool, *(words for knob, words in others.items() if knob in knobs)]

    def in_full(self, *, threads: bool = True) -> str:
        """Within a sentence: `pool 10 + 0, 40 threads, gate`; workers from two on."""
        left_out = {"workers" if self.workers == 1 else "", "" if threads else "threads"}
        return f"pool {', '.join(self.parts([k for k in KNOBS if k not in left_out]))}"

    @property
    def words(self) -> str:
        """In full, whatever the arm makes of it."""
        return self.in_full()

    def on(self, arm: Arm) -> Arm:
        """`arm` with this setting, under a name of its own."""
        room = LONGEST_NAME - len(self.label) - 1
        name = f"{arm.name[:room]}.{self.label}"
        return arm.model_copy(update={**self.to_json(), "name": name})


FRAMEWORK_DEFAULT = Setting(pool_size=5, max_overflow=10, threads=40, workers=1, admission=-1)
"""What one gets without asking: SQLAlchemy's QueuePool of 5 + 10
(https://docs.sqlalchemy.org/en/20/core/pooling.html), AnyIO's 40 threads
(https://anyio.readthedocs.io/en/stable/threads.html), one worker, nothing in front of the pool."""


def fleet_connections(setting: Setting, hosts: int) -> int:
    """Most connections of all workers on all hosts."""
    return hosts * setting.connections


def fleet_words(setting: Setting, hosts: int) -> str:
    """The multiplication: `4 hosts × 2 workers × (10 + 0) = 80 connections`."""
    counted = f"{_count(hosts, 'host')} × {_count(setting.workers, 'worker')}"
    wanted = fleet_connections(setting, hosts)
    return f"{counted} × ({setting.pool_size} + {setting.max_overflow}) = {wanted} connections"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
