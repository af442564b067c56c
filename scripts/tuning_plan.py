"""The plan of a tune run: what can be tried here, what is refused and why, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.errors import SpecError
from loadtests.schedule import (
    CORES_S,
    DISTANCE_S,
    GAP_S,
    LEAD_IN_S,
    MEMORY_SHARE,
    PILOT_S,
    START_S_PER_PROCESS,
    WARM_UP_S,
    Limits,
    Sizes,
)
from loadtests.spec import Spec
from loadtests.tuning.hazards import can_deadlock
from loadtests.tuning.room import instances_that_fit, shortage, side_by_side, starting_field
from loadtests.tuning.setting import Setting
from loadtests.tuning.space import Bounds, Space, default_of, space_of, why_without_effect
from loadtests.tuning.stages import (
    DRAIN_S,
    FEWEST_INSTANCES,
    FEWEST_TO_COMPARE,
    SHARES,
    most_measuring_s,
    trial_s,
)
from loadtests.tuning.world import World, patience_s, settle_s, trial_window_s, unlock_s
from reports.tuning.connections import ConnectionLimit, limit_from
from scripts.console import minutes
from scripts.session import limits_here

SCHEMA = 1
CONFIRMED = 4
"""Settings of each arm that are usually confirmed: taken, alternate, default, present."""
MOST_CONFIRMED = 5
"""With the one that gives both twins the same budget."""
DATABASE_S = 4.0
LOADED_FIRST_S = LEAD_IN_S + WARM_UP_S + GAP_S
"""Warming one process up."""
CLOSED_LOADS = 6
"""Of each arm: two pilots, and two in each of two worlds that tell how much a distance slows it."""


@dataclass(frozen=True)
class TunePlan:
    """What a tune run of `spec` would do here, for a service on `hosts`."""

    spec: Spec
    hosts: int
    limits: Limits
    bounds: Mapping[str, Bounds]
    spaces: Mapping[str, Space]
    limit: ConnectionLimit | None
    """Of the server of production; None where that is not known."""

    @property
    def set_up_s(self) -> float:
        """Wall time of starting databases and processes, three times, and of their first loads."""
        return self._set_up_s(CONFIRMED)

    @property
    def trial_s(self) -> float:
        """Wall time of a trial."""
        return trial_s(trial_window_s(self.spec), writes=self.spec.tuned_scenario.writes)

    @property
    def at_worst_s(self) -> float:
        """Wall time of the whole run when every stage is left with its least, as many settings as
        can be are confirmed, everything that may lock up does, and other trials take as long as
        planned: at twice the load until the last request is given up."""
        settings = MOST_CONFIRMED * len(self.spaces)
        measuring_s = most_measuring_s(
            self.spec.tune.budget_s, len(self.spaces), settings, self.trial_s,
            twice_s=self.trial_s + self._given_up_s,
            locked_s=sum(min(MOST_CONFIRMED, n) * each_s for n, each_s in self._locking.values()),
        )  # fmt: skip
        last_heat_s = sum(n * each_s for n, each_s in self._locking.values())
        return measuring_s + last_heat_s + self._set_up_s(MOST_CONFIRMED)

    @property
    def _locking(self) -> dict[str, tuple[int, float]]:
        """Of each arm, how many settings may lock up, and how much longer such a trial takes, with
        the waits for the instance to be idle again (a command does not tell whether it is)."""
        found = {}
        for name, space in self.spaces.items():
            arm = self.spec.arm_named(name)
            settings = {*space.settings, Setting.of(arm), default_of(arm)}
            locking = [each for each in settings if each and can_deadlock(each, arm.app)]
            waits_s = settle_s(self.spec) + unlock_s(self.spec, arm) if arm.app else 0.0
            found[name] = len(locking), self._given_up_s + waits_s
        return found

    @property
    def _given_up_s(self) -> float:
        """How much longer a trial takes whose last requests are given up."""
        return max(0.0, patience_s(self.spec) - DRAIN_S)

    def _set_up_s(self, confirmed: int) -> float:
        starters, _ = self.starters
        search = sum(each.workers for settings in starters.values() for each in settings)
        processes = search + 2 * FEWEST_INSTANCES * confirmed * len(self.spaces)
        closed_s = CLOSED_LOADS * len(self.spaces) * (LEAD_IN_S + 2 * PILOT_S + GAP_S)
        worlds_s = CORES_S + 3 * DATABASE_S + DISTANCE_S
        return worlds_s + closed_s + (START_S_PER_PROCESS + LOADED_FIRST_S) * processes

    @property
    def confirmation(self) -> str:
        """How many instances of each setting there is room for when it is confirmed, should the
        largest settings be taken."""
        wanted: dict[str, list[Setting]] = {}
        needed: dict[str, set[Setting]] = {}
        for arm, space in self.spaces.items():
            beside = [default_of(self.spec.arm_named(arm)), Setting.of(self.spec.arm_named(arm))]
            fit = [s for s in beside if s is not None and self.bounds[arm].refusal(s) is None]
            largest = max(space.settings, key=lambda each: (each.connections, each.workers))
            wanted[arm] = list(dict.fromkeys([largest, *fit]))
            needed[arm] = set(wanted[arm])
        worlds = side_by_side(wanted, needed, self.limits)
        left = [[each for of in world.values() for each in of] for world in worlds]
        instances = min(instances_that_fit(each, self.limits) for each in left)
        if instances >= FEWEST_INSTANCES and len(worlds) == 1:
            return (
                f"confirmation: {FEWEST_INSTANCES} instances of each setting or more, side by side"
            )
        turns = ", one arm after the other" if len(worlds) > 1 else ""
        scarce = sum(map(len, left)) < sum(map(len, wanted.values())) or instances < 2
        return f"confirmation: room for {min(instances, FEWEST_INSTANCES)} instances{turns}" + (
            "; should the largest setting be taken, not enough to compare it with default and "
            "present, and it would stay unconfirmed"
            if scarce
            else ""
        )

    @property
    def starters(self) -> tuple[dict[str, list[Setting]], tuple[str, ...]]:
        """The settings that begin the search, and why not all do."""
        return starting_field(self.spec, self.spaces, self.bounds, self.limits)


def plan_here(spec: Spec, hosts: int, *, only_planning: bool = False) -> TunePlan:
    """The plan on this machine, with the connections of the server where it is not ours.

    Raises SpecError when an arm has no setting that fits, or none that could change anything;
    EnvironmentNotReady when the server does not answer, unless it is `only_planning`.
    """
    limits = limits_here(spec, only_planning=only_planning)
    limit = _connection_limit(spec, limits)
    bounds = Bounds(
        connections=None if limit is None else limit.available,
        memory_mb=None if limits.memory_mb is None else MEMORY_SHARE * limits.memory_mb,
        hosts=hosts,
    )
    spaces = {arm.name: space_of(arm, spec.tune.knobs.choices(), bounds) for arm in spec.tuned_arms}
    for arm_name, space in spaces.items():
        _check_something_to_try(spec, arm_name, space)
    plan = TunePlan(spec, hosts, limits, dict.fromkeys(spaces, bounds), spaces, limit)
    for arm_name, space in spaces.items():
        _check_can_be_compared(spec, arm_name, space, limits)
    starting_field(spec, spaces, plan.bounds, limits)  # raises where not one of each can be up
    return plan


def _connection_limit(spec: Spec, limits: Limits) -> ConnectionLimit | None:
    """What the server of production allows: the same as the report says, whoever is connected now.
    None where there is no telling. One that we start has as many as we want, so the default of
    MySQL stands for it."""
    outside = "://" in spec.run.database
    unknown = spec.run.database == "none" or (outside and limits.max_connections is None)
    if unknown and spec.tune.max_connections is None:
        return None
    return limit_from(spec.tune, limits.max_connections)


def _check_something_to_try(spec: Spec, arm: str, space: Space) -> None:
    if not space.settings:
        smallest = min(space.refused, key=lambda setting: setting.cost)
        raise SpecError(
            f"{spec.source}: no setting of arm {arm!r} fits: even the smallest ({smallest.words}) "
            f"would take {space.refused[smallest]} (max_connections less {_reserve(spec)}).",
            hint="Smaller values in [tune.knobs], fewer --hosts, or a larger max_connections.",
        )
    named = spec.tune.knobs.choices()
    if all(why_without_effect(spec.arm_named(arm), knob) for knob in named):
        raise SpecError(
            f"{spec.source}: nothing of arm {arm!r} can be changed: {'; '.join(space.notes)}.",
            hint="Use placeholders such as {pool_size} in its command or env (docs/spec.md).",
        )


def _check_can_be_compared(spec: Spec, arm: str, space: Space, limits: Limits) -> None:
    smallest = min(space.settings, key=lambda setting: setting.cost)
    if short := shortage([smallest], FEWEST_TO_COMPARE, limits):
        raise SpecError(
            f"{spec.source}: nothing of arm {arm!r} could be confirmed: {FEWEST_TO_COMPARE} "
            f"instances of even its smallest setting ({smallest.words}) do not fit ({short}).",
            hint="Free connections or memory, or a smaller value in [tune.knobs].",
        )


def _reserve(spec: Spec) -> str:
    return f"{spec.tune.reserve_connections} in reserve"


def sizes_of(world: World) -> Sizes:
    """A world's instances; a tune run has no rounds that would be planned ahead."""
    return Sizes(
        world.instances, rounds=0, pairs=1, round_s=0.0, set_up_s=0.0, rounds_are_fixed=True
    )


def plan_text(plan: TunePlan) -> str:
    """The plan, several lines."""
    spec, tune = plan.spec, plan.spec.tune
    objective, scenario = tune.objective, spec.tuned_scenario
    starters, notes = plan.starters
    lines = [
        f"Plan ({spec.source}, seed {spec.run.seed}): tune {' and '.join(plan.spaces)} under "
        f"{scenario.name}",
        f"  objective: p99 within {objective.p99_ms:g} ms, at most {objective.max_error_pct:g}% "
        "errors",
        f"  {_connections(plan)}",
        *(line for arm, space in plan.spaces.items() for line in _space_lines(arm, space)),
        *(f"  {note}" for note in notes),
        f"  {sum(map(len, starters.values()))} processes side by side, trials of "
        f"{trial_window_s(spec):g} s",
        f"  {plan.confirmation}",
        f"  about {minutes(tune.budget_s)} of measuring ({_shares(tune.budget_s)})",
        f"  about {minutes(plan.set_up_s)} of starting and warming up",
        f"  at worst about {minutes(plan.at_worst_s)} in all, where the last stages are left with "
        "less than they need at the least",
    ]
    return "\n".join(lines)


def _connections(plan: TunePlan) -> str:
    fleet = f"{plan.hosts} hosts" if plan.hosts > 1 else "one host"
    if plan.limit is None:
        return f"{fleet}; the server's number of connections is not known"
    return f"{fleet}; {plan.limit.max_connections} connections, {_reserve(plan.spec)}"


def _space_lines(arm: str, space: Space) -> list[str]:
    choices = [
        f"{knob} {', '.join(map(str, values))}"
        for knob, values in space.choices.items()
        if len(values) > 1
    ]
    return [
        f"  {arm}: {len(space.settings)} settings ({'; '.join(choices) or 'one of each knob'})",
        *(f"    {note}" for note in space.notes),
        *(f"    refused: {setting.words}: {why}" for setting, why in space.refused.items()),
    ]


def _shares(budget_s: float) -> str:
    return ", ".join(f"{stage} {minutes(share * budget_s)}" for stage, share in SHARES.items())


def plan_json(plan: TunePlan) -> dict[str, Any]:
    """The same as JSON values; times in seconds."""
    starters, notes = plan.starters
    return {
        "schema": SCHEMA,
        "plan": {
            "spec": plan.spec.source,
            "seed": plan.spec.run.seed,
            "scenario": plan.spec.tuned_scenario.name,
            "objective": plan.spec.tune.objective.model_dump(),
            "hosts": plan.hosts,
            "server_connections": plan.limit and plan.limit.max_connections,
            "arms": {
                arm: {
                    "settings": [each.to_json() for each in space.settings],
                    "begin": [each.to_json() for each in starters[arm]],
                    "refused": [
                        {**setting.to_json(), "why": why} for setting, why in space.refused.items()
                    ],
                    "notes": list(space.notes),
                }
                for arm, space in plan.spaces.items()
            },
            "trial_s": round(plan.trial_s, 2),
            "budget_s": plan.spec.tune.budget_s,
            "set_up_s": round(plan.set_up_s, 1),
            "at_worst_s": round(plan.at_worst_s, 1),
            "confirmation": plan.confirmation,
            "notes": list(notes),
        },
    }
