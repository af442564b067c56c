"""PURE: whether two runs did the same to their arms: scenario definitions and loads."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.scenarios.model import Scenario
from reports import words
from reports.model import LoadFacts

NOT_WHAT_IS_DONE = frozenset({"load", "block_s", "arms"})
"""Of a scenario: how long and for which arms; its load is compared by itself."""
FURTHEST_RATES_PCT = 10.0
"""Rates that are the same share of a capacity are rounded to two digits, which makes up to 10%.
Where two arms' capacities are 20% apart, ten percent more than half load moves the ratio of their
percentiles by 3% (M/M/1: docs/method.md), less than what matters."""


def scenario_differs(first: Scenario, second: Scenario) -> str | None:
    """What makes two scenarios of one name different ones; None when they are the same."""
    one, two = (each.model_dump(mode="json", by_alias=True) for each in (first, second))
    keys = [key for key in one if key not in NOT_WHAT_IS_DONE and one[key] != two[key]]
    if not keys:
        return None
    named = words.listed(key.replace("_", " ") for key in keys)
    return f"the scenario is defined differently ({named}): it asks other things of the arms"


def matching_load(
    load: LoadFacts, of_reference: Sequence[LoadFacts], of_other: Sequence[LoadFacts]
) -> LoadFacts | None:
    """The other run's counterpart of a load: the same one, or that at the same place among the
    loads of its kind."""
    same = [each for each in of_other if each.load == load.load]
    if same:
        return same[0]
    place = [each.load for each in of_reference if each.model == load.model].index(load.load)
    of_kind = [each for each in of_other if each.model == load.model]
    return of_kind[place] if place < len(of_kind) else None


def load_differs(first: LoadFacts, second: LoadFacts, one: Scenario, two: Scenario) -> str | None:
    """What makes two loads different ones; None when they are alike enough to be compared."""
    said = f"{words.load_short(first)} against {words.load_short(second)}"
    if one.load.arrivals != two.load.arrivals and first.model == "open":
        return f"the load is another: {one.load.arrivals} against {two.load.arrivals} arrivals"
    if (first.users, first.rate_per_s) == (second.users, second.rate_per_s):
        return None
    if first.model == "closed":
        return f"the load is another: {said}"
    if one.load.model != "auto" or one.load != two.load:
        return f"the load is another: {said}"
    if rates_apart_pct(first, second) > FURTHEST_RATES_PCT:
        return (
            f"the load is another: {said}, each the same share of what the slower arm of its run "
            'could do; give both runs one rate: load = { model = "open", rate_per_s = … }'
        )
    return None


def rates_apart_pct(first: LoadFacts, second: LoadFacts) -> float:
    """How much higher the higher of two rates is, in percent."""
    low, high = sorted([first.rate_per_s or 0.0, second.rate_per_s or 0.0])
    return round(100.0 * (high / low - 1.0), 6) if low > 0 else float("inf")
