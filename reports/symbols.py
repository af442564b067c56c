"""Signs of arms and verdicts where they stand in words: the shapes that charts draw them with."""

from __future__ import annotations

from collections.abc import Sequence

from reports.tables import VerdictRow

ARM_SYMBOLS = "●■▲◆▼✚"
"""In the order of `charts.style.MARKS`, with the same shapes."""
FAILED = "✕"
OTHER_SYMBOLS = {"equivalent": "◆", "inconclusive": "○", "invalid": FAILED}
MARKS_MEAN = (
    "In every chart a filled mark answers its question, and a hollow one does not: it is undecided "
    f"or of an arm that failed a check. {FAILED} stands for a failed check, at the name or in the "
    "place of the mark. An arrow head: what it belongs to lies beyond the axis."
)
"""Said once, before the first chart."""


def named(arm: str, *, failed: bool) -> str:
    """An arm's name as a chart's label, with the sign of a failed check."""
    return f"{FAILED} {arm}" if failed else arm


def arm_symbol(number: int) -> str:
    """The sign of an arm by its place; the baseline is 0."""
    return ARM_SYMBOLS[number % len(ARM_SYMBOLS)]


def verdict_symbol(arms: Sequence[str], row: VerdictRow) -> str:
    """The sign of the better arm, or of the lack of one."""
    if row.winner in arms:
        return arm_symbol(arms.index(row.winner))
    return OTHER_SYMBOLS.get(row.verdict, "●")
