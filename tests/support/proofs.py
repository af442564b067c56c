"""Proofs of sameness made by hand: of good twins, and of twins that differ in one respect."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.sameness.record import OperationWork, Proof, Side, Sides, Work

READ = Work(
    statements={"SELECT `id` FROM `items` WHERE `id` = ? ": 1, "ROLLBACK ": 2},
    driver={"execute": 1, "rollback": 2},
)
TWICE = Work(
    statements={"SELECT `id` FROM `items` WHERE `id` = ? ": 2, "ROLLBACK ": 2},
    driver={"execute": 2, "rollback": 2},
)


def sides(**kept: Side) -> Sides:
    alike = {
        name: Side(ok=True, detail=f"equal {name}")
        for name in ("source", "interface", "work", "answers")
    }
    return Sides(**{**alike, **kept})


def proof(twins: Sequence[str] = ("sync", "async"), *, last: Work = READ, **kept: Side) -> Proof:
    """The first of `twins` is the reference; `last` is what `get` cost the last one."""
    works = {**dict.fromkeys(twins, READ), twins[-1]: last}
    return Proof(
        reference=twins[0],
        arms={twin: sides(**(kept if twin == twins[-1] else {})) for twin in twins[1:]},
        operations=(OperationWork(name="get", request="GET /items/7", work=works),),
        connection={twins[0]: Work(statements={"SET NAMES ? ": 2}), twins[-1]: None},
        seed=1,
        generated=80,
    )


DIFFERENT_WORK = Side(ok=False, detail="get: SELECT 1× in sync, 2× in async")
