"""PURE: what the forest plot says: its rows, its panels, its titles."""

from __future__ import annotations

from collections.abc import Sequence

from reports import verdict_words, words
from reports.charts.compared import Row
from reports.model import Comparison


def label(row: Row) -> str:
    """What the axis shows beside the panel's heading.

    Secondary comparisons have a chart per scenario, which need not be named again.
    """
    compared, candidate = row.comparison, words.tidy(row.comparison.candidate, 20)
    if compared.primary and row.several:
        return candidate
    request = words.tidy(compared.request, 14) if compared.request else ""
    if compared.primary:
        name = words.tidy(row.scenario, 20)
        parts = [name, request if compared.request != row.scenario else ""]
    else:
        parts = [request or "all", candidate if row.several else ""]
    return f"{' · '.join(part for part in parts if part)}, {words.load_short(row.load)}"


def heading(row: Row) -> str:
    """The heading a row stands under: the measure with the direction that is better.

    With several candidates a panel is one question, and its rows are the candidates.
    """
    metric = row.comparison.metric
    name = words.metric_heading(metric)
    if row.comparison.primary and row.several:
        name = name.replace(" response time", "")
        place = f"{words.tidy(row.scenario, 16)}, {words.load_short(row.load)}"
        name = f"{name}, {place}"
    better = "more is better →" if words.more_is_better(metric) else "← less is better"
    return f"{name}  ({better})"


def primary_title(rows: Sequence[Row]) -> str:
    """What the primary comparisons say together, as a sentence."""
    told: dict[str, int] = {}
    for row in rows:
        phrase = _winner_phrase(row.comparison)
        told[phrase] = told.get(phrase, 0) + 1
    total = len(rows)
    if total == 1:
        return f"{label(rows[0])}: {verdict_words.said(rows[0].comparison)}"
    parts = [f"{phrase} in {number}" for phrase, number in told.items()]
    return f"Of {total} primary comparisons: {words.listed(parts)}"


def _winner_phrase(comparison: Comparison) -> str:
    if (arm := verdict_words.better_arm(comparison)) is not None:
        return f"{words.tidy(arm)} better"
    return {
        "equivalent": "no difference that matters",
        "inconclusive": "undecided",
        "invalid": "invalid",
    }[comparison.verdict]


def secondary_title(scenario: str, rows: Sequence[Row]) -> str:
    """Which arm is better in how many of a scenario's secondary comparisons."""
    decided = [verdict_words.better_arm(row.comparison) for row in rows]
    wins = {arm: decided.count(arm) for arm in dict.fromkeys(decided) if arm is not None}
    name = words.tidy(scenario, 40)
    if not wins:
        return f"{name}: no secondary comparison is decided"
    parts = [f"{words.tidy(arm)} is better in {number}" for arm, number in wins.items()]
    total = f"{len(rows)} secondary comparison{'s' if len(rows) > 1 else ''}"
    return f"{name}: of {total}, {words.listed(parts)}"
