"""PURE: a case's samples and server's log judged against what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from loadtests.selftest.record import Case, Measured, Trial
from reports.percentiles import nearest_rank_or_none
from reports.selftest.closed_checks import closed_checks
from reports.selftest.match import Matched, counted, expected_counts, matched
from reports.selftest.model import Check, Judged, Selftest
from reports.selftest.noise import about_the_host, about_the_server, remarks
from reports.selftest.open_checks import (
    percentile_checks,
    sending_checks,
    textbook_checks,
    timeout_checks,
    two_arms_checks,
)
from reports.selftest.wire_checks import about_the_wire, wire_checks


def judge(
    measured: Sequence[Measured],
    *,
    created_utc: str,
    facts: Mapping[str, Any],
    real_time: bool,
    took_s: float,
) -> Selftest:
    """Everything that was measured, judged."""
    cases = tuple(judge_case(each) for each in measured)
    host = about_the_host(measured)
    return Selftest(created_utc, facts, real_time, took_s, cases, host)


def judge_case(measured: Measured) -> Judged:
    """One case: counts first, then times."""
    case, trials = measured.case, measured.trials
    parts = [matched(case, trial) for trial in trials]
    checks = [_requests(case, trials), *_gone_wrong(case, trials)]
    if case.pairs:
        checks += two_arms_checks(case, trials, parts)
    elif case.is_open:
        on_wire = wire_checks(measured, parts[0])
        checks += percentile_checks(case, parts[0], aimed=not on_wire)
        checks += [*textbook_checks(case, parts[0]), *timeout_checks(case, trials[0]), *on_wire]
    else:
        checks += closed_checks(case, trials[0], parts[0])
    if case.is_open:
        checks += sending_checks(case, trials, parts)
    return Judged(
        case=case.name,
        says=case.says,
        load=case.load.name,
        requests=sum(trial.outcome.recorded for trial in trials),
        checks=tuple(checks),
        remarks=(
            *remarks(measured),
            *about_the_server(checks),
            *about_the_wire(measured, trials[0]),
        ),
        split_ms=_split_ms(parts),
    )


def _requests(case: Case, trials: Sequence[Trial]) -> Check:
    """Counts are exact: the plan's, the server's and the samples', drain included."""
    counts = [counted(case, trial) for trial in trials]
    planned = [each.planned for each in counts if each.planned is not None]
    faults = tuple(fault for each in counts for fault in each.faults)
    return _exact(
        case,
        "requests",
        sum(planned) if planned else None,
        sum(each.served for each in counts),
        sum(each.recorded for each in counts),
        faults,
    )


def _gone_wrong(case: Case, trials: Sequence[Trial]) -> list[Check]:
    """Requests that were not answered well, where the case has some by plan, or there were any."""
    counts = [expected_counts(case, trial) for trial in trials if trial.planned.fate.size]
    if case.locustfile is not None or not any(log or seen for _, log, seen in counts):
        return []
    plans = [plan for plan, _, _ in counts if plan is not None]
    by_log, seen = sum(log for _, log, _ in counts), sum(seen for *_, seen in counts)
    return [_exact(case, "failed", sum(plans) if plans else None, by_log, seen)]


def _exact(
    case: Case,
    quantity: str,
    theory: int | None,
    log: int,
    measured: int,
    faults: tuple[str, ...] = (),
) -> Check:
    return Check(case.name, quantity, "", theory, log, measured, 0.0, 0.0, faults=faults)


def _split_ms(parts: Sequence[Matched]) -> dict[str, float]:
    """Medians over all requests of a case, where they are matched at all."""
    columns = ("sending_ms", "way_there_ms", "late_ms", "way_back_ms")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    return {
        name.removesuffix("_ms"): round(middle, 4)
        for name, values in joined.items()
        if (middle := nearest_rank_or_none(values, 0.5)) is not None
    }
