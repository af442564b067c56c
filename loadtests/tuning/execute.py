"""A whole tune run: search and finals, then new processes that confirm, near and far away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from statistics import median

from loadtests.rounds import inspect
from loadtests.run import BEFORE_ROUNDS
from loadtests.run_state import InterruptedByUser
from loadtests.tuning.confirm import Wanted, burst, climb, twice
from loadtests.tuning.ground import Ground, Tuning
from loadtests.tuning.newcomers import newcomers
from loadtests.tuning.past import SpaceFacts, named, plain
from loadtests.tuning.race import Race
from loadtests.tuning.replay import race_so_far
from loadtests.tuning.room import starting_field
from loadtests.tuning.search import (
    closed_trial,
    pilot,
    run_finals,
    run_races,
    warm_up,
)
from loadtests.tuning.setting import Setting
from loadtests.tuning.space import space_of
from loadtests.tuning.stages import (
    FEWEST_INSTANCES,
    Chosen,
    LadderPlan,
    Stage,
    later_shares,
)
from loadtests.tuning.wanted import ladder, tell_worlds, unfit, wanted_together
from loadtests.tuning.world import World, WorldName, world_of
from loadtests.unrecorded import completions_per_s

PACERS = 2
"""Instances whose closed throughput tells how much slower a distance makes an arm."""


def execute(tuning: Tuning) -> str:
    """Tune to the end: `complete` or `interrupted`. What was measured is stored either way."""
    status, reason = "complete", "finished"
    try:
        tell_spaces(tuning)
        if "final" not in tuning.past.finished:
            search(tuning)
        if chosen := {arm: each for arm, each in tuning.past.chosen.items() if each is not None}:
            confirm(tuning, chosen)
            go_away(tuning, chosen)
    except InterruptedByUser:
        status, reason = "interrupted", "interrupted by the user"
    except BaseException as error:
        tuning.store.journal.write(
            "end", status="interrupted", reason=f"{type(error).__name__}: {error}"
        )
        raise
    tuning.store.journal.write("end", status=status, reason=reason)
    return status


def tell_spaces(tuning: Tuning) -> None:
    """What can be tried, and which of it is up during the search: once, in the first session. Later
    ones go by what it wrote: that others use the server or the memory now changes no answer."""
    if tuning.past.spaces:
        tuning.bounds = tuning.past.bounds
        tuning.spaces = {
            arm: space_of(
                tuning.spec.arm_named(arm), tuning.spec.tune.knobs.choices(), tuning.bounds[arm]
            )
            for arm in tuning.past.spaces
        }
        return
    for arm, space in tuning.spaces.items():
        present = Setting.of(tuning.spec.arm_named(arm))
        facts = SpaceFacts(arm, present, space.settings, space.refused, space.notes)
        tuning.write("bounds", arm=arm, **asdict(tuning.bounds[arm]))
        tuning.write("space", **facts.facts())
        for note in space.notes:
            tuning.teller.say(f"{note}.")
    starters, notes = starting_field(tuning.spec, tuning.spaces, tuning.bounds, tuning.limits)
    for arm, settings in starters.items():
        tuning.write("starters", arm=arm, settings=plain(settings), start_rate_per_s=None)
    for note in notes:
        tuning.note(note)


def search(tuning: Tuning) -> None:
    """Pilots, races and finals, with one instance of each setting; where not all could be up at
    once, the leaders' neighbours have a race with them in a second world."""
    while "final" not in tuning.past.finished:
        fields = {arm: field_of(tuning, arm) for arm in tuning.spaces}
        with up(tuning, world_of("search", tuning.spec, fields, 1)) as ground:
            for arm, settings in fields.items():
                if arm not in tuning.past.pilots:
                    pilot(ground, arm, settings)
            found = {arm: race_so_far(tuning.past, arm, tuning.objective) for arm in fields}
            races = {arm: race for arm, race in found.items() if race is not None}
            if "search" not in tuning.past.finished:
                run_races(ground, races)
            if not invite_neighbours(tuning, races):
                run_finals(ground, races)


def invite_neighbours(tuning: Tuning, races: Mapping[str, Race]) -> bool:
    """Begin second races, one rung below the best so far; False when there is none to begin."""
    if tuning.past.invited or tuning.search_left_s <= 0:
        return False
    fields = newcomers(tuning.spaces, races, tuning.past.starters, tuning.limits)
    for arm, settings in fields.items():
        top = races[arm].top
        assert top is not None  # else it would have no leaders
        new = len(set(settings) - set(tuning.past.starters[arm]))
        tuning.teller.say(f"{arm}: {new} neighbours of the leaders race with them now …")
        rate_per_s = races[arm].rate_at(top - 1)
        tuning.write("starters", arm=arm, settings=plain(settings), start_rate_per_s=rate_per_s)
    return bool(fields)


def field_of(tuning: Tuning, arm: str) -> Sequence[Setting]:
    """The settings that still have something before them in an arm's search: whoever is in the
    race, or may become a finalist; once these are named, they."""
    if arm in tuning.past.finalists:
        return tuning.past.finalists[arm]
    race = race_so_far(tuning.past, arm, tuning.objective)
    if race is None:
        return tuning.past.starters[arm]
    return list(dict.fromkeys([*race.standing, *race.eligible]))


def confirm(tuning: Tuning, chosen: Mapping[str, Chosen]) -> None:
    """What was taken, beside what it is compared with, in new processes."""
    stages: tuple[Stage, ...] = ("confirm", "burst", "twice")
    left = [stage for stage in stages if stage not in tuning.past.finished]
    if not left:
        return
    for arm, setting, why in unfit(tuning, chosen):
        tuning.note(f"{arm}: {setting.words} is not tried beside the others: {why}.")
    together = wanted_together(tuning, chosen)
    tell_worlds(tuning, chosen, together)
    plan = ladder(tuning, "confirm", together)
    for wanted in together:
        if todo := [stage for stage in left if not tuning.past.has_finished(stage, wanted)]:
            _confirm_together(tuning, chosen, wanted, plan, todo)
    for stage in left:
        tuning.write("finished", stage=stage)


def _confirm_together(
    tuning: Tuning,
    chosen: Mapping[str, Chosen],
    wanted: Wanted,
    plan: LadderPlan,
    stages: Sequence[Stage],
) -> None:
    """Those stages, on what is up together."""
    instances = plan.instances if "confirm" in stages else min(plan.instances, FEWEST_INSTANCES)
    knees = {arm: chosen[arm].knee_per_s for arm in wanted}
    with up(tuning, world_of("confirm", tuning.spec, wanted, instances)) as ground:
        _take_pace(ground, {arm: chosen[arm] for arm in wanted})
        if "confirm" in stages:
            climb(ground, "confirm", wanted, plan, knees, kept_back=later_shares("confirm"))
        if "burst" in stages:
            burst(ground, wanted)
        if "twice" in stages:  # where requests lock up, it takes all the time there is
            twice(ground, wanted, knees)


def go_away(tuning: Tuning, chosen: Mapping[str, Chosen]) -> None:
    """The same in new processes that are farther from their database."""
    if "distance" in tuning.past.finished:
        return
    reached = [arm for arm in chosen if tuning.spec.arm_named(arm).gets_database_url]
    for arm in chosen:
        if arm not in reached:
            tuning.note(
                f"Not tried at another distance: {arm} takes no {{database_url}}, so its way to "
                "its database cannot be made longer."
            )
    if not reached:
        return
    together = wanted_together(tuning, chosen, reached)
    plan = ladder(tuning, "distance", together)
    rtt_ms = tuning.spec.run.database_rtt_ms + tuning.spec.tune.rtt_change_ms
    for wanted in together:
        if tuning.past.has_finished("distance", wanted):
            continue
        world = world_of("distance", tuning.spec, wanted, plan.instances, rtt_ms=rtt_ms)
        with up(tuning, world) as ground:
            _take_pace(ground, {arm: chosen[arm] for arm in wanted})
            knees = {arm: chosen[arm].knee_per_s * _slowed(tuning, arm) for arm in wanted}
            climb(ground, "distance", wanted, plan, knees, kept_back=0.0)
    tuning.write("finished", stage="distance")


def _take_pace(ground: Ground, chosen: Mapping[str, Chosen]) -> None:
    """The closed throughput of what was taken, by which distances are compared."""
    for arm, each in chosen.items():
        rates = [
            completions_per_s(closed_trial(ground, arm, each.taken, number))
            for number in range(min(PACERS, len(ground.instances)))
        ]
        ground.tuning.write(
            "pace", arm=arm, world=ground.world.name, good_per_s=round(median(rates), 1)
        )


def _slowed(tuning: Tuning, arm: str) -> float:
    """By how much the distance slowed an arm's closed load; 1 where that is not known."""
    here, there = (tuning.past.paces.get((arm, world)) for world in ("confirm", "distance"))
    return there / here if here and there else 1.0


@contextmanager
def up(tuning: Tuning, world: World) -> Iterator[Ground]:
    """The world warmed up, told in the journal, looked at while nothing is loaded."""
    name: WorldName = world.name
    with tuning.open_world(world) as run:
        try:
            tuning.write(
                "world",
                world=name,
                instances=world.instances,
                rtt_ms=world.spec.run.database_rtt_ms,
                candidates=named(world.candidates),
            )
            ground = Ground(tuning, world, run)
            warm_up(ground)
            inspect(run, BEFORE_ROUNDS)
            yield ground
        finally:
            run.telemetry.close()
