"""PURE: of settings that cannot be told apart, the one that no condition speaks against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadtests.tuning.setting import Setting

CLOSE_PCT = 10.0
"""Shortfalls that differ by less count as the same; then the cheaper setting is taken. Three
instances do not tell less apart (benchmarks/tuning/results.md)."""


def shortfalls_pct(
    contenders: Sequence[Setting], figures: Sequence[Mapping[Setting, float]]
) -> dict[Setting, float]:
    """How far each contender lies below the best of them in the condition where it lies furthest,
    in percent. `figures`: for each condition what every contender achieved, more is better; a
    condition in which one of them was not measured is left out."""
    worst = dict.fromkeys(contenders, 0.0)
    for figure in figures:
        if any(each not in figure for each in contenders):
            continue
        best = max(figure[each] for each in contenders)
        for each in contenders:
            if best > 0.0:
                worst[each] = max(worst[each], 100.0 * (1.0 - figure[each] / best))
    return worst


def steadiest(worst_pct: Mapping[Setting, float]) -> Setting:
    """The cheapest of those whose worst shortfall is about the least (minimax regret: Savage 1951,
    "The theory of statistical decision")."""
    least_pct = min(worst_pct.values())
    close = [s for s, shortfall in worst_pct.items() if shortfall <= least_pct + CLOSE_PCT]
    return min(close, key=lambda s: (s.cost, s))
