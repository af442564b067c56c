"""Live progress of a tune run on stderr: the trial in hand; on a terminal only."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from loadtests.run_state import Interim
from loadtests.trials import TrialOrder


class TuneProgress:
    """Satisfies `loadtests.run_state.Watcher`. Use as a context manager."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._live: Live | None = None

    def __enter__(self) -> TuneProgress:
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
        """Show one message above the live display."""
        self._console.print(message, highlight=False, markup=False, soft_wrap=True)

    def trial(self, order: TrialOrder, done: int, planned: int) -> None:
        """Show the trial that is about to start."""
        if self._live is not None:
            line = f"{order.load.name} · {done + 1} of {planned} · {order.target.arm}"
            self._live.update(Text(line, overflow="ellipsis"))

    def round_finished(self, number: int, interims: Sequence[Interim]) -> None:
        """Blocks are told by whoever judges them."""
