"""What Ctrl-C, TERM and a closed terminal do to a run: the first asks, the second stops at once."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from loadtests.run_state import Interruption
from loadtests.trials import Generator, TrialOrder, TrialOutcome

ASKED = b"\nStopping after this trial; what was measured is kept. Ctrl-C again stops at once.\n"
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Stopping:
    """Takes the signals for the length of the block.

    The first one sets `interruption.requested`. A second one raises KeyboardInterrupt, but only
    inside `at_once`: where set-up or a trial is waited for, never while samples are written or
    anything is taken down. Later ones do nothing, so that what was begun is cleaned up.
    """

    def __init__(self, interruption: Interruption) -> None:
        self.interruption = interruption
        self._may_raise = False
        self._stopped_at_once = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stopping:
        for number in SIGNALS:
            if number != signal.SIGINT and signal.getsignal(number) is signal.SIG_IGN:
                continue  # under nohup a closed terminal is no reason to stop
            self._before[number] = signal.signal(number, self._asked)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """A second signal may stop what is done in this block (but only once)."""
        self._may_raise = not self._stopped_at_once
        try:
            yield
        finally:
            self._may_raise = False

    def _asked(self, _number: int, _frame: FrameType | None) -> None:
        if not self.interruption.requested:
            self.interruption.requested = True
            _tell(ASKED)
        elif self._may_raise:
            self._may_raise, self._stopped_at_once = False, True
            raise KeyboardInterrupt


class StoppableGenerator:
    """A generator whose trials a second signal may cut short. Satisfies `Generator`."""

    def __init__(self, generator: Generator, stopping: Stopping) -> None:
        self._generator = generator
        self._stopping = stopping

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        """Run one trial and return once it has drained."""
        with self._stopping.at_once():
            return self._generator.run_trial(order)

    def close(self) -> None:
        """End the generator and everything it holds."""
        self._generator.close()


def _tell(message: bytes) -> None:
    """Write past Python's buffers, which the signal may have interrupted.

    A terminal that is gone takes nothing any more: from then on, nothing is written to it.
    """
    try:
        os.write(sys.stderr.fileno(), message)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for fd in (sys.stdout.fileno(), sys.stderr.fileno()):
            if stat.S_ISCHR(os.fstat(fd).st_mode):  # a dead terminal no longer says it is one
                os.dup2(nowhere, fd)
        os.close(nowhere)
