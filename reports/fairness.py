"""PURE: why twins can be compared: the four sides of their sameness, as rows of words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtests.sameness.record import Proof, Side, Work
from reports.tables import Table
from reports.words import NOTHING, listed

SIDES = {
    "source": "Source",
    "interface": "Interface",
    "work": "Work",
    "answers": "Answers",
}
OUTCOMES = {True: "✓ the same", False: "✕ different", None: "– could not be checked"}
KINDS = ("SELECT", "INSERT", "UPDATE", "DELETE", "COMMIT", "ROLLBACK")
NO_TABLE = Table((), ())


@dataclass(frozen=True, slots=True)
class Fairness:
    """The section "Why this comparison is fair"."""

    intro: str
    sides: Table = NO_TABLE
    work: Table = NO_TABLE
    """Operation by kind of statement: one number per twin."""
    digests: Table = NO_TABLE
    """The same with every statement as the server names it."""
    connection: str = ""


def fairness(proofs: Sequence[Proof]) -> Fairness | None:
    """The section; None for a run that did not look. A session that saw a difference speaks."""
    if not proofs:
        return None
    proof = next((each for each in proofs if _differs(each)), proofs[-1])
    others = "; ".join(f"{arm}: {reason}" for arm, reason in proof.not_checked.items())
    if proof.reference is None:
        return Fairness(f"Whether the arms are the same but for async was not checked ({others}).")
    twins = (proof.reference, *proof.arms)
    return Fairness(
        intro=_intro(proof, twins) + (f" Not checked: {others}." if others else ""),
        sides=_sides(proof),
        work=_work(proof, twins),
        digests=_digests(proof, twins),
        connection=_connection(proof.connection),
    )


def _differs(proof: Proof) -> bool:
    return any(side.ok is False for sides in proof.arms.values() for _, side in sides)


def _intro(proof: Proof, twins: Sequence[str]) -> str:
    return (
        f"{listed(twins)} are twins: the same service, once awaiting its database and once not. "
        f"Before anything was measured, one instance of each was asked {len(proof.operations)} "
        f"operations and {proof.generated} generated requests on the same rows, and looked at from "
        "four sides. If interface, work or answers differ, no verdict between them is valid."
    )


def _sides(proof: Proof) -> Table:
    several = len(proof.arms) > 1
    rows = [
        (SIDES[name], *((arm,) if several else ()), OUTCOMES[side.ok], side.detail)
        for arm, sides in proof.arms.items()
        for name, side in _each(sides)
    ]
    head = ("Side", *((f"Against {proof.reference}",) if several else ()), "Outcome")
    return Table((*head, "What was seen"), tuple(rows))


def _each(sides: object) -> list[tuple[str, Side]]:
    return [(name, getattr(sides, name)) for name in SIDES]


def kind(statement: str) -> str:
    """The first word of a statement, in capitals."""
    return statement.split(maxsplit=1)[0].upper() if statement.strip() else NOTHING


def _work(proof: Proof, twins: Sequence[str]) -> Table:
    """Statements by the server's count, round trips by the driver's."""
    seen = {
        kind(statement)
        for operation in proof.operations
        for work in operation.work.values()
        for statement in work.statements or ()
    }
    kinds = [*KINDS, *sorted(seen - set(KINDS))]
    rows = []
    for operation in proof.operations:
        works = [operation.work.get(twin, Work()) for twin in twins]
        counted = [[_of_kind(work, each) for work in works] for each in kinds]
        trips = [work.round_trips for work in works]
        cells = [_beside(counts) for counts in (*counted, trips)]
        rows.append((operation.name, *cells))
    return Table(("Operation", *kinds, "Round trips"), tuple(rows))


def _of_kind(work: Work, wanted: str) -> int | None:
    if work.statements is None:
        return None
    return sum(n for statement, n in work.statements.items() if kind(statement) == wanted)


def _beside(counts: Sequence[int | None]) -> str:
    """One number per twin: `1 / 1`; a dash where none has any."""
    if not any(counts):
        return NOTHING
    return " / ".join(NOTHING if count is None else str(count) for count in counts)


def _digests(proof: Proof, twins: Sequence[str]) -> Table:
    rows = []
    for operation in proof.operations:
        counts = [operation.work.get(twin, Work()).statements or {} for twin in twins]
        for statement in sorted({text for each in counts for text in each}, key=_in_order):
            numbers = (str(each.get(statement, 0)) for each in counts)
            rows.append((operation.name, operation.request, readable(statement), *numbers))
    head = ("Operation", "Request", "Statement, as the server counts it")
    return Table((*head, *twins), tuple(rows))


def readable(statement: str) -> str:
    """A digest's text without the quotes and blanks that servers put around every name."""
    return statement.replace("`", "").replace(" . ", ".").replace(" , ", ", ").strip()


def _in_order(statement: str) -> tuple[int, str]:
    first = kind(statement)
    return (KINDS.index(first) if first in KINDS else len(KINDS)), statement


def _connection(opened: Mapping[str, Work | None]) -> str:
    """What opening a connection costs: no part of an operation, and up to the driver."""
    known = {arm: work.statements for arm, work in opened.items() if work and work.statements}
    if not known:
        return ""
    told = [
        f"{arm} sends "
        + listed(f"{readable(text)}{f' ×{n}' if n > 1 else ''}" for text, n in sorted(sent.items()))
        for arm, sent in known.items()
    ]
    return (
        "Opening a connection is no part of an operation: pools keep theirs for the whole run. "
        f"What it takes is up to each driver: {'; '.join(told)}."
    )
