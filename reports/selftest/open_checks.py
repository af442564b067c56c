"""PURE: checks of open loads: percentiles, a queue's mean, timeouts, two identical arms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from loadtests.selftest.record import Case, Trial
from loadtests.trials import OpenLoad
from reports.percentiles import enough_beyond, nearest_rank_or_none
from reports.selftest.limits import (
    AIM_ARMS_MS,
    AIM_P50_MS,
    AIM_P99_SHARE,
    GIVING_UP_MS,
    LIMIT_ARMS_MS,
    LIMIT_P50_MS,
    LIMIT_P99_MS,
    LIMIT_P99_SHARE,
    OPENING_MS,
    SAMPLING_SDS,
    TAILS,
    THEORY_P50_MS,
    THEORY_P99_MS,
    THEORY_P99_SHARE,
)
from reports.selftest.match import NS_PER_MS, Matched
from reports.selftest.model import Check
from reports.selftest.theory import Jobs, mean_response_s, sampling_sd_s


def percentile_checks(case: Case, part: Matched) -> list[Check]:
    """Median, and the furthest tail that has ten samples beyond it."""
    count = len(part.measured_ms)
    tails = [q for q in TAILS if enough_beyond(count, q)][:1]
    return [_percentile(case, part, q) for q in (0.5, *tails)]


def _percentile(case: Case, part: Matched, q: float) -> Check:
    log = nearest_rank_or_none(part.log_ms, q)
    theory = nearest_rank_or_none(part.theory_ms, q)
    late = nearest_rank_or_none(part.theory_ms + part.late_ms, q)
    size = log or 0.0
    tail = q > 0.5
    opening_ms = OPENING_MS if case.behaviour.hangs_up != "never" else 0.0
    return Check(
        case=case.name,
        quantity=f"p{100 * q:g}",
        unit="ms",
        theory=theory,
        log=log,
        measured=nearest_rank_or_none(part.measured_ms, q),
        limit=max(LIMIT_P99_MS, LIMIT_P99_SHARE * size) if tail else _limit_p50_ms(size),
        theory_limit=opening_ms
        + (max(THEORY_P99_MS, THEORY_P99_SHARE * size) if tail else THEORY_P50_MS),
        aim=max(AIM_P50_MS, AIM_P99_SHARE * size) if tail else AIM_P50_MS,
        allowed_for=0.0 if late is None or theory is None else late - theory,
    )


def _limit_p50_ms(size_ms: float) -> float:
    return max(LIMIT_P50_MS, LIMIT_P99_SHARE * size_ms)


def textbook_checks(case: Case, part: Matched) -> list[Check]:
    """The mean of a queue against the formula, within what a run of this length wanders."""
    service, load = case.behaviour.service, case.load
    if not (case.behaviour.one_at_a_time and isinstance(load, OpenLoad)):
        return []
    if load.arrivals != "poisson" or not len(part.measured_ms):
        return []
    jobs: Jobs = "random" if service.kind == "exponential" else "equal"
    rate, job_s = load.rate_per_s, service.mean_s
    sd_s = sampling_sd_s(rate, job_s, jobs, case.lead_in_s, case.steady_s, seed=0)
    return [
        Check(
            case=case.name,
            quantity="mean",
            unit="ms",
            theory=1e3 * mean_response_s(rate, job_s, jobs),
            log=float(part.log_ms.mean()),
            measured=float(part.measured_ms.mean()),
            limit=LIMIT_P50_MS,
            theory_limit=1e3 * SAMPLING_SDS * sd_s + THEORY_P50_MS,
            aim=AIM_P50_MS,
        )
    ]


def timeout_checks(case: Case, trial: Trial) -> list[Check]:
    """When requests that are never answered were given up."""
    if not case.behaviour.unanswered_share:
        return []
    samples = trial.outcome.samples
    given_up = samples.filter(_equal(samples["error"].to_pylist(), "timeout"))
    waited_ms = (given_up["done_ns"].to_numpy() - given_up["arrival_ns"].to_numpy()) / NS_PER_MS
    early = int(np.sum(waited_ms < 1e3 * case.timeout_s))
    return [
        Check(
            case=case.name,
            quantity="given up",
            unit="ms",
            theory=1e3 * case.timeout_s,
            log=None,
            measured=nearest_rank_or_none(waited_ms, 0.5),
            limit=GIVING_UP_MS,
            theory_limit=GIVING_UP_MS,
            faults=(f"{early} were given up before their time",) if early else (),
        )
    ]


def _equal(values: Sequence[Any], wanted: str) -> list[bool]:
    return [value == wanted for value in values]


def two_arms_checks(case: Case, trials: Sequence[Trial], parts: Sequence[Matched]) -> list[Check]:
    """The bias of each of two identical servers' times, one minus the other."""
    bias: list[tuple[float, float]] = []
    for server in (0, 1):
        mine = [part for trial, part in zip(trials, parts, strict=True) if trial.server == server]
        known = [part.theory_ms + part.late_ms for part in mine]
        log, seen = (
            np.concatenate([times - know for times, know in zip(all_times, known, strict=True)])
            for all_times in ([p.log_ms for p in mine], [p.measured_ms for p in mine])
        )
        bias.append((nearest_rank_or_none(log, 0.5) or 0.0, nearest_rank_or_none(seen, 0.5) or 0.0))
    (log_first, first), (log_second, second) = bias
    return [
        Check(
            case=case.name,
            quantity="p50 2nd−1st",
            unit="ms",
            theory=0.0,
            log=log_second - log_first,
            measured=second - first,
            limit=LIMIT_ARMS_MS,
            theory_limit=LIMIT_ARMS_MS,
            aim=AIM_ARMS_MS,
            judged_by_theory=True,
        )
    ]
