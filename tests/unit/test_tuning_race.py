"""The race: who stays, where it ends, and who is worth more blocks."""

import numpy as np

from loadtests.tuning.race import Race
from loadtests.tuning.score import Score
from loadtests.tuning.setting import Setting
from tests.support.tuning_surfaces import OBJECTIVE, SETTINGS

TRUE_PER_S = {s: 100.0 if s.pool_size < 10 else 200.0 for s in SETTINGS}


def exact(setting: Setting, rate_per_s: float) -> Score:
    """A trial without noise: all in time up to the setting's knee, nothing beyond."""
    late = 0 if rate_per_s <= TRUE_PER_S[setting] else 1000
    return Score(rate_per_s, 1000, late, 0)


def finished(start_rate_per_s: float) -> Race:
    race = Race(SETTINGS, start_rate_per_s, OBJECTIVE)
    while (heat := race.next_heat()) is not None:
        race.record(heat, {s: exact(s, heat.rate_per_s) for s in heat.settings})
    return race


def test_it_ends_next_to_the_highest_load_that_anybody_clears() -> None:
    for start_rate_per_s in (5.0, 90.0, 190.0, 2000.0):
        race = finished(start_rate_per_s)
        assert race.top is not None
        assert race.rate_at(race.top) <= 200.0 < race.rate_at(race.top + 1)


def test_those_who_miss_what_others_clear_leave() -> None:
    race = finished(90.0)
    assert set(race.standing) == {s for s in SETTINGS if s.pool_size >= 10}


def test_when_nobody_clears_anything_it_ends_at_the_lowest_load() -> None:
    race = Race(SETTINGS, 50.0, OBJECTIVE)
    lowest = np.inf
    while (heat := race.next_heat()) is not None:
        lowest = min(lowest, heat.rate_per_s)
        race.record(heat, {s: Score(heat.rate_per_s, 10, 10, 0) for s in heat.settings})
    assert lowest == 1.0
    assert race.top is None
    assert race.finalists(4) == []


def test_the_finalists_are_the_cheapest_with_a_gate_first_and_the_roomiest() -> None:
    labels = [each.label for each in finished(90.0).finalists(4)]
    assert labels == ["p10-0.t10.w1.a0", "p10-0.t10.w1.an", "p10-0.t40.w1.a0", "p40-0.t40.w1.a0"]


def test_few_who_cleared_it_are_all_finalists() -> None:
    race = finished(90.0)
    assert len(race.finalists(100)) == 12
