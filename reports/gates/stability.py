"""PURE: gates on whether what was measured had settled: within trials, over the run, by order."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from reports.gates.check import Check
from reports.measures import Bools, Floats, LoadData, Pairing

SATURATED_BELOW = 0.95
ALPHA = 1e-4
"""A run has dozens of these gates: each may cry wolf once in 10,000 runs by noise alone."""
DRIFT_LIMIT_PCT = 25.0
TREND_LIMIT_PCT = 10.0
CARRY_OVER_LIMIT_PCT = 10.0
NOISIEST_LOG = math.log(2.0)
FEWEST_TRIALS = 3
FEWEST_ANSWERS_OF_A_HALF = 3
FEWEST_BLOCKS_OF_A_GROUP = 2


def saturation(data: LoadData, arm: str) -> str | None:
    """A remark when an arm could not keep up with an open load; its latency then measures the
    backlog, and depends on how long the trial was."""
    if data.facts.model != "open":
        return None
    mine = data.of_arm(arm)
    offered = int((mine & data.steady).sum())
    answered = int((mine & data.in_window).sum())
    if not offered or answered >= SATURATED_BELOW * offered:
        return None
    return (
        f"{arm} is saturated: it answered {100.0 * answered / offered:.0f}% of the offered load "
        "in time, so its latency grows with the length of a trial"
    )


def steady_state(data: LoadData, arm: str) -> Check:
    """Whether the second half of the steady windows was like the first, over all trials."""
    if saturation(data, arm):
        return None, None, DRIFT_LIMIT_PCT, "the arm is saturated: its backlog grows, as is told"
    changes = _changes_within(data, np.flatnonzero((data.trials["arm"] == arm).to_numpy()))
    if len(changes) < FEWEST_TRIALS:
        return None, None, DRIFT_LIMIT_PCT, f"{len(changes)} trials can be cut in halves"
    mean = float(changes.mean())
    noise = _t(len(changes) - 1.0) * float(changes.std(ddof=1)) / math.sqrt(len(changes))
    what = "answers per second" if data.facts.model == "closed" else "the median response time"
    detail = (
        f"{what} changed by {_signed_pct(mean)} from the first to the second half of the windows"
    )
    remedy = "lengthen block_s, or find out what fills up or empties within a second"
    return _beyond_noise(mean, noise, DRIFT_LIMIT_PCT, detail, remedy)


def _changes_within(data: LoadData, rows: Sequence[int] | np.ndarray) -> Floats:
    """Log of second half over first half of each trial's window, where both are known."""
    start_ns, end_ns = (
        data.trials[name].to_numpy(dtype="int64", na_value=0)
        for name in ("steady_start_ns", "steady_end_ns")
    )
    middle_ns = ((start_ns + end_ns) // 2)[data.row]
    stamp = "done_ns" if data.facts.model == "closed" else "arrival_ns"
    late = data.samples[stamp].to_numpy(dtype="int64", na_value=-1) >= middle_ns
    halves = (_halves(data, int(row), late) for row in rows)
    return np.array([math.log(b / a) for a, b in halves if a > 0 and b > 0])


def _halves(data: LoadData, row: int, late: Bools) -> tuple[float, float]:
    """A trial's good answers (closed) or median response time (open) in either half; 0: unknown."""
    if data.facts.model == "closed":
        good = (data.row == row) & data.ok & data.in_window
        return float((good & ~late).sum()), float((good & late).sum())
    good = (data.row == row) & data.steady & np.isfinite(data.response_ms)
    halves = (data.response_ms[good & ~late], data.response_ms[good & late])
    first, second = (
        float(np.median(half)) if len(half) >= FEWEST_ANSWERS_OF_A_HALF else 0.0 for half in halves
    )
    return first, second


def block_log_ratios(data: LoadData, pairing: Pairing) -> Floats:
    """Log of candidate over baseline in each block: of rates (closed) or medians (open); NaN where
    one is not known."""
    if data.facts.model == "closed":
        values = data.good_per_s()
    else:
        values = np.array([_median_ms(data, row) for row in range(len(data.trials))])
    values = np.where(values > 0, values, np.nan)
    return np.asarray(np.log(values[pairing.candidate] / values[pairing.baseline]))


def _median_ms(data: LoadData, row: int) -> float:
    mine = data.response_ms[(data.row == row) & data.steady]
    known = mine[np.isfinite(mine)]
    return float(np.median(known)) if len(known) else np.nan


def trend(ratios: Floats) -> Check:
    """Whether the arms' ratio was the same in the run's first and second half of blocks.

    Drift of the machine meets both arms and leaves their ratio alone; an arm that warms up, leaks
    or fills a table while the other does not would show.
    """
    early = np.arange(len(ratios)) < len(ratios) // 2
    found = _difference(ratios, ~early)
    if found is None:
        return None, None, TREND_LIMIT_PCT, "too few blocks to tell early from late"
    difference, noise = found
    detail = f"the arms' ratio changed by {_signed_pct(difference)} from the run's first half on"
    remedy = "one arm had not settled (it warms up, leaks, fills a table); measure longer"
    return _beyond_noise(difference, noise, TREND_LIMIT_PCT, detail, remedy)


def carry_over(ratios: Floats, candidate_first: Bools) -> Check:
    """Whether the arms' ratio depends on which of the two was loaded before the other.

    What one arm leaves behind (purging, flushing, work of its own) then falls on the next.
    """
    found = _difference(ratios, candidate_first)
    if found is None:
        return None, None, CARRY_OVER_LIMIT_PCT, "too few blocks in either order to tell"
    difference, noise = found
    detail = f"the arms' ratio is {_signed_pct(difference)} where the candidate goes first"
    remedy = "an arm is still at work when the next begins; look at drain, lengthen the pause"
    return _beyond_noise(difference, noise, CARRY_OVER_LIMIT_PCT, detail, remedy)


def _difference(ratios: Floats, chosen: Bools) -> tuple[float, float] | None:
    """Mean of the chosen minus mean of the others, and how large noise alone may make it.

    Welch's t test (Welch 1947), at ALPHA; None with fewer than two known ratios in a group.
    """
    groups = [part[np.isfinite(part)] for part in (ratios[chosen], ratios[~chosen])]
    if any(len(part) < FEWEST_BLOCKS_OF_A_GROUP for part in groups):
        return None
    difference = float(groups[0].mean() - groups[1].mean())
    variances = [float(part.var(ddof=1)) / len(part) for part in groups]
    total = sum(variances)
    if total == 0.0:
        return difference, 0.0
    parts = zip(variances, groups, strict=True)
    df = total**2 / sum(each**2 / (len(part) - 1) for each, part in parts)
    return difference, _t(df) * math.sqrt(total)


def _t(df: float) -> float:
    return float(stats.t.ppf(1.0 - ALPHA / 2.0, df))


def _beyond_noise(
    change_log: float, noise_log: float, limit_pct: float, detail: str, remedy: str
) -> Check:
    """Fails where a change is both larger than matters and larger than noise alone makes it.

    Where noise alone could make a factor of two, nothing can be told.
    """
    if noise_log > NOISIEST_LOG:
        return None, None, limit_pct, f"too few or too unlike to tell ({detail})"
    limit_log = max(math.log1p(limit_pct / 100.0), noise_log)
    ok = abs(change_log) <= limit_log
    value_pct, used_pct = (100.0 * math.expm1(min(x, 50.0)) for x in (abs(change_log), limit_log))
    return ok, value_pct, used_pct, detail if ok else f"{detail}: {remedy}"


def _signed_pct(change_log: float) -> str:
    return f"{100.0 * math.expm1(min(change_log, 50.0)):+.1f}%"
