"""Signs of arms and verdicts where they stand in words: the shapes that charts draw them with."""

from __future__ import annotations

from collections.abc import Sequence

from reports.tables import VerdictRow

ARM_SYMBOLS = "●■▲◆▼✚"
"""In the order of `charts.style.MARKS`, with the same shapes."""
OTHER_SYMBOLS = {"equivalent": "◆", "inconclusive": "○", "invalid": "✕"}


def arm_symbol(number: int) -> str:
    """The sign of an arm by its place; the baseline is 0."""
    return ARM_SYMBOLS[number % len(ARM_SYMBOLS)]


def verdict_symbol(arms: Sequence[str], row: VerdictRow) -> str:
    """The sign of the better arm, or of the lack of one."""
    if row.winner in arms:
        return arm_symbol(arms.index(row.winner))
    return OTHER_SYMBOLS.get(row.verdict, "●")
