"""PURE: the gate on the arms' tables: back to what was seeded whenever a round begins or ends."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.inspection import AS_SEEDED, Inspection
from reports.model import GateResult


def tables_gate(arm: str, inspections: Sequence[Inspection]) -> GateResult:
    """How often an arm's table was found to differ from its seed when it should not have."""
    looks = [(look.round, look.tables[arm]) for look in inspections if arm in look.tables]
    if not looks:
        detail = "the arm's data is not ours to check"
        return GateResult("tables", None, arm, None, None, 0.0, detail)
    drifted = [(number, found) for number, found in looks if found != AS_SEEDED]
    detail = f"as seeded, rows and next key, each of {len(looks)} times it was looked at"
    if drifted:
        (number, found), *_ = drifted
        when = "before the first round" if number < 0 else f"after round {number}"
        detail = (
            f"the table differed {len(drifted)} of {len(looks)} times, first {when} ({found}): "
            "somebody else writes to it, or putting it back failed; measure again"
        )
    return GateResult("tables", None, arm, not drifted, float(len(drifted)), 0.0, detail)
