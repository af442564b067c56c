"""The search: a pilot of each arm, then races of all arms in turn, then the finals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from loadtests.plan import derived_seed, shuffled
from loadtests.schedule import PILOT_S, PROCESS_MEMORY_MB, WARM_UP_S
from loadtests.trials import OpenLoad, TrialOutcome
from loadtests.tuning.ground import Ground, Tuning
from loadtests.tuning.past import PilotFacts, chosen_facts, plain
from loadtests.tuning.race import LOWEST_RATE_PER_S, Heat, Race
from loadtests.tuning.score import Score
from loadtests.tuning.setting import Setting
from loadtests.tuning.stages import FEWEST_PASSES, LOWER_STEPS, Chosen, plan_finals
from loadtests.tuning.start import Need
from loadtests.unrecorded import completions_per_s, unrecorded_rate, unrecorded_trial

START_SHARE = 0.7
"""Of the best pilot's closed throughput: where the race begins, so that a setting which is good
enough clears the first rung even on a noisy machine, and a miss tells something."""


def warm_up(ground: Ground) -> None:
    """Load every instance for a moment, and throw the samples away."""
    scenario = ground.world.spec.scenario[0]
    targets = list(ground.run.targets.values())
    ground.tuning.teller.say(f"Warming up {len(targets)} instances …")
    for index, target in enumerate(targets):
        seed = derived_seed(ground.tuning.spec.run.seed, "warm-up", ground.world.name, index)
        unrecorded_rate(ground.run, scenario, target, WARM_UP_S, seed)
        ground.run.telemetry.prime(target)


def pilot(ground: Ground, arm: str, settings: Sequence[Setting]) -> None:
    """Where an arm's search begins: what its present setting does under the scenario's closed
    load, how many connections that keeps busy, and what the setting with as many does."""
    present = ground.tuning.past.spaces[arm].present
    begun = present if present in settings else settings[0]
    outcome = closed_trial(ground, arm, begun)
    rates, need = [completions_per_s(outcome)], need_of(outcome)
    start = None if need is None else with_connections(need.with_headroom, settings, begun)
    if start is not None and start != begun:
        rates.append(completions_per_s(closed_trial(ground, arm, start)))
    start_rate_per_s = max(LOWEST_RATE_PER_S, round(START_SHARE * max(rates), 1))
    facts = PilotFacts(arm, need, start, start_rate_per_s)
    ground.tuning.write("pilot", **facts.facts())
    said = f": {need.words()}; the setting to start with is {start.words}" if start and need else ""
    ground.tuning.teller.say(f"{arm}{said}. The race begins at {start_rate_per_s:g}/s.")


def closed_trial(ground: Ground, arm: str, setting: Setting, instance: int = 0) -> TrialOutcome:
    """A closed load of the scenario's users on one instance, the first or so many later; nothing
    of it is stored."""
    scenario = ground.world.spec.scenario[0]
    target = ground.target(arm, setting, ground.instances[instance])
    seed = derived_seed(ground.tuning.spec.run.seed, "pilot", ground.world.name, arm)
    return unrecorded_trial(ground.run, scenario, target, 2 * PILOT_S, seed)


def need_of(outcome: TrialOutcome) -> Need | None:
    """Throughput and holding time of a trial; None where the app does not tell its times."""
    good = outcome.samples.filter(pc.equal(outcome.samples["ok"], pa.scalar(True)))
    waits = [good[f"{name}_ms"].fill_null(0.0) for name in ("thread", "pool")]
    holding_ms = pc.mean(pc.subtract(pc.subtract(good["total_ms"], waits[0]), waits[1])).as_py()
    rate_per_s = completions_per_s(outcome)
    if holding_ms is None or holding_ms <= 0 or rate_per_s <= 0:
        return None
    return Need(rate_per_s, holding_ms)


def with_connections(needed: int, settings: Sequence[Setting], like: Setting) -> Setting:
    """The setting with the fewest connections that are enough (else the most there are) that
    differs least from `like` otherwise."""
    enough = [each for each in settings if each.connections >= needed]
    wanted = (min if enough else max)(each.connections for each in enough or settings)
    choices = [each for each in settings if each.connections == wanted]
    return min(choices, key=lambda each: (_differences(each, like), each.cost))


def _differences(one: Setting, other: Setting) -> int:
    knobs = ("max_overflow", "threads", "workers", "admission")
    return sum(getattr(one, knob) != getattr(other, knob) for knob in knobs)


def run_races(ground: Ground, races: Mapping[str, Race]) -> None:
    """One heat of each arm in turn, until all races are over or their time is spent."""
    tuning = ground.tuning
    going = True
    while going and tuning.search_left_s > 0:
        going = False
        for arm, race in races.items():
            heat = race.next_heat()
            if heat is None or not _has_time(tuning, race, heat):
                continue
            going = True
            scores = ground.measure(
                "search", arm, heat.settings, OpenLoad(heat.rate_per_s), unit=None, rung=heat.rung,
                attempt=heat.attempt,
            )  # fmt: skip
            before = race.standing
            race.record(heat, scores)
            tell_heat(tuning, arm, race, heat.rate_per_s, before)
    for arm, race in races.items():
        if race.next_heat() is not None:
            tuning.note(f"{arm}: the time for the search was spent before its race was over.")
    tuning.write("finished", stage="search")


def _has_time(tuning: Tuning, race: Race, heat: Heat) -> bool:
    """Whether a heat fits into the search's time; before anybody cleared anything, any may begin
    that time is left for."""
    needed_s = 0.0 if race.top is None else len(heat.settings) * tuning.trial_s
    return tuning.search_left_s > needed_s


def tell_heat(
    tuning: Tuning, arm: str, race: Race, rate_per_s: float, before: Sequence[Setting]
) -> None:
    """Who cleared this rung, and who left."""
    gone = [each for each in before if each not in set(race.standing)]
    cleared = sum(race.cleared.get(each) is not None for each in race.standing)
    top = "" if race.top is None else f", best so far {race.rate_at(race.top):g}/s"
    tuning.teller.say(
        f"{arm} at {rate_per_s:g}/s: {len(race.standing)} still in"
        + (top if cleared else ", nobody has met the objective yet")
    )
    for setting in gone:
        tuning.teller.say(f"  out: {setting.words} missed {rate_per_s:g}/s")


def run_finals(ground: Ground, races: Mapping[str, Race]) -> None:
    """The finalists of every arm over the last rungs, pass after pass; then what is taken."""
    tuning = ground.tuning
    going = {arm: race for arm, race in races.items() if race.top is not None}
    done_s = sum(each.wall_s for each in tuning.past.of_stage("final"))  # by an earlier session
    plan = plan_finals(max(1, len(going)), done_s + tuning.seconds_for("final"), tuning.trial_s)
    for arm, race in going.items():
        _name_finalists(ground, arm, race.finalists(plan.finalists))
    first, complete = _passes_done(tuning, len(going) * len(plan.steps))
    for number in range(first, first + plan.passes - complete) if going else ():
        tuning.teller.say(f"Finals: pass {number + 1}, {plan.passes} whole ones in all …")
        _one_pass(ground, going, plan.steps, number)
    for arm in races:
        chosen = _choice(tuning, arm)
        if chosen is None and arm in going:
            chosen = _choice_further_down(ground, arm, going[arm])
        _tell_choice(tuning, arm, chosen)
    tuning.write("finished", stage="final", process_mb=_process_mb(ground))


def _name_finalists(ground: Ground, arm: str, finalists: Sequence[Setting]) -> None:
    """Write them down, once for all sessions; and tell of whom nothing more can be measured."""
    tuning = ground.tuning
    if arm not in tuning.past.finalists:
        tuning.write("finalists", arm=arm, settings=plain(finalists))
    living = ground.alive(arm, tuning.past.finalists[arm], ground.instances[0])
    for setting in tuning.past.finalists[arm]:
        if setting not in living:
            tuning.note(f"{arm}: {setting.words} is not up in the finals, where it would belong.")


def _choice_further_down(ground: Ground, arm: str, race: Race) -> Chosen | None:
    """After finals in which nobody met the objective (the race had a better moment than they):
    the same at lower loads."""
    for steps in LOWER_STEPS:
        ground.tuning.teller.say(f"{arm}: nobody met the objective in the finals; lower loads …")
        for _ in range(FEWEST_PASSES):
            number, _complete = _passes_done(ground.tuning, len(steps))
            _one_pass(ground, {arm: race}, steps, number)
        if (chosen := _choice(ground.tuning, arm)) is not None:
            return chosen
    return None


def _passes_done(tuning: Tuning, blocks: int) -> tuple[int, int]:
    """The number of the next pass, and how many earlier ones have all their `blocks`; one that was
    cut short stays as it is."""
    done = Counter(each.unit for each in tuning.past.of_stage("final"))
    return 1 + max(done, default=-1), sum(count >= blocks for count in done.values())


def _one_pass(ground: Ground, races: Mapping[str, Race], steps: Sequence[int], number: int) -> None:
    seed = derived_seed(ground.tuning.spec.run.seed, "final", number)
    for step in shuffled(steps, np.random.default_rng(seed)):
        for arm, race in races.items():
            assert race.top is not None  # else it would not be among them
            rung = race.top + step
            ground.measure(
                "final", arm, ground.tuning.past.finalists[arm], OpenLoad(race.rate_at(rung)),
                unit=number, rung=rung,
            )  # fmt: skip


def _process_mb(ground: Ground) -> float | None:
    """What the largest worker process takes after all that load, by which the later worlds are
    sized; None where nothing tells."""
    tuning, instance = ground.tuning, ground.instances[0]
    found = []
    for each in ground.world.candidates.values():
        if ground.alive(each.arm, [each.setting], instance):
            target = ground.target(each.arm, each.setting, instance)
            if rss_mb := ground.run.bed.read(target, full=False).rss_mb:
                found.append(rss_mb / each.setting.workers)
    largest_mb = max(found, default=None)
    if largest_mb is not None and largest_mb > PROCESS_MEMORY_MB:
        tuning.note(
            f"A worker process takes up to {largest_mb:.0f} MB here, more than the "
            f"{PROCESS_MEMORY_MB:.0f} MB by which the search was sized; what comes later is sized "
            "by that."
        )
    return largest_mb and round(largest_mb, 1)


def _choice(tuning: Tuning, arm: str) -> Chosen | None:
    """What an arm's finals come to, all loads together."""
    finals: dict[Setting, list[tuple[int, Score]]] = {}
    for measured in tuning.past.of_stage("final", arm):
        for setting, score in measured.scores.items():
            finals.setdefault(setting, []).append((measured.unit, score))
    return tuning.choose(finals, tuning.objective) if finals else None


def _tell_choice(tuning: Tuning, arm: str, chosen: Chosen | None) -> None:
    tuning.write("chosen", **chosen_facts(arm, chosen))
    if chosen is None:
        tuning.note(f"{arm}: no setting met the objective.")
    else:
        tuning.teller.say(
            f"{arm}: {chosen.taken.words} is taken, at about {chosen.knee_per_s:.0f}/s; now it is "
            "to be confirmed by new processes."
        )
