"""Comparisons as rows of a chart: which there are, and the mark that tells a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reports import verdict_words
from reports.charts.style import PAPER, Mark
from reports.model import Comparison, LoadFacts, Summary


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison and where it was made."""

    scenario: str
    load: LoadFacts
    comparison: Comparison
    several: bool
    """Whether the scenario has more than one candidate, which each row then names."""


def rows_of(summary: Summary) -> list[Row]:
    """Every comparison, in the order of the summary."""
    found = []
    for scenario in summary.scenarios:
        loads = {load.load: load for load in scenario.loads}
        several = len({each.candidate for each in scenario.comparisons}) > 1
        found += [
            Row(scenario.name, loads[each.load], each, several) for each in scenario.comparisons
        ]
    return found


def verdict_mark(comparison: Comparison, marks: Mapping[str, Mark]) -> tuple[str, str | None]:
    """Marker shape and face (None is the line's own colour): of the better arm, else of the lack of
    one, as `reports.symbols` has them."""
    winner = verdict_words.better_arm(comparison)
    if winner is not None:
        return marks[winner].marker, None
    return {"equivalent": ("D", None), "invalid": ("x", None)}.get(comparison.verdict, ("o", PAPER))
