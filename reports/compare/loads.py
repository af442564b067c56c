"""PURE: whether two runs did the same to their arms: scenario definitions and loads."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.scenarios.model import Scenario
from reports import words
from reports.model import LoadFacts

NOT_WHAT_IS_DONE = frozenset({"load", "block_s", "arms"})
"""Of a scenario: how long and for which arms; its load is compared by itself."""
CHOSEN = {"auto": "as a share of capacity", "open": "as a fixed rate"}


def scenario_differs(first: Scenario, second: Scenario) -> str | None:
    """What makes two scenarios of one name different ones; None when they are the same."""
    one, two = (each.model_dump(mode="json", by_alias=True) for each in (first, second))
    keys = [key for key in one if key not in NOT_WHAT_IS_DONE and one[key] != two[key]]
    if not keys:
        return None
    named = words.listed(key.replace("_", " ") for key in keys)
    return f"the scenario is defined differently ({named}): it asks other things of the arms"


def matching_load(
    load: LoadFacts,
    of_reference: Sequence[LoadFacts],
    of_other: Sequence[LoadFacts],
    one: Scenario,
    two: Scenario,
) -> LoadFacts | None:
    """The other run's counterpart of a load: that at the same share of capacity where both runs
    chose their rates, else the same one, or that at the same place among the loads of its kind."""
    if load.model == "open" and one.load.model == two.load.model == "auto":
        share = share_of(load, of_reference, one)
        return next((e for e in of_other if share_of(e, of_other, two) == share is not None), None)
    same = [each for each in of_other if each.load == load.load]
    if same:
        return same[0]
    place = [each.load for each in of_reference if each.model == load.model].index(load.load)
    of_kind = [each for each in of_other if each.model == load.model]
    return of_kind[place] if place < len(of_kind) else None


def share_of(load: LoadFacts, loads: Sequence[LoadFacts], scenario: Scenario) -> float | None:
    """Which share of the slower arm's capacity an open load of `auto` is; None for others, and for
    those after the first where two shares came to one rate."""
    if load.model != "open" or scenario.load.model != "auto":
        return None
    open_loads = [each.load for each in loads if each.model == "open"]
    place, shares = open_loads.index(load.load), scenario.load.open_shares
    return shares[place] if place == 0 or len(open_loads) == len(shares) else None


def load_differs(first: LoadFacts, second: LoadFacts, one: Scenario, two: Scenario) -> str | None:
    """What makes two counterparts different loads; None where they may be compared.

    An open load is the same at the same share of capacity, whatever the rates (`matching_load` sees
    to it), or at the same rate where both specs fix it.
    """
    said = f"{words.load_short(first)} against {words.load_short(second)}"
    if first.model == "closed":
        return None if first.users == second.users else f"the load is another: {said}"
    if one.load.arrivals != two.load.arrivals:
        return f"the load is another: {one.load.arrivals} against {two.load.arrivals} arrivals"
    ways = one.load.model, two.load.model
    if ways == ("auto", "auto"):
        return None
    if ways[0] != ways[1]:
        told = [
            f"{words.load_short(load)} {CHOSEN[way]}"
            for load, way in zip((first, second), ways, strict=True)
        ]
        return f"the load is another: {told[0]} against {told[1]}"
    return None if first.rate_per_s == second.rate_per_s else f"the load is another: {said}"


def load_remarks(
    first: LoadFacts, second: LoadFacts, one: Scenario, ground: Sequence[str]
) -> list[str]:
    """What to know of a claim at two loads that may be compared. `ground`: what every arm runs on,
    as far as it changed between the runs."""
    if first.model == "closed":
        return []
    if one.load.model == "auto":
        return [] if first.rate_per_s == second.rate_per_s else [_same_share(first, second)]
    return [_same_rate(first, ground)] if ground else []


def _same_share(first: LoadFacts, second: LoadFacts) -> str:
    return (
        f"the rates are not the same ({words.load_short(first)} against "
        f"{words.load_short(second)}), but the same share of what each run's slower arm could do"
    )


def _same_rate(load: LoadFacts, ground: Sequence[str]) -> str:
    return (
        f"{words.load_short(load)} in both runs, but {words.listed(ground)} changed: at one rate a "
        "slower ground makes every queue longer, and so the ratio; part of this change may be that"
    )
