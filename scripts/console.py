"""Messages and live progress on stderr: a display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self, cast

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from loadtests.run_state import Interim as AnyInterim
from loadtests.trials import TrialOrder
from reports.words import change, metric_name, tidy

if TYPE_CHECKING:
    from reports.summarise import Interim


def say(message: str) -> None:
    """One message to the person, on stderr."""
    print(message, file=sys.stderr, flush=True)


class LiveDisplay:
    """A live line on a terminal's stderr, with messages above it. Use as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=2, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, message: str) -> None:
        """Show one message above the live line."""
        self._console.print(message, highlight=False, markup=False, soft_wrap=True)


class Progress(LiveDisplay):
    """Shows a run as it goes: scenario, round, time left, current intervals.

    Satisfies `loadtests.run_state.Watcher`.
    """

    def __init__(self, *, round_s: float, rounds: int, first_round: int = 0) -> None:
        super().__init__()
        self._round_s = round_s
        self._rounds = rounds
        self._first_round = first_round
        self._round_started_s: float | None = None
        self._intervals: list[str] = []

    def trial(self, order: TrialOrder, done: int, planned: int) -> None:
        """Update the display before a trial."""
        if done == 0:
            self._round_started_s = time.monotonic()
        if self._live is None:
            if done == 0:
                self.say(
                    f"Round {order.round + 1} of at most {self._last_round}: {planned} trials …"
                )
            return
        self._live.update(
            Group(*(Text(line, overflow="ellipsis") for line in self._lines(order, done, planned)))
        )

    @property
    def _last_round(self) -> int:
        return self._first_round + self._rounds

    def _lines(self, order: TrialOrder, done: int, planned: int) -> list[str]:
        bar = "█" * round(20 * done / planned) + "░" * (20 - round(20 * done / planned))
        left_s = self._seconds_left(order.round, done / planned)
        head = (
            f"Round {order.round + 1} of at most {self._last_round}  {bar}  "
            f"about {minutes(left_s)} left"
        )
        where = (
            f"{order.scenario} · {order.load.name} · {order.target.arm} #{order.target.instance}"
        )
        return [head, where, *self._intervals]

    def _seconds_left(self, round_number: int, share: float) -> float:
        if self._round_started_s is not None and share > 0.1:
            self._round_s = (time.monotonic() - self._round_started_s) / share
        return self._round_s * (self._last_round - round_number - share)

    def round_finished(self, number: int, interims: Sequence[AnyInterim]) -> None:
        """Show the intervals as they stand."""
        self._intervals = [interim_line(interim) for interim in cast("Sequence[Interim]", interims)]
        if self._live is None:
            self.say(f"Round {number + 1} is done. As it stands (the verdict comes at the end):")
            for line in self._intervals:
                self.say(line)


def interim_line(interim: Interim) -> str:
    """One primary comparison as it stands: `  async  read-one  p95 of read  −24% ±5.2`."""
    measure = metric_name(interim.metric, interim.request).replace(" response time", "")
    what = f"  {tidy(interim.candidate, 16):<10} {tidy(interim.scenario):<18} {measure:<16}"
    if interim.change_pct is None or interim.half_width_pct is None:
        return f"{what} no interval yet"
    return f"{what} {change(interim.change_pct):>6} ±{interim.half_width_pct:.1f}"


def minutes(seconds: float) -> str:
    """`95.0` as `1 min 35 s`."""
    whole = max(0, round(seconds))
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
