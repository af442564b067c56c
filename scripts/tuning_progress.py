"""Live progress of a tune run on stderr: the trial in hand; on a terminal only."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from loadtests.run_state import Interim
from loadtests.trials import TrialOrder
from scripts.console import LiveDisplay


class TuneProgress(LiveDisplay):
    """Satisfies `loadtests.run_state.Watcher`."""

    def trial(self, order: TrialOrder, done: int, planned: int) -> None:
        """Show the trial that is about to start."""
        if self._live is not None:
            line = f"{order.load.name} · {done + 1} of {planned} · {order.target.arm}"
            self._live.update(Text(line, overflow="ellipsis"))

    def round_finished(self, number: int, interims: Sequence[Interim]) -> None:
        """Blocks are told by whoever judges them."""
