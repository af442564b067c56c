"""PURE: checks in plain words: what each measures, its value and limit with their unit."""

from __future__ import annotations

from reports.model import GateResult
from reports.words import NBSP, NOTHING, ms, rounded, tidy

GATES = {
    "arrivals": ("blocks whose arms were not offered the same, planned arrivals", ""),
    "carry-over": ("effect of which arm goes first on the arms' ratio", "%"),
    "counts": ("planned, sent, recorded and stored requests agree", ""),
    "database-distance": ("distance to the database, measured against asked", "ms"),
    "database-settings": ("settings of the database server that differ or changed", ""),
    "drain": ("every trial ended with nothing left in flight", ""),
    "enough-data": ("instance pairs or blocks behind what is claimed (at least)", ""),
    "equal-resources": ("differences in cores, priority, limits or workers of arms", ""),
    "equal-settings": ("arms differ in nothing but what is compared", ""),
    "error-parity": ("difference of arms in badly answered requests, in points", "%"),
    "errors": ("requests that failed", "%"),
    "failed-trials": ("trials that failed", "%"),
    "generator-cpu": ("load generator's use of its core", "%"),
    "interruptions": ("blocks lost because something was stopped or stood still", "%"),
    "littles-law": ("app's gauge of requests in flight against the generator's times", "%"),
    "neighbours": ("other programs' use of the arms' cores", "%"),
    "no-free-user": ("arrivals that found every user busy", "%"),
    "offered-rate": ("rate of arriving requests against the planned one", "%"),
    "same-work": ("twins have one interface, do the same work and answer alike", ""),
    "send-lag": ("lateness of the load generator, 99 of 100 requests", "ms"),
    "server-count": ("requests the app did not count", ""),
    "steady-state": ("change from the first to the second half of trials", "%"),
    "steal": ("machine's time taken by its host", "%"),
    "tables": ("times a table was not as seeded", ""),
    "trend": ("change of the arms' ratio over the run", "%"),
}
"""What each gate measures, and its unit."""


def name(gate: str) -> str:
    """What a gate checks, in words."""
    return GATES.get(gate, (tidy(gate), ""))[0]


def value(gate: str, value: float | None) -> str:
    """A gate's value or limit with its unit."""
    if value is None:
        return NOTHING
    unit = GATES.get(gate, ("", ""))[1]
    return {"ms": ms(value), "%": f"{rounded(value)}%"}.get(unit, rounded(value))


def limit(gate: str, limit: float | None) -> str:
    """A gate's limit, without digits that nobody set: `0.1%`, `1 ms`."""
    unit = GATES.get(gate, ("", ""))[1]
    if limit is None or not unit:
        return value(gate, limit)
    return f"{limit:.3g}%" if unit == "%" else f"{limit:.3g}{NBSP}{unit}"


def outcome(gate: GateResult) -> str:
    """A gate's outcome: `passed`, `failed`, `could not be checked`."""
    return {True: "passed", False: "failed", None: "could not be checked"}[gate.ok]
