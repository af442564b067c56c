"""PURE: gates on the offered load, judged from the app's side as far as it tells."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from reports.gates.check import Check, listed, per_trial
from reports.gates.stability import saturation
from reports.measures import NS_PER_MS, Bools, Floats, LoadData

OFFERED_LIMIT_PCT = 5.0
RATE_SIGMAS = 5.0
"""How far a planned number of Poisson arrivals may be from its mean (false alarms: 6 in 10⁷)."""
LITTLE_LIMIT_PCT = 10.0
LITTLE_LIMIT_MS = 1.0
"""Per request: an app may be busy with a request for a moment after its answer was received."""


def arrivals(data: LoadData) -> Check:
    """Every arm of a block was offered the same arrivals, and as many as the load's name says."""
    offsets = _offsets_ns(data)
    blocks = data.trials.groupby("block", sort=True).indices
    different = [
        block
        for block, rows in blocks.items()
        if any(not np.array_equal(offsets[rows[0]], offsets[row]) for row in rows[1:])
    ]
    firsts = [rows[0] for rows in blocks.values()]
    span_s = _span_ms(data.trials)[firsts].sum() / 1e3
    planned = sum(len(offsets[row]) for row in firsts)
    expected = (data.facts.rate_per_s or 0.0) * span_s
    if not firsts or not math.isfinite(expected):
        return None, None, 0.0, "it is not known how long the trials were"
    off = abs(planned - expected) > RATE_SIGMAS * math.sqrt(max(expected, 1.0))
    detail = f"{planned} arrivals planned in {len(firsts)} blocks, {expected:.0f} expected"
    if different:
        detail += (
            f"; arms were not offered the same ones in blocks {listed(different)}, so that they "
            "cannot be compared: measure again"
        )
    if off:
        many = "more" if planned > expected else "fewer"
        detail += f": {many} than the rate that was asked for makes; measure again"
    return not (different or off), float(max(len(different), int(off))), 0.0, detail


def _offsets_ns(data: LoadData) -> list[np.ndarray]:
    """Planned arrivals of each trial, in ns from its start."""
    arrival_ns = data.samples["arrival_ns"].to_numpy(dtype="int64")
    start_ns = data.trials["start_ns"].to_numpy(dtype="int64", na_value=0)
    order = np.lexsort((arrival_ns, data.row))
    ends = np.cumsum(np.bincount(data.row, minlength=len(data.trials)))
    return np.split((arrival_ns - start_ns[data.row])[order], ends[:-1])


def _span_ms(trials: pd.DataFrame) -> Floats:
    """From each trial's start to the end of its steady window."""
    span_ns = (trials["steady_end_ns"] - trials["start_ns"]).to_numpy("float64", na_value=np.nan)
    return np.asarray(span_ns / NS_PER_MS, dtype=np.float64)


def offered_rate(trials: pd.DataFrame, data: LoadData, mine: Bools, arm: str) -> Check:
    """By how much the rate at which requests came differs from the planned one.

    Requests can come late but never early, so the mean of their delays tells: over a span T, a
    rate that is lower by a small share x moves the mean instant by x·T/2. The instants are the
    app's where it tells (the mean of its clock at each request's arrival), else the generator's.
    Late by the app's clock and in time by the generator's may be the app's own doing, which is for
    its response times to tell: then it could not be checked.
    """
    span_ms = _mean_or_nan(_span_ms(trials))
    by_app, by_us = (
        _mean_or_nan(delays)
        for delays in (_app_delay_ms(trials, data, mine), _sent_delay_ms(trials, data, mine))
    )
    if not math.isfinite(by_us) or not math.isfinite(span_ms):
        return None, None, OFFERED_LIMIT_PCT, "it is not known when requests were sent"
    detail = f"requests were sent {_after(by_us)} their planned instant on average"
    off_pct = ours_pct = 100.0 * abs(by_us) / (0.5 * span_ms)
    if math.isfinite(by_app):
        detail += f", and came {_after(by_app)} it by the app's own clock"
        off_pct = 100.0 * abs(by_app) / (0.5 * span_ms)
    if ours_pct <= OFFERED_LIMIT_PCT < off_pct and by_app > 0:
        detail += ": the way is slow, or the app itself"
        detail += ", which is saturated" if saturation(data, arm) else ", whose loop was busy"
        return None, off_pct, OFFERED_LIMIT_PCT, detail
    worse_pct = max(off_pct, ours_pct)
    if worse_pct <= OFFERED_LIMIT_PCT:
        return True, worse_pct, OFFERED_LIMIT_PCT, detail
    worst_ms = by_app if off_pct >= ours_pct and math.isfinite(by_app) else by_us
    detail += _off_words(worst_ms, worse_pct)
    return False, worse_pct, OFFERED_LIMIT_PCT, detail


def _off_words(delay_ms: float, off_pct: float) -> str:
    if delay_ms > 0:
        lower_pct = off_pct / (1.0 + off_pct / 100.0)  # the same requests over a longer time
        slower = f"as if the rate were {lower_pct:.0f}% lower"
        return f": {slower}; stop what else runs here, or lower it"
    return (
        f": {-delay_ms:.2f} ms too early, which no request can be; the two clocks differ (another "
        "machine, a container with its own time), or requests of somebody else were counted"
    )


def _after(delay_ms: float) -> str:
    return f"{abs(delay_ms):.2f} ms {'before' if delay_ms < 0 else 'after'}"


def _mean_or_nan(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _app_delay_ms(trials: pd.DataFrame, data: LoadData, mine: Bools) -> Floats:
    """Mean delay of each trial by the app's clock; NaN unless it saw just what was sent."""
    sent = mine & ~data.never_sent
    count = per_trial(data, trials, sent)
    first_ns = trials["start_ns"].to_numpy(dtype="int64", na_value=0)
    planned_ns = _mean_offset_ns(data, trials, sent)
    seen_ns = trials["server_arrival_ns"].to_numpy(dtype="int64", na_value=0) - first_ns
    exact = trials["server_arrival_ns"].notna().to_numpy(dtype=bool) & (
        trials["server_requests"].to_numpy(dtype="float64") == count
    )
    return np.where(exact, (seen_ns - planned_ns) / NS_PER_MS, np.nan)


def _mean_offset_ns(data: LoadData, trials: pd.DataFrame, chosen: Bools) -> Floats:
    """Mean planned instant of the chosen requests, in ns from each trial's start."""
    start_ns = data.trials["start_ns"].to_numpy(dtype="int64", na_value=0)
    offset_ns = data.samples["arrival_ns"].to_numpy(dtype="int64") - start_ns[data.row]
    return _mean_per_trial(data, trials, chosen, offset_ns.astype(np.float64))


def _sent_delay_ms(trials: pd.DataFrame, data: LoadData, mine: Bools) -> Floats:
    return _mean_per_trial(data, trials, mine & np.isfinite(data.lag_ms), data.lag_ms)


def _mean_per_trial(data: LoadData, trials: pd.DataFrame, chosen: Bools, values: Floats) -> Floats:
    """Mean of the chosen samples of each trial; NaN where there are none."""
    sums = np.bincount(data.row[chosen], weights=values[chosen], minlength=len(data.trials))
    counts = np.bincount(data.row[chosen], minlength=len(data.trials)).astype(np.float64)
    means = np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    return np.asarray(means[trials.index.to_numpy()], dtype=np.float64)


def littles_law(trials: pd.DataFrame, data: LoadData, mine: Bools) -> Check:
    """The app's gauge of requests in flight against L = λW from the samples.

    Requests are in the app for at least the `total` that their answers tell, and for no longer
    than the generator waited for them: so its gauge, integrated over a trial, must lie between the
    two sums. (L = λW holds for any stable system: Little 1961.) Trials with requests that got no
    answer are left out, since an app may go on with what its client has given up.
    """
    silent = per_trial(data, trials, mine & (data.samples["status"] == 0).to_numpy(dtype=bool))
    gauge_s = trials["server_in_flight_s"].to_numpy(dtype="float64")
    used = np.isfinite(gauge_s) & (silent == 0)
    if not used.any():
        return None, None, LITTLE_LIMIT_PCT, "the arm does not tell how much it had in flight"
    waited_s, told_s = _sums_s(data, trials, mine, used)
    in_app_s = float(gauge_s[used].sum())
    wall_s = float((trials["drained_ns"] - trials["start_ns"])[used].sum()) / 1e9
    if not waited_s or not wall_s:
        return None, None, LITTLE_LIMIT_PCT, "no request was answered"
    count = int(per_trial(data, trials, mine)[used].sum())
    limit_pct = max(LITTLE_LIMIT_PCT, 100.0 * count * LITTLE_LIMIT_MS / 1e3 / waited_s)
    too_much, too_little = in_app_s - waited_s, told_s - in_app_s
    off_pct = 100.0 * max(0.0, too_much, too_little) / waited_s
    detail = (
        f"{in_app_s / wall_s:.2f} requests in flight by the app's own gauge, "
        f"{waited_s / wall_s:.2f} by the generator's times, {told_s / wall_s:.2f} by its answers'"
    )
    ok = off_pct <= limit_pct
    if not ok and too_much > 0:
        detail += ": the app works on more than was sent from here; end whatever else uses it"
    elif not ok:
        detail += ": the gauge is not of the app that answers; is something between them?"
    return ok, off_pct, limit_pct, detail


def _sums_s(data: LoadData, trials: pd.DataFrame, mine: Bools, used: Bools) -> tuple[float, float]:
    """Seconds that the generator waited, and that answers tell, in the used trials."""
    chosen = np.zeros(len(data.trials), dtype=bool)
    chosen[trials.index.to_numpy()[used]] = True
    counted = mine & chosen[data.row]
    elapsed_ns = (data.samples["done_ns"] - data.samples["sent_ns"]).to_numpy(
        dtype="float64", na_value=np.nan
    )
    total_ms = data.samples["total_ms"].to_numpy(dtype="float64", na_value=np.nan)
    return float(np.nansum(elapsed_ns[counted])) / 1e9, float(np.nansum(total_ms[counted])) / 1e3
