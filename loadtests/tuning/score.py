"""What a trial says of a setting: how many of its requests missed the objective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from loadtests.trials import TIMEOUT_WORDS, Bools, waited_in_vain

LATE_SHARE = 0.01
"""p99 is within the objective exactly when at most this share of requests is later than it."""


@dataclass(frozen=True, slots=True)
class Objective:
    """What a service must keep: p99 of the response times in ms, and its share of errors."""

    p99_ms: float
    max_error_pct: float = 0.1


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of a trial's steady requests. An error, and an answer after the objective, is late."""

    offered_per_s: float
    """The planned rate, not that of this trial's random arrivals."""
    planned: int
    late: int
    errors: int

    @property
    def in_time(self) -> int:
        """Requests answered well within the objective."""
        return self.planned - self.late

    def clears(self, objective: Objective) -> bool:
        """Whether the trial met the objective."""
        if self.planned == 0:
            return False
        within = self.late <= LATE_SHARE * self.planned
        return within and 100.0 * self.errors <= objective.max_error_pct * self.planned


def score_of(
    samples: pa.Table, offered_per_s: float, objective: Objective, *, gave_up_early: bool
) -> Score:
    """The score of one trial's samples (SAMPLE_SCHEMA).

    `gave_up_early`: requests were given up before the scenario's own timeout. It is then known that
    they were late, and not that they would have failed (`trials.waited_in_vain`).
    """
    steady = samples.filter(pc.equal(samples["phase"], "steady"))
    ok = _plain(steady["ok"])
    spoken = pc.match_substring_regex(steady["error"], TIMEOUT_WORDS, ignore_case=True)
    given_up = waited_in_vain(
        silent=_plain(pc.equal(steady["status"], 0)),
        spoken=_plain(pc.fill_null(spoken, False)),
        wordless=_plain(steady["error"].is_null()),
        sent=_plain(steady["sent_ns"].is_valid()),
        done=_plain(steady["done_ns"].is_valid()),
    )
    response = pc.subtract(steady["done_ns"], steady["arrival_ns"]).cast(pa.float64())
    response_ms = response.to_numpy(zero_copy_only=False) / 1e6
    failed = ~ok & ~given_up if gave_up_early else ~ok
    return count(response_ms, ok, failed, offered_per_s, objective)


def _plain(column: pa.ChunkedArray) -> Bools:
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.bool_)


def count(
    response_ms: npt.NDArray[np.float64],
    ok: Bools,
    failed: Bools,
    offered_per_s: float,
    objective: Objective,
) -> Score:
    """Counts over steady requests; a response time that is not known (NaN) is late."""
    in_time = ok & (response_ms <= objective.p99_ms)
    return Score(offered_per_s, len(ok), int((~in_time).sum()), int(failed.sum()))
