"""PURE: when no setting meets the objective: which came nearest, and what limits it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from reports.tuning.findings import Nearest
from reports.tuning.means import mean_known, mean_split
from reports.tuning.numbers import errors
from reports.tuning.record import Split, Tried
from reports.words import ms, percent

ENOUGH = 20
"""Requests without which a setting at a load says too little to be called the nearest."""

LIMITS = {
    "thread": ("waiting for a worker thread takes most of it", "try more threads"),
    "pool": ("waiting for a connection or at the gate takes most of it", "try larger pools"),
    "db": (
        "the database takes most of it",
        "no pool shortens that; look at statements, indexes and the distance to the server, or "
        "choose another objective",
    ),
    "own": (
        "the app's own work takes most of it",
        "no pool shortens that; less work per request does, or choose another objective",
    ),
    "unseen": ("most of it passes before the app sees the request", "its event loop is busy"),
}
"""What dominates the median good answer's time, and what follows from that."""
MOST_PCT = 50.0
"""Where more than this share was given up, the few answers say nothing of what most waited for."""


def nearest_of(tried: Sequence[Tried], objective: Objective) -> Nearest | None:
    """The setting and load of the search with the smallest share of late requests; None when
    nothing was measured."""
    cells: dict[tuple[Setting, float], list[Tried]] = defaultdict(list)
    for each in tried:
        if each.rate_per_s is not None and each.stage in ("search", "final"):
            cells[each.setting, each.rate_per_s].append(each)
    known = {cell: trials for cell, trials in cells.items() if _planned(trials) >= ENOUGH}
    known = known or {cell: trials for cell, trials in cells.items() if _planned(trials)}
    if not known:
        return None
    (setting, rate_per_s), trials = min(known.items(), key=_distance)
    split = mean_split(trials)
    p99_ms = mean_known(each.p99_ms for each in trials)
    return Nearest(
        setting=setting,
        offered_per_s=rate_per_s,
        p99_ms=p99_ms,
        p99_beyond=any(each.p99_beyond for each in trials),
        late_pct=_share_pct(trials, lambda each: each.score.late),
        error_pct=_share_pct(trials, lambda each: each.score.errors),
        split=split,
        limited_by=_limit(trials, split, objective),
    )


def _distance(cell: tuple[tuple[Setting, float], Sequence[Tried]]) -> tuple[float, ...]:
    """How far a cell is from the objective; of equals the one with the shortest median, at the
    higher load, for the smaller cost."""
    (setting, rate_per_s), trials = cell
    median_ms = mean_known(each.p50_ms for each in trials)
    late_pct = _share_pct(trials, lambda each: each.score.late)
    return (late_pct, median_ms or float("inf"), -rate_per_s, *setting.cost)


def _limit(trials: Sequence[Tried], split: Split | None, objective: Objective) -> str:
    given_up_pct = _share_pct(trials, lambda each: each.given_up)
    if given_up_pct > MOST_PCT:
        patience_s = next(each.patience_s for each in trials if each.patience_s is not None)
        return (
            f"{percent(given_up_pct)} of requests were given up after {ms(1e3 * patience_s)} "
            "without an answer, so nobody knows what they waited for"
        )
    error_pct = _share_pct(trials, lambda each: each.score.errors)
    if error_pct > objective.max_error_pct and error_pct >= 0.5 * _share_pct(
        trials, lambda each: each.score.late
    ):
        return f"{errors(error_pct)}, where {objective.max_error_pct:g}% are allowed"
    if split is None:
        return "the service does not tell where its time goes (no Server-Timing)"
    median_ms = mean_known(each.good_p50_ms for each in trials) or split.total_ms
    parts = {
        "thread": split.thread_ms, "pool": split.pool_ms, "db": split.db_ms, "own": split.own_ms,
        "unseen": median_ms - split.total_ms,
    }  # fmt: skip
    largest = max(parts, key=lambda part: parts[part])
    in_all_ms = max(median_ms, split.total_ms)
    what, advice = LIMITS[largest]
    of = f"{ms(parts[largest])} of a good answer's median of {ms(in_all_ms)}"
    return f"{what} ({of}): {advice}"


def _planned(trials: Sequence[Tried]) -> int:
    return sum(each.score.planned for each in trials)


def _share_pct(trials: Sequence[Tried], count: Callable[[Tried], int]) -> float:
    planned = _planned(trials)
    return 100.0 * sum(count(each) for each in trials) / planned if planned else 0.0
