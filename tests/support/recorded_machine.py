"""A real machine's speed, replayed: what a trial at any time would see of its drift and bursts.

`tests/data/recorded_completions.json`: completions in each 50 ms of two recordings of about 150 s,
16 closed clients on one twin with nothing changed. All that varies is the machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FILE = Path(__file__).parents[1] / "data" / "recorded_completions.json"
BIN_S = 0.05
COMPLETIONS: dict[str, list[int]] = json.loads(FILE.read_text())
SETTLED_GAP_S = 0.25
"""Time between the windows of two trials in a row: the gap and the next one's lead-in."""


def per_second(name: str) -> Floats:
    """Completions in each whole second of a recording."""
    bins_per_s = round(1 / BIN_S)
    return np.array(COMPLETIONS[name], dtype=np.float64).reshape(-1, bins_per_s).sum(axis=1)


@dataclass(frozen=True)
class Machine:
    """One recording, played round and round from `start_s` on, calmed or made wilder by `scale`."""

    done: Floats
    """Completions since the start, at each 50 ms."""
    start_s: float = 0.0
    scale: float = 1.0

    @property
    def length_s(self) -> float:
        return (len(self.done) - 1) * BIN_S

    def log_speed(self, from_s: Floats, window_s: float) -> Floats:
        """Log of the speed in windows that begin at `from_s`, against the recording's mean."""
        begin = self._done_at(from_s + self.start_s)
        end = self._done_at(from_s + self.start_s + window_s)
        mean_per_s = self.done[-1] / self.length_s
        # A window without any completion (none of 0.3 s or more in the recordings) counts as half.
        return self.scale * np.log(np.maximum(end - begin, 0.5) / (window_s * mean_per_s))

    def _done_at(self, at_s: Floats) -> Floats:
        whole, rest_s = np.divmod(at_s, self.length_s)
        return whole * self.done[-1] + np.interp(
            rest_s / BIN_S, np.arange(len(self.done)), self.done
        )

    def pair_sd(self, window_s: float = 1.0) -> float:
        """Sd of the log ratio of two trials in a row."""
        starts_s = np.arange(0.0, self.length_s, 0.1)
        after_s = starts_s + window_s + SETTLED_GAP_S
        return float(np.std(self.log_speed(after_s, window_s) - self.log_speed(starts_s, window_s)))


def machine(name: str, pair_sd: float | None = None, start_s: float = 0.0) -> Machine:
    """A recording as a machine; with `pair_sd`, as restless as wanted (see `Machine.pair_sd`)."""
    done = np.concatenate([[0.0], np.cumsum(COMPLETIONS[name])]).astype(np.float64)
    asis = Machine(done, start_s)
    return asis if pair_sd is None else Machine(done, start_s, pair_sd / asis.pair_sd())
