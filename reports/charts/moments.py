"""PURE: response times counted by moment and size, for a picture that no number of samples grows.

A moment is a part of a trial (or, in a long run, several trials): what stood still shows as a
column that is slower than its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reports.measures import Bools, Floats, Ints, LoadData
from reports.percentiles import nearest_rank, nearest_rank_or_none
from reports.statistics import Latencies, block_medians

ROWS = 22
MOST_MOMENTS = 112
"""Columns of the picture over a run."""
MOST_OF_A_TRIAL = 6
"""A trial is cut into so many moments at most."""
WITHIN_COLUMNS = 30
SLOW_TIMES = 5.0
"""A moment is slow when its median is so many times the arm's usual one."""
FEWEST_ANSWERS = 5


@dataclass(frozen=True, slots=True)
class Clock:
    """Where each sample stands in time. Blocks are in their order; `column` is the moment of the
    run, `part` the place within its trial from 0 to 1; −1 and NaN where a trial's times are not
    known."""

    blocks: Ints
    rounds: Ints
    """Of each block."""
    columns: int
    per_block: float
    """Columns of a block: below 1 where blocks share one."""
    column: Ints
    part: Floats
    length_s: float
    lead_in: float
    """The share of a trial that is its lead-in (the median over trials)."""

    def block_at(self, column: int) -> int:
        """The (first) block of a column."""
        return int(self.blocks[min(int(column / self.per_block), len(self.blocks) - 1)])

    def round_starts(self) -> list[tuple[float, int]]:
        """The left edge of every round with its number."""
        first = [0, *(np.flatnonzero(np.diff(self.rounds)) + 1)]
        return [(float(each * self.per_block), int(self.rounds[each])) for each in first]


@dataclass(frozen=True, slots=True)
class Slow:
    """A moment much slower than usual: median in ms of the steady requests due in it."""

    column: int
    block: int
    median_ms: float
    usual_ms: float


@dataclass(frozen=True, slots=True)
class Moments:
    """Requests of one arm by size (rows, the fastest first) and moment; the last row of each are
    the requests without an answer that counts."""

    over_run: Ints
    within: Ints
    slow: tuple[Slow, ...]
    """The slowest first."""
    measured: int
    """Moments with FEWEST_ANSWERS or more to steady requests."""


def clock_of(data: LoadData) -> Clock | None:
    """None where no trial's times are known."""
    trials = data.trials
    start, steady, end = (
        trials[name].to_numpy(dtype="float64", na_value=np.nan)
        for name in ("start_ns", "steady_start_ns", "steady_end_ns")
    )
    known = np.isfinite(end - start) & (end > start)
    if not known.any():
        return None
    length_ns = float(np.max((end - start)[known]))
    lead_in = (steady - start)[known] / (end - start)[known]
    order = trials["block"].to_numpy()[np.argsort(np.where(known, start, np.inf), kind="stable")]
    blocks = order[np.sort(np.unique(order, return_index=True)[1])]
    per_block = _per_block(len(blocks))
    arrival = data.samples["arrival_ns"].to_numpy(dtype="float64", na_value=np.nan)
    since_ns = arrival - start[data.row]  # to 2 ns, which is enough for a picture
    part = np.where(known[data.row], (since_ns / length_ns).clip(0.0, 1.0 - 1e-9), np.nan)
    place = _places(trials["block"].to_numpy(), blocks)[data.row]
    column = np.floor((place + np.nan_to_num(part)) * per_block + 1e-9).astype(np.int64)
    columns = int(np.ceil(len(blocks) * per_block - 1e-9))
    rounds = trials.drop_duplicates("block").set_index("block")["round"]
    return Clock(
        blocks=blocks.astype(np.int64),
        rounds=rounds.loc[blocks].to_numpy(dtype="int64"),
        columns=columns,
        per_block=per_block,
        column=np.where(np.isfinite(part), column, -1),
        part=part,
        length_s=length_ns / 1e9,
        lead_in=nearest_rank_or_none(lead_in[np.isfinite(lead_in)], 0.5) or 0.0,
    )


def _per_block(blocks: int) -> float:
    """Columns of a block: a whole number while they fit, else one for several blocks."""
    if blocks <= MOST_MOMENTS:
        return float(min(MOST_OF_A_TRIAL, MOST_MOMENTS // blocks))
    return 1.0 / float(np.ceil(blocks / MOST_MOMENTS))


def _places(numbers: Ints, blocks: Ints) -> Ints:
    """Where each block number stands in the order of `blocks`."""
    by_number = np.argsort(blocks)
    return np.asarray(by_number[np.searchsorted(blocks[by_number], numbers)], dtype=np.int64)


def edges_ms(values_ms: Floats) -> Floats:
    """ROWS bins of equal width on a logarithmic axis, around all positive values."""
    known = values_ms[np.isfinite(values_ms) & (values_ms > 0)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (1.0, 10.0)
    if high < 1.5 * low:
        low, high = low / 1.25, high * 1.25
    return np.geomspace(low * 0.999, high * 1.001, ROWS + 1)


def moments_of(data: LoadData, clock: Clock, chosen: Bools, edges: Floats) -> Moments:
    """Counts of the `chosen` samples (one arm's), lead-ins among them, and its slow moments, which
    steady requests alone make."""
    mine = chosen & (clock.column >= 0)
    value_ms, column = data.response_ms[mine], clock.column[mine]
    row = np.clip(np.searchsorted(edges, value_ms, side="right") - 1, 0, ROWS - 1)
    row = np.where(np.isfinite(value_ms), row, ROWS)
    within = np.floor(clock.part[mine] * WITHIN_COLUMNS).astype(np.int64)
    steady = data.steady[mine]
    slow, measured = _slow(value_ms[steady], column[steady], clock)
    return Moments(
        _counts(row, column, clock.columns), _counts(row, within, WITHIN_COLUMNS), slow, measured
    )


def _counts(row: Ints, column: Ints, columns: int) -> Ints:
    flat = np.bincount(row * columns + column, minlength=(ROWS + 1) * columns)
    return flat.reshape(ROWS + 1, columns)


def _slow(value_ms: Floats, column: Ints, clock: Clock) -> tuple[tuple[Slow, ...], int]:
    answered = np.isfinite(value_ms)
    counts = np.bincount(column[answered], minlength=clock.columns)
    enough = np.flatnonzero(counts >= FEWEST_ANSWERS)
    if not len(enough):
        return (), 0
    kept = answered & np.isin(column, enough)
    medians = block_medians(Latencies(value_ms[kept], column[kept], column[kept]), enough)
    usual_ms = nearest_rank(medians, 0.5)
    found = [
        Slow(int(each), clock.block_at(int(each)), float(median), usual_ms)
        for each, median in zip(enough, medians, strict=True)
        if median > SLOW_TIMES * usual_ms
    ]
    return tuple(sorted(found, key=lambda each: -each.median_ms)), len(enough)
