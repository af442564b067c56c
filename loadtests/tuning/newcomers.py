"""PURE: settings that were not up in the search, but lie beside the best of those that were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadtests.schedule import Limits
from loadtests.tuning.race import Race
from loadtests.tuning.room import shortage
from loadtests.tuning.setting import Setting
from loadtests.tuning.space import Space

LEADERS = 4


def newcomers(
    spaces: Mapping[str, Space],
    races: Mapping[str, Race],
    known: Mapping[str, Sequence[Setting]],
    limits: Limits,
) -> dict[str, list[Setting]]:
    """Per arm the leaders of its race with as many of their neighbours as can be up beside them;
    empty where no arm has a neighbour that was not in its race."""
    fields = {arm: race.finalists(LEADERS) for arm, race in races.items() if race.top is not None}
    beside = {arm: _beside(spaces[arm], field, known[arm]) for arm, field in fields.items()}
    invited = False
    for turn in range(max(map(len, beside.values()), default=0)):
        for arm, each in beside.items():
            if turn >= len(each):
                continue
            everyone = [s for field in fields.values() for s in field]
            if shortage([*everyone, each[turn]], 1, limits) is None:
                fields[arm].append(each[turn])
                invited = True
    return fields if invited else {}


def _beside(space: Space, leaders: Sequence[Setting], known: Sequence[Setting]) -> list[Setting]:
    """Neighbours of the leaders, those of the best first."""
    inside = [each for each in leaders if each in space.settings]
    near = [other for each in inside for other in space.neighbours(each)]
    return [each for each in dict.fromkeys(near) if each not in known]
