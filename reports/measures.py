"""PURE: stored trials and samples as the arrays that results, gates and comparisons work on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from loadtests.trials import TIMEOUT_WORDS, waited_in_vain
from reports.model import LoadFacts, Scope

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

NS_PER_MS = 1e6
SPLIT = ("thread_ms", "pool_ms", "db_ms", "total_ms")
LONGEST_MS = 1e9
"""Eleven days."""
KEPT = ("arrival_ns", "sent_ns", "done_ns", "status", "error", *SPLIT)
"""Columns of the samples that gates and results look at beside the arrays of LoadData."""
JUDGED = ("trial", "request", "ok", "phase", *KEPT)
"""Columns of SAMPLE_SCHEMA that LoadData is made of: nobody judges by the others, and what a row
says of its arm, instance and block, its trial says too."""


@dataclass(frozen=True)
class LoadData:
    """Everything measured in finished trials of one scenario at one load.

    `trials`: one row per trial; all arrays: one entry per sample. `row` is the sample's trial as
    an index into `trials`; `samples` has the columns KEPT. `response_ms` and `service_ms` are NaN
    where a request does not count (errors); timeouts count as at least the timeout.
    """

    facts: LoadFacts
    timeout_s: float
    trials: pd.DataFrame
    samples: pd.DataFrame
    row: Ints
    steady: Bools
    ok: Bools
    timed_out: Bools
    in_window: Bools
    """Answered inside the steady window of its trial."""
    response_ms: Floats
    service_ms: Floats
    lag_ms: Floats
    never_sent: Bools
    """Given up before it could be sent, because no user became free within the timeout."""
    request: Ints
    """Index into `requests`."""
    requests: tuple[str, ...]

    def of_arm(self, arm: str) -> Bools:
        """Which samples belong to an arm."""
        if len(self.trials) == 0:
            return np.zeros(len(self.row), dtype=bool)
        return np.asarray((self.trials["arm"] == arm).to_numpy()[self.row], dtype=bool)

    def of_request(self, name: str | None) -> Bools:
        """Which samples are of one kind of request; all when `name` is None."""
        if name is None:
            return np.ones(len(self.row), dtype=bool)
        if name not in self.requests:
            return np.zeros(len(self.row), dtype=bool)
        return np.asarray(self.request == self.requests.index(name), dtype=bool)

    def last_error(self, arm: str) -> str | None:
        """What an arm's last failed request failed for, in the app's own words, if it told."""
        said = self.trials.loc[self.trials["arm"] == arm, "last_error"].dropna()
        return str(said.iloc[-1]) if len(said) else None

    def good_per_s(self, name: str | None = None) -> Floats:
        """Per trial: good answers inside its steady window per second."""
        counted = self.ok & self.in_window & self.of_request(name)
        good = np.bincount(self.row[counted], minlength=len(self.trials))
        return np.asarray(good / self.window_s, dtype=np.float64)

    @property
    def window_s(self) -> Floats:
        """Length of each trial's steady window; NaN where it is not known."""
        length = self.trials["steady_end_ns"] - self.trials["steady_start_ns"]
        length_s = length.to_numpy(dtype="float64", na_value=np.nan) / 1e9
        return np.where(length_s > 0, length_s, np.nan)


def load_data(
    facts: LoadFacts, timeout_s: float, trials: pd.DataFrame, samples: pd.DataFrame
) -> LoadData:
    """Arrays from the finished trials of one scenario at one load, and their samples (JUDGED)."""
    trials = trials.sort_values("trial", ignore_index=True)
    row = np.searchsorted(trials["trial"].to_numpy(), samples["trial"].to_numpy()).astype(np.int64)
    ok = samples["ok"].to_numpy(dtype=bool)
    timed_out = ~ok & _timeouts(samples)
    request, names = pd.factorize(samples["request"])
    return LoadData(
        facts=facts,
        timeout_s=timeout_s,
        trials=trials,
        samples=samples[list(KEPT)].assign(**{each: _known_ms(samples[each]) for each in SPLIT}),
        row=row,
        steady=(samples["phase"] == "steady").to_numpy(dtype=bool),
        ok=ok,
        timed_out=timed_out,
        in_window=_in_window(samples, trials, row),
        response_ms=_counting(_ms(samples, "arrival_ns", "done_ns"), ok, timed_out, timeout_s),
        service_ms=_counting(_ms(samples, "sent_ns", "done_ns"), ok, timed_out, timeout_s),
        lag_ms=_ms(samples, "arrival_ns", "sent_ns"),
        never_sent=samples["sent_ns"].isna().to_numpy(dtype=bool) & timed_out,
        request=np.asarray(request, dtype=np.int64),
        requests=tuple(str(name) for name in names),
    )


def _timeouts(samples: pd.DataFrame) -> Bools:
    error = samples["error"]
    return waited_in_vain(
        silent=(samples["status"] == 0).to_numpy(dtype=bool),
        spoken=error.str.contains(TIMEOUT_WORDS, case=False, regex=True, na=False).to_numpy(bool),
        wordless=error.isna().to_numpy(dtype=bool),
        sent=samples["sent_ns"].notna().to_numpy(dtype=bool),
        done=samples["done_ns"].notna().to_numpy(dtype=bool),
    )


def _ms(samples: pd.DataFrame, start: str, end: str) -> Floats:
    """Milliseconds between two stamps; subtracted as whole ns, NaN where one is missing."""
    elapsed_ns = (samples[end] - samples[start]).to_numpy(dtype="float64", na_value=np.nan)
    return np.asarray(elapsed_ns / NS_PER_MS, dtype=np.float64)


def _counting(elapsed_ms: Floats, ok: Bools, timed_out: Bools, timeout_s: float) -> Floats:
    at_least = np.fmax(elapsed_ms, timeout_s * 1000.0)
    return np.where(ok, elapsed_ms, np.where(timed_out, at_least, np.nan))


def _known_ms(column: pd.Series) -> pd.Series:
    """What an app told of a request's time; unknown where it cannot be a time (an app may send any
    number, and one that is absurd would be every mean)."""
    return column.where(column.between(0.0, LONGEST_MS))


def _in_window(samples: pd.DataFrame, trials: pd.DataFrame, row: Ints) -> Bools:
    done = samples["done_ns"].to_numpy(dtype="int64", na_value=-1)
    start = trials["steady_start_ns"].to_numpy(dtype="int64", na_value=0)
    end = trials["steady_end_ns"].to_numpy(dtype="int64", na_value=0)
    if len(trials) == 0:
        return np.zeros(len(row), dtype=bool)
    return (done >= start[row]) & (done < end[row])


@dataclass(frozen=True)
class Pairing:
    """Blocks in which both arms finished, in order; indices into `LoadData.trials`."""

    baseline: Ints
    candidate: Ints
    block: Ints
    pair: Ints
    """Instance pair of each block; all 0 where an arm has one instance only."""
    rounds: int
    scope: Scope

    @property
    def instances(self) -> int:
        """Instance pairs that were compared."""
        return len(np.unique(self.pair))


def pair_blocks(trials: pd.DataFrame, baseline: str, candidate: str) -> Pairing:
    """Pair the trials of two arms by block; blocks that lack one of them are left out.

    Instance i of the baseline always meets instance i of the candidate. An arm with a single
    instance (a URL) lends it to every block: then blocks are the units, and the scope says so.
    """
    first, second = (_by_block(trials, arm) for arm in (baseline, candidate))
    block = np.intersect1d(first.index.to_numpy(), second.index.to_numpy())
    rows = [frame.loc[block] for frame in (first, second)]
    one_only = any(frame["instance"].nunique() < 2 for frame in rows)
    instance = rows[0]["instance"].to_numpy(dtype="int64")
    return Pairing(
        baseline=rows[0]["row"].to_numpy(dtype="int64"),
        candidate=rows[1]["row"].to_numpy(dtype="int64"),
        block=block.astype(np.int64),
        pair=np.zeros_like(instance) if one_only else instance,
        rounds=int(rows[0]["round"].nunique()),
        scope="these instances" if one_only else "program",
    )


def _by_block(trials: pd.DataFrame, arm: str) -> pd.DataFrame:
    numbered = trials.assign(row=np.arange(len(trials)))
    chosen = numbered[numbered["arm"] == arm]
    return chosen.drop_duplicates("block", keep="last").set_index("block").sort_index()


def mean_or_none(values: Floats) -> float | None:
    """The mean of the numbers that exist; None when there are none."""
    known = values[np.isfinite(values)]
    return float(np.mean(known)) if len(known) else None


def tidy(value: float | None) -> float | None:
    """To six significant digits; None for what is not a finite number."""
    if value is None or not np.isfinite(value):
        return None
    return float(f"{value:.6g}")


def largest(values: Iterable[float]) -> float | None:
    """The largest number that exists; None when there is none."""
    known = [value for value in values if np.isfinite(value)]
    return max(known) if known else None
