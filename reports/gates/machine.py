"""PURE: gates on what the machine did to the arms: time stolen, and neighbours on their cores."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reports.gates.check import Check
from reports.model import GateResult

STEAL_LIMIT_PCT = 10.0
NEIGHBOURS_LIMIT_PCT = 75.0
"""A choice: the only test at less (48%) was too noisy to show where harm begins."""
WORTH_TELLING_PCT = 25.0
ALIKE_POINTS = 10.0
"""How far apart two arms' neighbours may be and still be called alike: a choice."""


def steal(trials: pd.DataFrame, cores: int) -> Check:
    """Share of the machine's time that its hypervisor gave to others while trials ran."""
    known = trials["steal_pct"].dropna()
    if not len(known):
        return None, None, STEAL_LIMIT_PCT, "the system does not tell what was stolen from it"
    share_pct = float(known.mean()) / max(1, cores)
    ok = share_pct <= STEAL_LIMIT_PCT
    detail = (
        f"{share_pct:.1f}% of the machine's time was taken by its host, "
        f"{float(known.max()) / max(1, cores):.0f}% in the worst trial"
    )
    if not ok:
        detail += ": the host is overbooked; measure at another hour or on another machine"
    return ok, share_pct, STEAL_LIMIT_PCT, detail


def neighbours(
    trials: pd.DataFrame, app_cores: int, *, wants_all: bool, all_in_sight: bool
) -> Check:
    """Share of the arms' cores that went to programs other than the arm under load.

    `app_cores`: how many cores the arms have to themselves, 0 where they share them. `wants_all`:
    whether the load is closed; under an open one an arm leaves to others what it does not need.
    `all_in_sight`: False where the arm's own processes may be hidden from us (containers).
    """
    if not app_cores:
        detail = "the arms have no cores of their own, so it cannot be told who else uses them"
        return None, None, NEIGHBOURS_LIMIT_PCT, detail
    used = trials[["apps_busy_s", "app_cpu_s", "watched_s"]].dropna()
    wall_s = float(used["watched_s"].sum())
    if not wall_s:
        return None, None, NEIGHBOURS_LIMIT_PCT, "it is not known how busy the arms' cores were"
    others_s = float(used["apps_busy_s"].sum() - used["app_cpu_s"].sum())
    share_pct = max(0.0, 100.0 * others_s / (wall_s * app_cores))
    detail = f"others used {share_pct:.1f}% of the arms' cores"
    pressure = trials["pressure_pct"].dropna()
    if len(pressure):
        detail += f"; some task waited for a core {float(pressure.mean()):.0f}% of the time"
    if share_pct <= NEIGHBOURS_LIMIT_PCT:
        return True, share_pct, NEIGHBOURS_LIMIT_PCT, detail
    if not wants_all:
        detail += "; how long the arm waited for them is in its latencies: end what else runs here"
        return None, share_pct, NEIGHBOURS_LIMIT_PCT, detail
    if not all_in_sight:
        detail += "; or the arm's own processes are out of sight (in a container)"
        return None, share_pct, NEIGHBOURS_LIMIT_PCT, detail
    detail += ": end what else runs here, or measure when it has ended"
    return False, share_pct, NEIGHBOURS_LIMIT_PCT, detail


def crowding(gates: Sequence[GateResult], load: str, arms: Sequence[str]) -> str | None:
    """A remark when others used much of the arms' cores, though not too much to compare them."""
    used = {
        gate.arm: gate.value
        for gate in gates
        if gate.name == "neighbours" and gate.load == load and gate.arm in arms and gate.value
    }
    if max(used.values(), default=0.0) <= WORTH_TELLING_PCT:
        return None
    told = " and ".join(f"{value:.0f}% while {arm} was loaded" for arm, value in used.items())
    remark = (
        f"others used the arms' cores, {told}: each by itself is worse than this machine can do"
    )
    if max(used.values()) - min(used.values()) > ALIKE_POINTS:
        remark += "; they did not meet both alike, so part of the difference may be theirs"
    return remark
