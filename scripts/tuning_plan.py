"""The plan of a tune run: what can be tried here, what is refused and why, how long it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.environment.connections import DEFAULT_MAX_CONNECTIONS, RESERVED_CONNECTIONS
from loadtests.errors import SpecError
from loadtests.schedule import CORES_S, DISTANCE_S, MEMORY_SHARE, START_S_PER_PROCESS, Limits, Sizes
from loadtests.spec import Spec
from loadtests.tuning.room import starting_field
from loadtests.tuning.setting import Setting
from loadtests.tuning.space import Bounds, Space, space_of, why_without_effect
from loadtests.tuning.stages import FEWEST_INSTANCES, SHARES, trial_s
from loadtests.tuning.world import World, trial_window_s
from scripts.console import minutes
from scripts.session import limits_here

SCHEMA = 1
CONFIRMED = 4
"""Settings of each arm that are usually confirmed: taken, alternate, default, present."""
DATABASE_S = 4.0


@dataclass(frozen=True)
class TunePlan:
    """What a tune run of `spec` would do here, for a service on `hosts`."""

    spec: Spec
    hosts: int
    limits: Limits
    bounds: Mapping[str, Bounds]
    spaces: Mapping[str, Space]
    server_connections: int | None
    """What the server of production has for these arms; None where that is not known."""

    @property
    def set_up_s(self) -> float:
        """Wall time of starting databases and processes, three times."""
        starters, _ = self.starters
        search = sum(each.workers for settings in starters.values() for each in settings)
        later = FEWEST_INSTANCES * CONFIRMED * len(self.spaces)
        processes = search + 2 * later
        return CORES_S + 3 * DATABASE_S + DISTANCE_S + START_S_PER_PROCESS * processes

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
    server = _server_connections(spec, limits)
    reserve = spec.tune.reserve_connections
    bounds = Bounds(
        connections=None if server is None else max(0, server - reserve),
        memory_mb=None if limits.memory_mb is None else MEMORY_SHARE * limits.memory_mb,
        hosts=hosts,
    )
    spaces = {arm.name: space_of(arm, spec.tune.knobs.choices(), bounds) for arm in spec.tuned_arms}
    for arm_name, space in spaces.items():
        _check_something_to_try(spec, arm_name, space)
    return TunePlan(spec, hosts, limits, dict.fromkeys(spaces, bounds), spaces, server)


def _server_connections(spec: Spec, limits: Limits) -> int | None:
    """What the server of production has for these arms, the reserve not yet taken off; None where
    there is no telling. One that we start has as many as we want, so its default stands for it."""
    if spec.tune.max_connections is not None:
        return spec.tune.max_connections
    if "://" in spec.run.database:
        return None if limits.connections is None else limits.connections + RESERVED_CONNECTIONS
    return None if spec.run.database == "none" else DEFAULT_MAX_CONNECTIONS


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
        f"  at most about {minutes(tune.budget_s)} of measuring ({_shares(tune.budget_s)})",
        f"  about {minutes(plan.set_up_s)} of starting and warming up",
    ]
    return "\n".join(lines)


def _connections(plan: TunePlan) -> str:
    fleet = f"{plan.hosts} hosts" if plan.hosts > 1 else "one host"
    if plan.server_connections is None:
        return f"{fleet}; the server's number of connections is not known"
    return f"{fleet}; {plan.server_connections} connections, {_reserve(plan.spec)}"


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
            "server_connections": plan.server_connections,
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
            "trial_s": round(
                trial_s(trial_window_s(plan.spec), writes=plan.spec.tuned_scenario.writes), 2
            ),
            "budget_s": plan.spec.tune.budget_s,
            "set_up_s": round(plan.set_up_s, 1),
            "notes": list(notes),
        },
    }
