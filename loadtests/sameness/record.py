"""The shape of a run's proof of sameness, as the journal's `sameness` event holds it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

Counts = Mapping[str, int]
ROUND_TRIPS = ("execute", "commit", "rollback", "ping")
"""Driver calls that wait for the server; opening a connection is told apart."""


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Side(_Shape):
    """One side of the proof: `ok` None means that it could not be checked."""

    ok: bool | None
    detail: str


class Work(_Shape):
    """What something cost: statements by digest text as the server counted them, and driver calls.

    None where they are not counted; what did not happen is left out.
    """

    statements: Counts | None = None
    driver: Counts | None = None

    def less(self, other: Work) -> Work:
        """What was counted here beyond what was counted there."""
        return Work(
            statements=_less(self.statements, other.statements),
            driver=_less(self.driver, other.driver),
        )

    @property
    def sent(self) -> int | None:
        """Statements that the server counted."""
        return None if self.statements is None else sum(self.statements.values())

    @property
    def round_trips(self) -> int | None:
        """Driver calls that waited for the server."""
        return None if self.driver is None else sum(self.driver.get(k, 0) for k in ROUND_TRIPS)


def _less(counts: Counts | None, other: Counts | None) -> Counts | None:
    if counts is None or other is None:
        return None
    grown = {name: count - other.get(name, 0) for name, count in counts.items()}
    return {name: count for name, count in grown.items() if count}


class OperationWork(_Shape):
    """What one operation cost each twin."""

    name: str
    request: str
    work: Mapping[str, Work]


class Sides(_Shape):
    """The four sides of one twin against the first."""

    source: Side
    interface: Side
    work: Side
    answers: Side

    @property
    def judged(self) -> Mapping[str, Side]:
        """Those that decide whether results are valid. A comment may differ in the source."""
        return {"interface": self.interface, "work": self.work, "answers": self.answers}


class Proof(_Shape):
    """Every twin of a run against the first of them, its `reference`."""

    reference: str | None = None
    """None where there were not two twins."""
    arms: Mapping[str, Sides] = {}
    """By arm, without the reference."""
    not_checked: Mapping[str, str] = {}
    """Why, by arm."""
    operations: tuple[OperationWork, ...] = ()
    connection: Mapping[str, Work | None] = {}
    """What opening one connection cost, by arm; None where it could not be told."""
    seed: int = 0
    generated: int = 0
    """Requests with generated inputs."""
    took_s: float = 0.0
