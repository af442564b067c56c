"""A run's `log.txt`: what was said to the person, with the time, for a look afterwards."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from loadtests.run_state import Interim as AnyInterim
from scripts.console import Progress, interim_line, say

if TYPE_CHECKING:
    from reports.summarise import Interim

NAME = "log.txt"


class RunLog:
    """Says messages and keeps them. A log that cannot be written is told once; it stops nothing."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._writable = True

    def say(self, message: str) -> None:
        """One message to the person and to the log."""
        say(message)
        self.keep(message)

    def keep(self, message: str) -> None:
        """One message to the log alone."""
        if not self._writable:
            return
        stamp = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        try:
            with self.path.open("a", encoding="utf-8") as log:
                log.write(f"{stamp} {message.strip()}\n")
        except OSError as error:
            self._writable = False
            say(f"{self.path} is no longer written: {error.strerror or error}.")


class LoggedProgress(Progress):
    """Progress whose messages are kept in the run's log."""

    def __init__(self, log: RunLog, *, round_s: float, rounds: int, first_round: int = 0) -> None:
        super().__init__(round_s=round_s, rounds=rounds, first_round=first_round)
        self._log = log

    def say(self, message: str) -> None:
        """Show one message above the live display, and keep it."""
        super().say(message)
        self._log.keep(message)

    def round_finished(self, number: int, interims: Sequence[AnyInterim]) -> None:
        """Show the intervals as they stand; on a terminal they are not said, but kept."""
        super().round_finished(number, interims)
        if self._live is not None:
            lines = [interim_line(interim) for interim in cast("Sequence[Interim]", interims)]
            self._log.keep("\n".join([f"Round {number + 1} is done.", *lines]))
