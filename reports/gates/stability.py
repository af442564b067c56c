"""PURE: gates on whether what was measured had settled: within trials, over the run, by order."""

from __future__ import annotations

import numpy as np

from reports.gates.check import Check
from reports.gates.noise import difference, judged
from reports.measures import Bools, Floats, Ints, LoadData, Pairing
from reports.percentiles import medians_by
from reports.statistics import Doubt, Estimate, rate_log_ratio, t_estimate

SATURATED_BELOW = 0.95
DRIFT_LIMIT_PCT = 25.0
TREND_LIMIT_PCT = 10.0
CARRY_OVER_LIMIT_PCT = 10.0
FEWEST_TRIALS = 3
FEWEST_ANSWERS_OF_A_HALF = 3
FEWEST_TO_RUN_DRY = 14
"""Answers of one half where the other has none: by chance alone once in 2¹³ arms."""


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


def steady_state(data: LoadData, arm: str, alpha: float) -> Check:
    """Whether the second half of the steady windows was like the first, over all trials."""
    late = _is_late(data)
    if (words := _run_dry(data, arm, late)) is not None:
        return False, None, DRIFT_LIMIT_PCT, words
    if saturation(data, arm):
        return None, None, DRIFT_LIMIT_PCT, "the arm is saturated: its backlog grows, as is told"
    rows = np.flatnonzero((data.trials["arm"] == arm).to_numpy() & np.isfinite(data.window_s))
    if data.facts.model == "closed":
        what = "answers per second changed by {}"
        change = _change_of_rates(data, rows, late)
    else:
        what = "the median response time changed by {}"
        change = _change_of_medians(data, rows, late)
    what += " from the first to the second half of the windows"
    remedy = "lengthen block_s, or find out what fills up or empties within a second"
    return judged(change, alpha, DRIFT_LIMIT_PCT, what, remedy)


def _is_late(data: LoadData) -> Bools:
    """Which samples belong to the second half of their window: by when they were answered (closed
    loads) or due (open)."""
    start_ns, end_ns = (
        data.trials[name].to_numpy(dtype="int64", na_value=0)
        for name in ("steady_start_ns", "steady_end_ns")
    )
    middle_ns = ((start_ns + end_ns) // 2)[data.row]
    stamp = "done_ns" if data.facts.model == "closed" else "arrival_ns"
    at_ns = data.samples[stamp].to_numpy(dtype="int64", na_value=-1)
    return np.asarray(at_ns >= middle_ns, dtype=bool)


def _run_dry(data: LoadData, arm: str, late: Bools) -> str | None:
    """Words for an arm that answers in one half of the windows only, whatever the trial."""
    known = np.isfinite(data.window_s)[data.row]
    good = data.of_arm(arm) & data.ok & _counted(data) & known
    first, second = int((good & ~late).sum()), int((good & late).sum())
    if min(first, second) > 0 or max(first, second) < FEWEST_TO_RUN_DRY:
        return None
    answering, silent = ("first", "second") if first else ("second", "first")
    return (
        f"{max(first, second)} good answers in the {answering} half of the windows and none in the "
        f"{silent}: the arm {'runs dry' if first else 'begins late'}, so a rate or a median of it "
        "depends on block_s; find out what stops it"
    )


def _counted(data: LoadData) -> Bools:
    return data.in_window if data.facts.model == "closed" else data.steady


def _change_of_rates(data: LoadData, rows: Ints, late: Bools) -> Estimate | Doubt:
    """Good answers of the second halves over those of the first, summed before they are divided,
    so that a half without any counts as the nothing it was; trials are the units."""
    good = data.ok & data.in_window
    first, second = (
        np.bincount(data.row[good & half], minlength=len(data.trials))[rows].astype(np.float64)
        for half in (~late, late)
    )
    if len(rows) < FEWEST_TRIALS:
        return Doubt(f"{len(rows)} trials can be cut in halves")
    return rate_log_ratio(first, second, np.arange(len(rows)))


def _change_of_medians(data: LoadData, rows: Ints, late: Bools) -> Estimate | Doubt:
    """Mean log ratio of the halves' median response times, where both are known."""
    fewest = FEWEST_ANSWERS_OF_A_HALF
    halves = [_medians_ms(data, half, fewest)[rows] for half in (~late, late)]
    known = np.column_stack(halves)[np.minimum(*halves) > 0]
    if len(known) < FEWEST_TRIALS:
        return Doubt(f"{len(known)} trials can be cut in halves")
    return t_estimate(np.log(known[:, 1] / known[:, 0]))


def _medians_ms(data: LoadData, chosen: Bools | None = None, fewest: int = 1) -> Floats:
    """Median response time of each trial, of the chosen samples; NaN where there are too few."""
    known = data.steady & np.isfinite(data.response_ms)
    if chosen is not None:
        known &= chosen
    return medians_by(data.response_ms[known], data.row[known], len(data.trials), fewest)


def block_log_ratios(data: LoadData, pairing: Pairing) -> Floats:
    """Log of candidate over baseline in each block: of rates (closed) or medians (open); NaN where
    one is not known."""
    values = data.good_per_s() if data.facts.model == "closed" else _medians_ms(data)
    values = np.where(values > 0, values, np.nan)
    return np.asarray(np.log(values[pairing.candidate] / values[pairing.baseline]))


def trend(ratios: Floats, alpha: float) -> Check:
    """Whether the arms' ratio was the same in the run's first and second half of blocks.

    Drift of the machine meets both arms and leaves their ratio alone; an arm that warms up, leaks
    or fills a table while the other does not would show.
    """
    half = len(ratios) // 2
    what = "the arms' ratio changed by {} from the run's first half on"
    remedy = "one arm had not settled (it warms up, leaks, fills a table); measure longer"
    change = difference(ratios[half:], ratios[:half])
    return judged(change, alpha, TREND_LIMIT_PCT, what, remedy)


def carry_over(ratios: Floats, candidate_first: Bools, alpha: float) -> Check:
    """Whether the arms' ratio depends on which of the two was loaded before the other.

    What one arm leaves behind (purging, flushing, work of its own) then falls on the next.
    """
    what = "the arms' ratio is {} where the candidate goes first"
    remedy = "an arm is still at work when the next begins; look at drain, lengthen the pause"
    change = difference(ratios[candidate_first], ratios[~candidate_first])
    return judged(change, alpha, CARRY_OVER_LIMIT_PCT, what, remedy)
