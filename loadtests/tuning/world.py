"""PURE: what is up at once in a tune run: each setting of an arm as an arm of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from loadtests.spec import Arm, Spec
from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import ObjectiveSpec

WorldName = Literal["search", "confirm", "distance"]
WINDOW_IN_OBJECTIVES = 10.0
"""A trial lasts so many times the objective: a queue that grows has the time to be seen. Longer
ones would cost more than they tell: noise here is drift (docs/method.md)."""
LONGEST_WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """An arm of the spec at a setting."""

    arm: str
    setting: Setting


@dataclass(frozen=True, slots=True)
class World:
    """The instances that are up together, and what each of them stands for."""

    name: WorldName
    spec: Spec
    """With an arm for every candidate, and the one scenario."""
    instances: int
    candidates: Mapping[str, Candidate]
    """By the names of the spec's arms."""

    @property
    def tables(self) -> dict[str, str]:
        """By arm, whose tables it works on: one is loaded at a time, so an arm's settings share."""
        return {name: candidate.arm for name, candidate in self.candidates.items()}

    def name_of(self, arm: str, setting: Setting) -> str | None:
        """The name under which a candidate is up; None when it is not."""
        wanted = Candidate(arm, setting)
        return next((name for name, each in self.candidates.items() if each == wanted), None)


def world_of(
    name: WorldName,
    spec: Spec,
    wanted: Mapping[str, Sequence[Setting]],
    instances: int,
    *,
    rtt_ms: float | None = None,
) -> World:
    """A world with the wanted settings of each arm, at its own distance to the database."""
    arms: list[Arm] = []
    candidates: dict[str, Candidate] = {}
    for arm_name, settings in wanted.items():
        for setting in settings:
            arm = _unique(setting.on(spec.arm_named(arm_name)), setting, candidates)
            arms.append(arm)
            candidates[arm.name] = Candidate(arm_name, setting)
    scenario = spec.tuned_scenario.model_copy(
        update={"arms": None, "block_s": trial_window_s(spec), "timeout_s": patience_s(spec)}
    )
    run = spec.run if rtt_ms is None else spec.run.model_copy(update={"database_rtt_ms": rtt_ms})
    derived = spec.model_copy(update={"run": run, "arm": tuple(arms), "scenario": (scenario,)})
    return World(name, derived, instances, candidates)


def _unique(arm: Arm, setting: Setting, taken: Iterable[str]) -> Arm:
    """Long names of two arms may be cut to the same."""
    if arm.name not in taken:
        return arm
    return arm.model_copy(update={"name": f"{len(list(taken))}.{setting.label}"})


def trial_window_s(spec: Spec) -> float:
    """The steady window of every trial."""
    own_s = spec.block_s_of(spec.tuned_scenario)
    return min(
        LONGEST_WINDOW_S, max(own_s, WINDOW_IN_OBJECTIVES * spec.tune.objective.p99_ms / 1e3)
    )


def patience_s(spec: Spec) -> float:
    """How old a request may become before it is given up: as old as a trial is long.

    A load that is too much takes twice the time of another then, instead of the scenario's own
    timeout (10 s).
    """
    return min(spec.tuned_scenario.timeout_s, trial_window_s(spec))


def gives_up_early(spec: Spec) -> bool:
    """Whether a request that is given up might still have been answered: it is late, no error."""
    return patience_s(spec) < spec.tuned_scenario.timeout_s


def settle_s(spec: Spec) -> float:
    """How long an instance is waited for after a trial that leaves something in flight: twice what
    it can bear, measured for a window, is worked off in another."""
    return trial_window_s(spec)


def unlock_s(spec: Spec, arm: Arm) -> float:
    """How long an instance is waited for that is still busy when its next trial comes, in seconds.

    Those that held its threads while they waited for a connection have given up after the arm's
    `pool_timeout_s`, and so set free whoever held the connections; what they kept waiting is
    worked off in `settle_s`, unless it locks up anew.
    """
    return arm.pool_timeout_s + settle_s(spec)


def objective_of(asked: ObjectiveSpec) -> Objective:
    """What `[tune]` asks of a setting, or `[run]` of a service."""
    return Objective(asked.p99_ms, asked.max_error_pct)
