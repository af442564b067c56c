"""PURE: recorded response times against packet times on the loopback interface."""

from __future__ import annotations

import numpy as np

from loadtests.selftest.record import Measured, Trial
from reports.percentiles import nearest_rank, nearest_rank_or_none
from reports.selftest.limits import (
    AIM_P50_MS,
    AIM_P99_SHARE,
    LIMIT_P50_MS,
    LIMIT_P99_MS,
)
from reports.selftest.match import NS_PER_MS, Matched
from reports.selftest.model import Check


def wire_checks(measured: Measured, part: Matched) -> list[Check]:
    """Response times as packets on the loopback interface have them: due until answered."""
    wire = measured.wire
    if wire is None or wire.why_not:
        return []
    _, mine, theirs = np.intersect1d(part.key, wire.key, return_indices=True)
    on_wire_ms = (wire.answered_ns[theirs] - part.due_ns[mine]) / NS_PER_MS
    missing = len(part.key) - len(mine)
    faults = (f"{missing} requests were not seen on the wire",) if missing else ()
    checks = []
    for q in (0.5, 0.95):
        seen = nearest_rank_or_none(on_wire_ms, q)
        checks.append(
            Check(
                case=measured.case.name,
                quantity=f"p{100 * q:g} wire",
                unit="ms",
                theory=None,
                log=seen,
                measured=nearest_rank_or_none(part.measured_ms[mine], q),
                limit=LIMIT_P50_MS if q == 0.5 else LIMIT_P99_MS,
                theory_limit=0.0,
                aim=max(AIM_P50_MS, AIM_P99_SHARE * (seen or 0.0) if q > 0.5 else 0.0),
                faults=faults,
            )
        )
    return checks


def about_the_wire(measured: Measured, trial: Trial) -> tuple[str, ...]:
    """Why packets could not be timed, or how long requests lay in the server's socket."""
    wire, log = measured.wire, trial.log
    if wire is None:
        return ()
    if wire.why_not:
        return (f"packet times on the loopback interface: {wire.why_not}",)
    _, mine, theirs = np.intersect1d(log.key, wire.key, return_indices=True)
    if not len(mine):
        return ("no packet of this trial was seen on the loopback interface",)
    lay_ms = (log.read_ns[mine] - wire.asked_ns[theirs]) / NS_PER_MS
    middle, tail = nearest_rank(lay_ms, 0.5), nearest_rank(lay_ms, 0.99)
    return (
        f"requests lay {middle:.3f} ms (p99 {tail:.3f} ms) in the server's socket, which its log "
        "cannot see",
    )
