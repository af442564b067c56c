"""PURE: checks of open loads: percentiles, sending, a queue's mean, timeouts, two equal arms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow.compute as pc

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
    OWN_P50_MS,
    OWN_TAIL_MS,
    OWN_TAIL_SHARE,
    SAMPLING_SDS,
    SENT_P50_MS,
    SENT_TAIL_MS,
    TAILS,
    THEORY_P50_MS,
    THEORY_P99_MS,
    THEORY_P99_SHARE,
)
from reports.selftest.match import NS_PER_MS, Matched
from reports.selftest.model import Check
from reports.selftest.theory import Floats, Jobs, mean_response_s, sampling_sd_s


def percentile_checks(case: Case, part: Matched, *, aimed: bool = True) -> list[Check]:
    """Median, and the furthest tail that has ten samples beyond it. `aimed`: whether the aim is
    judged by the server's log (not where packet times are there, which see more)."""
    return [_percentile(case, part, q, aimed) for q in _quantiles(len(part.measured_ms))]


def sending_checks(case: Case, trials: Sequence[Trial], parts: Sequence[Matched]) -> list[Check]:
    """How late requests were sent; not where users were too few, which is a remark of its own."""
    if any(trial.outcome.no_free_user for trial in trials):
        return []
    lag_ms = np.concatenate([part.sending_ms for part in parts])
    return [
        Check(
            case=case.name,
            quantity=f"p{100 * q:g} sent",
            unit="ms",
            theory=0.0,
            log=None,
            measured=nearest_rank_or_none(lag_ms, q),
            limit=SENT_TAIL_MS if q > 0.5 else SENT_P50_MS,
            theory_limit=SENT_TAIL_MS if q > 0.5 else SENT_P50_MS,
        )
        for q in _quantiles(len(lag_ms))
    ]


def _quantiles(count: int) -> tuple[float, ...]:
    return (0.5, *[q for q in TAILS if enough_beyond(count, q)][:1])


def _percentile(case: Case, part: Matched, q: float, aimed: bool) -> Check:
    log, theory = nearest_rank_or_none(part.log_ms, q), nearest_rank_or_none(part.theory_ms, q)
    size = log or 0.0
    tail = q > 0.5
    aim = max(AIM_P50_MS, AIM_P99_SHARE * size) if tail else AIM_P50_MS
    return Check(
        case=case.name,
        quantity=f"p{100 * q:g}",
        unit="ms",
        theory=theory,
        log=log,
        measured=nearest_rank_or_none(part.measured_ms, q),
        limit=max(LIMIT_P99_MS if tail else LIMIT_P50_MS, LIMIT_P99_SHARE * size),
        theory_limit=max(THEORY_P99_MS, THEORY_P99_SHARE * size) if tail else THEORY_P50_MS,
        aim=aim if aimed else None,
        server_own=_later(log, theory),
        own_limit=max(OWN_TAIL_MS, OWN_TAIL_SHARE * size) if tail else OWN_P50_MS,
    )


def _later(log: float | None, theory: float | None) -> float:
    """By how much the server's log is later than the known answer: whoever is kept waiting can only
    be late."""
    return 0.0 if log is None or theory is None else max(0.0, log - theory)


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
            server_own=max(0.0, float((part.log_ms - part.theory_ms).mean())),
            own_limit=OWN_P50_MS,
        )
    ]


def timeout_checks(case: Case, trial: Trial) -> list[Check]:
    """When requests that are never answered were given up."""
    if not case.behaviour.unanswered_share:
        return []
    samples = trial.outcome.samples
    given_up = samples.filter(pc.equal(samples["error"], "timeout"))
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


def two_arms_checks(case: Case, trials: Sequence[Trial], parts: Sequence[Matched]) -> list[Check]:
    """The bias of each of two identical servers' times, one minus the other."""
    by_server = [
        [part for trial, part in zip(trials, parts, strict=True) if trial.server == server]
        for server in (0, 1)
    ]
    log = [_bias_ms(mine, [part.log_ms for part in mine]) for mine in by_server]
    seen = [_bias_ms(mine, [part.measured_ms for part in mine]) for mine in by_server]
    return [
        Check(
            case=case.name,
            quantity="p50 2nd−1st",
            unit="ms",
            theory=0.0,
            log=_second_less_first(log),
            measured=_second_less_first(seen),
            limit=LIMIT_ARMS_MS,
            theory_limit=LIMIT_ARMS_MS,
            aim=AIM_ARMS_MS,
            judged_by_theory=True,
        )
    ]


def _bias_ms(parts: Sequence[Matched], times_ms: Sequence[Floats]) -> float | None:
    """The median of times over the known answer and the server's lateness; None of nothing."""
    over = [
        times - part.theory_ms - part.late_ms for part, times in zip(parts, times_ms, strict=True)
    ]
    return nearest_rank_or_none(np.concatenate(over), 0.5) if over else None


def _second_less_first(bias_ms: Sequence[float | None]) -> float | None:
    first, second = bias_ms
    return None if first is None or second is None else second - first
