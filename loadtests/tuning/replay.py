"""PURE: a race as the journal has it, run again on paper."""

from __future__ import annotations

from loadtests.errors import UsageError
from loadtests.tuning.past import Past
from loadtests.tuning.race import Race
from loadtests.tuning.score import Objective


def race_so_far(past: Past, arm: str, objective: Objective) -> Race | None:
    """An arm's race (its second one, where it has two) after all its heats in the journal; None
    before it began. Raises UsageError when they are not the heats of this race."""
    if arm not in past.pilots:
        return None
    _, own_rate_per_s = past.race_from[arm]
    start_rate_per_s = own_rate_per_s or past.pilots[arm].start_rate_per_s
    race = Race(past.starters[arm], start_rate_per_s, objective)
    for measured in past.heats(arm):
        heat = race.next_heat()
        if heat is None or (heat.rung, heat.attempt) != (measured.rung, measured.attempt):
            raise UsageError(
                f"The journal's heats of {arm} are not those of this race.",
                hint="Another version of bench wrote it; start a new run.",
            )
        race.record(heat, measured.scores)
    return race
