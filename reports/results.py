"""PURE: what each arm did at one load, as a whole and per request (never a comparison)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from reports.measures import SPLIT, Bools, Floats, LoadData, mean_or_none, tidy
from reports.model import LatencyMs, Result, SplitMs
from reports.percentiles import exact_percentile
from reports.usage import NOT_WATCHED, usage_of

NO_LATENCY = LatencyMs(None, None, None, None, None, None, None)


def results(
    data: LoadData, arms: Sequence[str], requests: Sequence[str], telemetry: pd.DataFrame | None
) -> list[Result]:
    """One Result per arm and request, the whole (request None) first."""
    return [_result(data, arm, request, telemetry) for arm in arms for request in (None, *requests)]


def _result(
    data: LoadData, arm: str, request: str | None, telemetry: pd.DataFrame | None
) -> Result:
    counted = data.steady & data.of_arm(arm) & data.of_request(request)
    requests, ok = int(counted.sum()), int((counted & data.ok).sum())
    timeouts = int((counted & data.timed_out).sum())
    trials = data.trials[data.trials["arm"] == arm]
    whole = request is None
    used = usage_of(trials, telemetry) if whole else NOT_WATCHED
    return Result(
        load=data.facts.load,
        arm=arm,
        request=request,
        requests=requests,
        ok=ok,
        errors=requests - ok - timeouts,
        timeouts=timeouts,
        throughput_per_s=_throughput(data, trials, request),
        goodput_pct=tidy(100.0 * ok / requests) if requests else None,
        response_ms=latency(data.response_ms[counted]),
        service_ms=latency(data.service_ms[counted]),
        split_ms=_split(data, counted & data.ok),
        cpu_ms_per_request=tidy(used.cpu_ms_per_request),
        rss_mb_peak=tidy(used.peak("rss_mb")),
        threads_peak=_whole(used.peak("threads")),
        connections_peak=_whole(used.peak("connections")),
        last_error=data.last_error(arm) if whole else None,
    )


def latency(values_ms: Floats) -> LatencyMs:
    """Exact percentiles of the requests that count (NaN: does not count)."""
    ordered = np.sort(values_ms[np.isfinite(values_ms)])
    if len(ordered) == 0:
        return NO_LATENCY
    p50, p90, p95, p99, p99_9 = (
        tidy(exact_percentile(ordered, q)) for q in (0.5, 0.9, 0.95, 0.99, 0.999)
    )
    mean, most = tidy(float(np.mean(ordered))), tidy(float(ordered[-1]))
    return LatencyMs(mean, p50, p90, p95, p99, p99_9, most)


def _throughput(data: LoadData, trials: pd.DataFrame, request: str | None) -> float | None:
    per_trial = data.good_per_s(request)[trials.index.to_numpy()]
    return tidy(mean_or_none(per_trial))


def _split(data: LoadData, good: Bools) -> SplitMs:
    """Means over good responses; `own` is what is left of the total."""
    columns = {
        name: data.samples[name].to_numpy(dtype="float64", na_value=np.nan)[good] for name in SPLIT
    }
    total = columns["total_ms"]
    waits = [np.nan_to_num(columns[name], nan=0.0) for name in SPLIT[:3]]
    means = {name: tidy(mean_or_none(column)) for name, column in columns.items()}
    return SplitMs(
        thread=means["thread_ms"],
        pool=means["pool_ms"],
        db=means["db_ms"],
        own=tidy(mean_or_none(total - np.sum(waits, axis=0))),
        total=means["total_ms"],
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)
