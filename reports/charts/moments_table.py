"""PURE: the numbers behind the heat map: response times by part of a trial and by round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from reports import words
from reports.measures import Bools, Floats, LoadData
from reports.percentiles import exact_percentile

COLUMNS = ("Arm", "When", "p50", "p95", "Slowest", "Answers", "Failed")
MOST_ROUNDS = 8


def moments_table(data: LoadData, arms: Sequence[str], judged: Bools) -> Iterator[tuple[str, ...]]:
    """Per arm: lead-ins, first and second half of the steady windows, then round by round (steady
    requests; beyond MOST_ROUNDS several together)."""
    late = _is_late(data)
    rounds = data.trials["round"].to_numpy()[data.row] if len(data.trials) else data.row
    for arm in arms:
        mine = data.of_arm(arm) & judged
        steady = mine & data.steady
        yield _row(data, arm, "lead-in", mine & ~data.steady)
        yield _row(data, arm, "first half of a window", steady & ~late)
        yield _row(data, arm, "second half of a window", steady & late)
        for name, numbers in _groups(np.unique(rounds).tolist()):
            yield _row(data, arm, name, steady & np.isin(rounds, numbers))


def _is_late(data: LoadData) -> Bools:
    """Which samples were due in the second half of their window."""
    start, end = (
        data.trials[name].to_numpy(dtype="float64", na_value=np.nan)
        for name in ("steady_start_ns", "steady_end_ns")
    )
    arrival = data.samples["arrival_ns"].to_numpy(dtype="float64", na_value=np.nan)
    return np.asarray(arrival >= ((start + end) / 2.0)[data.row], dtype=bool)


def _groups(rounds: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
    size = -(-len(rounds) // MOST_ROUNDS)
    for first in range(0, len(rounds), max(size, 1)):
        own = list(rounds[first : first + size])
        ends = dict.fromkeys(str(each + 1) for each in (own[0], own[-1]))
        yield f"round{'s' if len(own) > 1 else ''} {' to '.join(ends)}", own


def _row(data: LoadData, arm: str, when: str, chosen: Bools) -> tuple[str, ...]:
    value_ms: Floats = data.response_ms[chosen]
    known = np.sort(value_ms[np.isfinite(value_ms)])
    return (
        arm,
        when,
        *(words.ms(exact_percentile(known, q)) for q in (0.5, 0.95)),
        words.ms(float(known[-1]) if len(known) else None),
        words.count(len(known)),
        words.count(len(value_ms) - len(known)),
    )
