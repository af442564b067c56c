"""PURE: checks of closed loads: throughput against X = N/(R + Z), and the mean response."""

from __future__ import annotations

import numpy as np

from loadtests.selftest.record import NEVER, Case, Trial
from reports.selftest.limits import (
    AIM_P50_MS,
    AIM_RATE_SHARE,
    LIMIT_P50_MS,
    LIMIT_RATE_SHARE,
    OWN_P50_MS,
    OWN_RATE_SHARE,
    OWN_USERS_RATE_SHARE,
    THEORY_RATE_SHARE,
)
from reports.selftest.match import NS_PER_S, Matched
from reports.selftest.model import Check
from reports.selftest.theory import closed_rate_per_s


def closed_checks(case: Case, trial: Trial, part: Matched) -> list[Check]:
    """Throughput against X = N/(R + Z), and the mean response where samples carry keys."""
    log, outcome = trial.log, trial.outcome
    first_ns, last_ns = outcome.steady_start_ns, outcome.steady_end_ns
    seconds = (last_ns - first_ns) / NS_PER_S
    done_ns = outcome.samples["done_ns"].to_numpy()
    measured = float(np.sum((done_ns >= first_ns) & (done_ns < last_ns))) / seconds
    served = float(np.sum((log.end_ns >= first_ns) & (log.end_ns < last_ns))) / seconds
    # R of the requests that began in the window: X is theirs.
    ended = (log.end_ns != NEVER) & (log.read_ns >= first_ns) & (log.read_ns < last_ns)
    if not ended.any():
        return [_rate(case, None, None, None)]
    response_s = float((log.due_ns - log.start_ns)[ended].mean()) / NS_PER_S
    if case.behaviour.one_at_a_time:
        response_s *= case.users
    late_s = 0.0
    if not case.behaviour.one_at_a_time:
        late_s = float((log.end_ns - log.due_ns)[ended].mean()) / NS_PER_S
    ideal = closed_rate_per_s(case.users, response_s, case.think_s)
    real = closed_rate_per_s(case.users, response_s + late_s, case.think_s)
    checks = [_rate(case, ideal, served, measured, real - ideal)]
    if case.locustfile is None:
        checks.append(_mean_response(case, part, 1e3 * response_s, 1e3 * late_s))
    return checks


def _rate(
    case: Case,
    theory: float | None,
    log: float | None,
    measured: float | None,
    server_own: float = 0.0,
) -> Check:
    share = OWN_USERS_RATE_SHARE if case.locustfile else THEORY_RATE_SHARE
    return Check(
        case=case.name,
        quantity="X",
        unit="/s",
        theory=theory,
        log=log,
        measured=measured,
        limit=max(2.0, LIMIT_RATE_SHARE * (log or 0.0)),
        theory_limit=share * (theory or 0.0),
        aim=AIM_RATE_SHARE * (theory or 0.0),
        server_own=server_own,
        own_limit=OWN_RATE_SHARE * (theory or 0.0),
        judged_by_theory=True,
    )


def _mean_response(case: Case, part: Matched, theory_ms: float, late_ms: float) -> Check:
    seen = len(part.measured_ms) > 0
    return Check(
        case=case.name,
        quantity="mean R",
        unit="ms",
        theory=theory_ms,
        log=float(part.log_ms.mean()) if seen else None,
        measured=float(part.measured_ms.mean()) if seen else None,
        limit=LIMIT_P50_MS,
        theory_limit=THEORY_RATE_SHARE * theory_ms,
        aim=AIM_P50_MS,
        server_own=late_ms,
        own_limit=OWN_P50_MS,
    )
