"""What tests of gates ask: a simulated run's summary, its gates by name, one arm broken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from reports.model import GateResult, Summary
from reports.run_folder import StoredRun
from reports.summarise import summarise
from tests.support.run_builder import Trial, build_run

BAD = "async"


def summary_of(folder: Path, **options: Any) -> Summary:
    """The answer of a simulated run with short blocks."""
    return summarise(StoredRun.load(build_run(folder, **{"block_s": 0.5, **options})))


def gates_of(summary: Summary, name: str, ok: bool | None = False) -> list[GateResult]:
    """The outcomes of one gate that are `ok`."""
    return [g for s in summary.scenarios for g in s.gates if g.name == name and g.ok is ok]


def only_bad(change: Callable[[Trial], dict[str, Any]]) -> Callable[[Trial], Trial]:
    """Apply a change to the trials of one arm."""
    return lambda trial: {**trial, **change(trial)} if trial["arm"] == BAD else trial


def verdicts(summary: Summary, metric: str) -> set[str]:
    """All verdicts on one metric."""
    return {c.verdict for s in summary.scenarios for c in s.comparisons if c.metric == metric}
