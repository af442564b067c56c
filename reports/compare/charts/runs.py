"""How a run is drawn in every chart: its mark, its name, and what must stand below."""

from __future__ import annotations

from collections.abc import Sequence

from reports import words
from reports.charts.style import MARKS, Mark
from reports.compare.model import Run
from reports.symbols import FAILED

HOLLOW = f" Hollow marks, and labels with {FAILED}, are of an arm that failed a check in that run."
NO_CLAIM = "Runs were not interleaved: one run against another is no claim here"


def marks_of_runs(runs: Sequence[Run]) -> dict[str, Mark]:
    """Every run's mark by its letter; they repeat beyond six runs."""
    return {run.letter: MARKS[number % len(MARKS)] for number, run in enumerate(runs)}


def numbers_of(runs: Sequence[Run]) -> dict[str, int]:
    """Every run's place, by which a page switches its marks on and off."""
    return {run.letter: number for number, run in enumerate(runs)}


def named(run: Run, limit: int = 24) -> str:
    """`A · MariaDB 10.11.19`."""
    return words.tidy(f"{run.letter} · {run.what}" if run.what else run.letter, limit)


def key(runs: Sequence[Run]) -> str:
    """What the letters mean, for the note below a drawing."""
    return "; ".join(f"{run.letter}: {words.tidy(run.what or run.run, 60)}" for run in runs)
