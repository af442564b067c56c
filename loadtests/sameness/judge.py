"""PURE: what was seen of two twins, side by side: the same, not the same, or not to be told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.environment.seed import SEEDED_AT
from loadtests.sameness.record import Side, Work
from loadtests.sameness.requests import Ask, Operation

LISTED = 4
SEEDED = SEEDED_AT.removesuffix(".000000").replace(" ", "T")
MOMENT = re.compile(rf'(_at":")(?!{SEEDED}")[^"]*"'.encode())
"""A timestamp that is not a seeded one: the moment at which the row was written."""
COMPARED_HEADERS = ("content-type", "allow", "retry-after")
NO_DIGESTS = (
    "the server keeps no statement digests, or does not show them to this user (performance_schema)"
)
NOT_COUNTED = "the driver's calls were not counted (telemetry is off)"
UNDERCOUNTED = (
    "the server counted fewer statements than the driver sent (its digest table is full?)"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `status` None when nothing did, `body` then says why."""

    status: int | None
    headers: tuple[tuple[str, str], ...]
    """Those of COMPARED_HEADERS that were sent."""
    body: bytes

    @property
    def comparable(self) -> tuple[int | None, tuple[tuple[str, str], ...], bytes]:
        """With the moment of writing taken out."""
        return self.status, self.headers, MOMENT.sub(rb'\1now"', self.body)


@dataclass(frozen=True, slots=True)
class Observed:
    """All that was seen of one twin."""

    name: str
    interface: Answer
    """Its OpenAPI document."""
    operations: tuple[tuple[Answer, Work], ...]
    """One for each operation asked."""
    generated: tuple[Answer, ...]
    generated_work: Work
    """Of all generated requests together."""
    connection: Work | None
    """Of opening one connection; None where it could not be told."""


def interface(here: Observed, there: Observed) -> Side:
    """Whether the OpenAPI documents are equal."""
    if here.interface.status != 200:
        return Side(
            ok=False, detail=f"{here.name} has no OpenAPI document ({here.interface.status})"
        )
    size = len(here.interface.body)
    if here.interface == there.interface:
        return Side(ok=True, detail=f"equal OpenAPI documents, {size:,} bytes")
    return Side(ok=False, detail=f"the OpenAPI documents of {here.name} and {there.name} differ")


def work(here: Observed, there: Observed, operations: Sequence[Operation]) -> Side:
    """Whether each operation cost the same statements and as many driver calls."""
    names = [operation.name for operation in operations] + ["the generated requests"]
    both = [[work for _, work in each.operations] + [each.generated_work] for each in (here, there)]
    arms = (here.name, there.name)
    differences = [
        difference
        for name, mine, other in zip(names, *both, strict=True)
        for difference in work_differences(name, arms, mine, other)
    ]
    if differences:
        return Side(ok=False, detail=listed(differences))
    if doubt := _doubt([*both[0], *both[1]]):
        return Side(ok=None, detail=doubt)
    statements = sum(work.sent or 0 for work in both[0])
    trips = sum(work.round_trips or 0 for work in both[0])
    detail = (
        f"{len(operations)} operations and the generated requests: the same {statements} "
        f"statements by the server's own digests, {trips} round trips counted in the driver"
    )
    return Side(ok=True, detail=detail)


def work_differences(name: str, arms: tuple[str, str], mine: Work, other: Work) -> list[str]:
    """How the work of one operation differs between two arms, as far as both were counted."""
    found = []
    for what, here, there in (
        ("", mine.statements, other.statements),
        ("driver's ", mine.driver, other.driver),
    ):
        if here is None or there is None:
            continue
        found += [
            f"{name}: {what}{shortened(each)} {here.get(each, 0)}× in {arms[0]}, "
            f"{there.get(each, 0)}× in {arms[1]}"
            for each in sorted({*here, *there})
            if here.get(each, 0) != there.get(each, 0)
        ]
    return found


def _doubt(everything: Sequence[Work]) -> str | None:
    """Why equal counts prove less than they should."""
    if any(work.statements is None for work in everything):
        return NO_DIGESTS
    if any(work.driver is None for work in everything):
        return NOT_COUNTED
    if any((work.sent or 0) < (work.round_trips or 0) for work in everything):
        return UNDERCOUNTED
    return None


def answers(
    here: Observed, there: Observed, operations: Sequence[Operation], asks: Sequence[Ask]
) -> Side:
    """Whether every request got the same answer, and every operation the one it should get."""
    names = [f"{operation.name} ({operation.ask})" for operation in operations]
    names += [str(ask) for ask in asks]
    both = [[answer for answer, _ in each.operations] + [*each.generated] for each in (here, there)]
    differences = [
        f"{operation.name}: {_status(answer)} in {each.name}, {operation.status} expected"
        for each in (here, there)
        for operation, (answer, _) in zip(operations, each.operations, strict=True)
        if answer.status != operation.status
    ]
    differences += [
        f"{name}: {_how_different(here.name, mine, there.name, other)}"
        for name, mine, other in zip(names, *both, strict=True)
        if mine.comparable != other.comparable or mine.status is None
    ]
    if differences:
        return Side(ok=False, detail=listed(differences))
    errors = sum((answer.status or 0) >= 400 for answer in both[0])
    detail = (
        f"{len(operations)} operations and {len(asks)} generated requests: equal status codes and "
        f"bodies, byte for byte but for the moment of writing; {errors} of them errors"
    )
    return Side(ok=True, detail=detail)


def _how_different(arm: str, mine: Answer, other_arm: str, other: Answer) -> str:
    if mine.status != other.status or mine.status is None:
        return f"{_status(mine)} in {arm}, {_status(other)} in {other_arm}"
    return "the bodies differ" if mine.headers == other.headers else "the headers differ"


def _status(answer: Answer) -> str:
    return "no answer" if answer.status is None else str(answer.status)


def listed(differences: Sequence[str]) -> str:
    """The first few differences in one line."""
    more = len(differences) - LISTED
    return "; ".join(differences[:LISTED]) + (f"; and {more} more" if more > 0 else "")


def shortened(statement: str, most: int = 60) -> str:
    """The beginning of a statement."""
    return statement if len(statement) <= most else f"{statement[: most - 1]}…"
