"""PURE: the gate on the distance to the database, where one was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reports.measures import tidy
from reports.model import GateResult

DISTANCE_LIMIT_MS = 0.2
DISTANCE_LIMIT_SHARE = 0.1
DISTANCE_REMEDY = (
    "end what else runs here, give the relay a core with time to spare and real-time priority "
    "(root or CAP_SYS_NICE), or ask for what was measured"
)


def distance_gate(
    asked_ms: float, measured: Sequence[Mapping[str, Any]], relay_core_pct: float | None
) -> GateResult:
    """Whether the distance to the database is what the spec asks for; it is the same for all arms.

    `measured`: the facts of each start of the run (the journal's `distance`); the worst counts.
    `relay_core_pct`: how much of its core the relay used while trials ran.
    """
    limit_ms = max(DISTANCE_LIMIT_MS, DISTANCE_LIMIT_SHARE * asked_ms)
    added = [facts["added_ms"] for facts in measured if isinstance(facts.get("added_ms"), Mapping)]
    if not added:
        detail = f"{asked_ms:g} ms to the database were asked for, but none were measured"
        return GateResult("database-distance", None, None, None, None, tidy(limit_ms), detail)
    worst = max(added, key=lambda each: abs(float(each["p50"]) - asked_ms))
    off_ms = abs(float(worst["p50"]) - asked_ms)
    ok = off_ms <= limit_ms
    detail = (
        f"{asked_ms:g} ms to the database asked for, {worst['p50']:.2f} ms added "
        f"(p99 {worst['p99']:.2f} ms), measured where the apps run"
    )
    if relay_core_pct is not None:
        detail += f"; the relay used {relay_core_pct:.0f}% of a core while trials ran"
    if not ok:
        detail += f": {DISTANCE_REMEDY}"
    return GateResult("database-distance", None, None, ok, tidy(off_ms), tidy(limit_ms), detail)
