"""PURE: gates on the load generator: it must be neither the bottleneck nor late."""

from __future__ import annotations

import numpy as np
import pandas as pd

from reports.gates.check import Check, aside_words, worst_set_aside
from reports.measures import Bools, Floats, LoadData
from reports.percentiles import nearest_rank

SEND_LAG_LIMIT_MS = 1.0
SEND_LAG_SHARE_OF_P95 = 0.1
SEND_LAG_SHARE_OF_MEDIAN = 0.5
NO_FREE_USER_LIMIT_PCT = 0.1
GENERATOR_CPU_LIMIT_PCT = 80.0


def generator_cpu(trials: pd.DataFrame) -> Check:
    """The generator's use of its core: one process, one core, and it must have time to spare."""
    wall_s = float(trials["generator_wall_s"].sum())
    if not wall_s or not trials["generator_cpu_s"].notna().all():
        return None, None, GENERATOR_CPU_LIMIT_PCT, "the generator's CPU time is not known"
    share_pct = 100.0 * float(trials["generator_cpu_s"].sum()) / wall_s
    detail = f"the load generator used {share_pct:.0f}% of its core"
    ok = share_pct <= GENERATOR_CPU_LIMIT_PCT
    if not ok:
        detail += ": it was the bottleneck; load less, or give it a faster core"
    return ok, share_pct, GENERATOR_CPU_LIMIT_PCT, detail


def send_lag(data: LoadData, mine: Bools) -> Check:
    """How late the generator sent, beside what is compared."""
    counted = mine & data.steady & np.isfinite(data.lag_ms)
    if not counted.any():
        return None, None, SEND_LAG_LIMIT_MS, "no request was sent in any steady window"
    limit_ms = send_lag_limit_ms(data.response_ms[mine & data.steady])
    lag_ms, trial = data.lag_ms[counted], data.row[counted]
    names = data.trials["trial"].to_numpy()
    ok, p99_ms, aside = worst_set_aside(
        trial, limit_ms, lambda kept: nearest_rank(lag_ms[np.isin(trial, kept)], 0.99), lag_ms
    )
    detail = f"99 of 100 requests were sent within {p99_ms:.2f} ms of their planned instant"
    detail += aside_words(names[aside])
    if not ok:
        detail += ": the generator was late; stop what else runs here, or lower the rate"
    return ok, p99_ms, limit_ms, detail


def send_lag_limit_ms(response_ms: Floats) -> float:
    """How late the 99th percentile of requests may be sent.

    Lateness is part of the response time, of every arm alike: what matters is how large it is
    beside what is compared. Allowed is a tenth of the p95 response time, 1 ms at least; but never
    more than half of the median.
    """
    counted = response_ms[np.isfinite(response_ms)]
    if not len(counted):
        return SEND_LAG_LIMIT_MS
    tenth_ms = SEND_LAG_SHARE_OF_P95 * nearest_rank(counted, 0.95)
    half_ms = SEND_LAG_SHARE_OF_MEDIAN * nearest_rank(counted, 0.5)
    return min(half_ms, max(SEND_LAG_LIMIT_MS, tenth_ms))


def no_free_user(trials: pd.DataFrame) -> Check:
    """Arrivals that had to wait for a user: then the load is not open any more."""
    waiting = trials["no_free_user"].to_numpy(dtype="float64")
    planned = trials["planned"].to_numpy(dtype="float64")
    if not np.all(np.isfinite(waiting)) or not planned.sum():
        return None, None, NO_FREE_USER_LIMIT_PCT, "the generator does not tell"
    places = np.arange(len(trials))
    ok, share_pct, aside = worst_set_aside(
        places,
        NO_FREE_USER_LIMIT_PCT,
        lambda kept: 100.0 * float(waiting[kept].sum()) / max(1.0, float(planned[kept].sum())),
        waiting,
    )
    detail = f"{share_pct:.2f}% of arrivals found every user busy"
    detail += aside_words(trials["trial"].to_numpy()[aside])
    if not ok:
        detail += ": the arm cannot keep up, or the load needs more users; lower the rate"
    return ok, share_pct, NO_FREE_USER_LIMIT_PCT, detail
