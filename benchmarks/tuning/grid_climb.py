"""Measures a grid: every setting of one arm, all up together, at a common ladder of loads."""

from __future__ import annotations

from dataclasses import dataclass

from loadtests.errors import UsageError
from loadtests.plan import round_rate
from loadtests.trials import OpenLoad
from loadtests.tuning.confirm import AROUND_SHARE, climb
from loadtests.tuning.execute import up
from loadtests.tuning.ground import Ground, Tuning
from loadtests.tuning.past import SpaceFacts, chosen_facts, plain
from loadtests.tuning.race import Race
from loadtests.tuning.search import pilot, run_races
from loadtests.tuning.setting import Setting
from loadtests.tuning.stages import SHARES, Chosen, LadderPlan
from loadtests.tuning.world import world_of
from reports.tuning.knee import Scored
from reports.tuning.plateau import Plateau, plateau_of
from reports.tuning.record import ArmSearch

LADDERS: tuple[tuple[float, ...], ...] = (
    (0.3, 0.5, 0.65, 0.8, 0.9, 1.0, 1.1, 1.2),
    (0.4, 0.6, 0.8, 0.9, 1.0, 1.1),
    (0.4, 0.65, 0.85, 1.0, 1.15),
    (0.5, 0.75, 0.95, 1.15),
)
"""Loads as shares of a knee that is roughly known; the first whose time fits the budget."""
P99_SHARE = 0.8
"""Of the best's knee: where the p99 of the settings is compared."""
P99_BEGINS = "p99"
"""The journal's word for the end of the grid, and the load of what follows."""
P99_BLOCKS = 2
"""Of each instance there: the p99 of one second's requests says little."""


@dataclass(frozen=True, slots=True)
class Searched:
    """An arm's search, what its finals came to, and what was recommended in the end; the last is
    among the arm's settings."""

    arm: ArmSearch
    chosen: Chosen
    recommended: Setting


def measure_grid(tuning: Tuning, found: Searched, instances: int, *, seen: bool) -> None:
    """Measure the grid into the tuning's folder, around the knee of the search where its load and
    distance are `seen`, around a race's where they are not.

    Raises UsageError before anything is started when not even the coarsest ladder fits the budget.
    """
    arm, chosen = found.arm, found.chosen
    settings, budget_s = len(arm.settings), tuning.spec.tune.budget_s
    for_race = 0.0 if seen else SHARES["search"]
    check_budget(settings, instances, (1.0 - AROUND_SHARE - for_race) * budget_s, tuning.trial_s)
    facts = SpaceFacts(arm.arm, arm.present, arm.settings, arm.refused, arm.notes)
    tuning.write("space", **facts.facts())
    world = world_of("confirm", tuning.spec, {arm.arm: arm.settings}, instances)
    with up(tuning, world) as ground:
        knee_per_s = chosen.knee_per_s if seen else _rough_knee(ground, found)
        known = Chosen(chosen.taken, chosen.alternate, knee_per_s)
        tuning.write("chosen", **chosen_facts(arm.arm, known))
        left_s = (1.0 - AROUND_SHARE) * budget_s - tuning.past.spent_s
        plan = choose_ladder(settings, instances, left_s, tuning.trial_s)
        knees = {arm.arm: knee_per_s}
        climb(ground, "confirm", {arm.arm: arm.settings}, plan, knees, kept_back=0.0)
        tuning.write("finished", stage="confirm")
        _measure_p99(ground, found)


def needed_s(settings: int, instances: int, loads: int, each_s: float) -> float:
    """Measuring time of a ladder of so many loads, with the blocks for the p99."""
    return settings * instances * (loads + P99_BLOCKS) * each_s


def check_budget(settings: int, instances: int, seconds: float, each_s: float) -> None:
    """Raise UsageError when not even the coarsest ladder fits."""
    least_s = needed_s(settings, instances, len(LADDERS[-1]), each_s)
    if least_s > seconds:
        raise UsageError(
            f"{settings} settings × {instances} instances take {least_s:.0f} s at the fewest "
            f"loads; the budget leaves {seconds:.0f} s for them.",
            hint="A larger --budget-s, or fewer --instances.",
        )


def choose_ladder(settings: int, instances: int, seconds: float, each_s: float) -> LadderPlan:
    """The finest ladder that fits; the coarsest where trials turn out to take too long for any."""
    for shares in LADDERS:
        if needed_s(settings, instances, len(shares), each_s) <= seconds:
            return LadderPlan(instances, shares)
    return LadderPlan(instances, LADDERS[-1])


def _rough_knee(ground: Ground, found: Searched) -> float:
    """Where the taken or the roomiest setting passes the objective: a race of the two, one rung
    below the highest that either cleared, since that may have been a lucky moment."""
    tuning, arm = ground.tuning, found.arm
    roomiest = max(arm.settings, key=lambda each: (each.room, each))
    racers = list(dict.fromkeys([found.chosen.taken, roomiest]))
    tuning.write("starters", arm=arm.arm, settings=plain(racers), start_rate_per_s=None)
    pilot(ground, arm.arm, racers)
    race = Race(racers, tuning.past.pilots[arm.arm].start_rate_per_s, tuning.objective)
    run_races(ground, {arm.arm: race})
    return race.rate_at(0 if race.top is None else race.top - 1)


def _plateau(ground: Ground, arm: str) -> Plateau | None:
    """All settings of the grid, judged as finalists are."""
    trials: dict[Setting, list[Scored]] = {}
    for block in ground.tuning.past.of_stage("confirm", arm):
        for setting, score in block.scores.items():
            trials.setdefault(setting, []).append(Scored(block.unit, score))
    return plateau_of(trials, ground.tuning.objective)


def _measure_p99(ground: Ground, found: Searched) -> None:
    """Below the best's knee: what was taken or recommended, and all that can bear that load."""
    tuning, arm = ground.tuning, found.arm
    plateau = _plateau(ground, arm.arm)
    if plateau is None:
        return
    rate_per_s = round_rate(P99_SHARE * plateau.knees[plateau.best].per_s, 3)
    bearing = [s for s, knee in plateau.knees.items() if knee.per_s >= rate_per_s]
    settings = list(dict.fromkeys([*bearing, found.chosen.taken, found.recommended]))
    tuning.write(P99_BEGINS, rate_per_s=rate_per_s)
    tuning.teller.say(f"p99 at {rate_per_s:g}/s …")
    for instance in list(ground.instances) * P99_BLOCKS:
        ground.measure(
            "confirm", arm.arm, settings, OpenLoad(rate_per_s), unit=instance, instance=instance
        )
