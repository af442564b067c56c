"""PURE: stored trials and samples of a tune run as the trials that its answer rests on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from loadtests.tuning.past import Measured
from loadtests.tuning.score import Objective, count
from loadtests.tuning.world import Candidate
from reports.measures import Bools, Floats, LoadData, mean_or_none
from reports.percentiles import rank
from reports.tuning.record import Split, Tried


def tried_of(
    data: LoadData,
    row: int,
    measured: Measured,
    candidate: Candidate,
    objective: Objective,
    server: Mapping[str, float],
    *,
    gave_up_early: bool,
) -> Tried:
    """The trial in row `row` of `data.trials`, which `measured` tells of (`score.score_of`)."""
    trial = data.trials.iloc[row]
    of_trial = data.row == row
    steady = of_trial & data.steady
    good_per_s = float(data.good_per_s()[row])
    offered_per_s = measured.rate_per_s if measured.rate_per_s is not None else good_per_s
    response_ms = data.response_ms[steady]
    failed = ~data.ok & ~data.timed_out if gave_up_early else ~data.ok
    known_ms = response_ms[np.isfinite(response_ms)]
    p99_ms = _quantile(known_ms, 0.99)
    patience_s = data.timeout_s if gave_up_early else None
    good = steady & data.ok
    return Tried(
        arm=candidate.arm,
        setting=candidate.setting,
        stage=measured.stage,
        unit=measured.unit,
        block=int(trial["block"]),
        score=count(response_ms, data.ok[steady], failed[steady], offered_per_s, objective),
        good_per_s=good_per_s,
        window_s=float(data.window_s[row]),
        rate_per_s=measured.rate_per_s,
        users=measured.users,
        rung=measured.rung,
        p50_ms=_quantile(known_ms, 0.50),
        p99_ms=p99_ms,
        p99_beyond=patience_s is not None and p99_ms is not None and p99_ms >= 1e3 * patience_s,
        given_up=int((steady & data.timed_out).sum()) if gave_up_early else 0,
        patience_s=patience_s,
        good=int(good.sum()),
        good_p50_ms=_quantile(data.response_ms[good], 0.50),
        split=split_of(data, good),
        cpu_ms_per_request=_cpu_ms(trial, int(of_trial.sum())),
        connections=_whole(trial["connections"]),
        threads=_whole(trial["app_threads"]),
        server=dict(server),
    )


def split_of(data: LoadData, good: Bools) -> Split | None:
    """Where the time of good answers went, means in ms; None where the app does not tell."""
    thread, pool, db, total = (
        mean_or_none(data.samples[name].to_numpy(dtype="float64")[good])
        for name in ("thread_ms", "pool_ms", "db_ms", "total_ms")
    )
    if thread is None or pool is None or db is None or total is None:
        return None
    return Split(thread, pool, db, total - thread - pool - db, total)


def _quantile(values_ms: Floats, q: float) -> float | None:
    """Exact, however few samples stand beyond: what the objective asks of a single trial."""
    if len(values_ms) == 0:
        return None
    return float(np.sort(values_ms)[rank(len(values_ms), q) - 1])


def _cpu_ms(trial: pd.Series, requests: int) -> float | None:
    cpu_s = _number(trial["app_cpu_s"])
    return None if cpu_s is None or not requests else 1e3 * cpu_s / requests


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _whole(value: float) -> int | None:
    return int(value) if np.isfinite(value) else None
