"""One arm of a simulated tune run: its race, its finals and what is measured after them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from loadtests.tuning.race import Race
from loadtests.tuning.score import Score
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.space import Bounds, space_of
from loadtests.tuning.spec import KnobsSpec
from loadtests.tuning.start import Need
from reports.tuning.knee import Scored
from reports.tuning.plateau import Plateau, plateau_of
from reports.tuning.record import ArmSearch, Stage, Tried
from tests.support.tuning_surfaces import OBJECTIVE, Machine
from tests.support.tuning_trials import Simulated, burst_trials, open_trial

FINAL_RUNGS = (-4, -2, -1, 0, 1)


CONFIRM_SHARES = (0.6, 0.8, 0.9, 1.0, 1.1)


RACE_OF_MOST_TRIALS = 400


KNOBS = KnobsSpec(pool_size=(2, 5, 10, 20, 40), threads=(10, 40), admission=(-1, 0))


@dataclass
class ArmRun:
    """One arm's trials, made up as they are asked for."""

    simulated: Simulated
    seed: int
    max_connections: int
    drift_sd: float
    tried: list[Tried] = field(default_factory=list)
    plateau: Plateau | None = None
    found: ArmSearch = field(init=False)
    blocks: int = 0

    @property
    def name(self) -> str:
        return self.simulated.arm.name

    def machine(self, offset: int, simulated: Simulated | None = None) -> Machine:
        random = np.random.default_rng(1000 * self.seed + offset)
        surface = (simulated or self.simulated).surface
        return Machine(surface, random, self.drift_sd, trial_sd=0.02, stall_share=0.0)

    def search(self) -> None:
        """The race and the finals."""
        arm, surface = self.simulated.arm, self.simulated.surface
        bounds = Bounds(connections=self.max_connections - 10)
        space = space_of(arm, KNOBS.choices(), bounds)
        present, machine = Setting.of(arm), self.machine(0)
        need = Need(0.9 * max(1.0, surface.knee_per_s(present)), surface.holding_ms)
        race = Race(space.settings, max(2.0, 0.85 * surface.knee_per_s(present)), OBJECTIVE)
        while (heat := race.next_heat()) is not None and machine.trials < RACE_OF_MOST_TRIALS:
            scores = self._block(machine, "search", heat.settings, heat.rate_per_s, rung=heat.rung)
            race.record(heat, scores)
        finalists = tuple(race.finalists(4))
        self.plateau = self._finals(machine, race, finalists)
        self.found = ArmSearch(
            arm.name, arm.kind, arm.app, present, space.settings, space.refused, space.notes, need,
            finalists,
            self.plateau.taken if self.plateau else None,
            self.plateau.alternate if self.plateau else None,
        )  # fmt: skip

    def _finals(self, machine: Machine, race: Race, finalists: Sequence[Setting]) -> Plateau | None:
        if race.top is None:
            return None
        trials: dict[Setting, list[Scored]] = {setting: [] for setting in finalists}
        for each_pass in range(3):
            for offset in FINAL_RUNGS:
                rung = race.top + offset
                scores = self._block(
                    machine, "final", finalists, race.rate_at(rung), rung=rung, unit=each_pass
                )
                for setting, score in scores.items():
                    trials[setting].append(Scored(each_pass, score))
        return plateau_of(trials, OBJECTIVE)

    def later_stages(
        self,
        stages: Sequence[Stage],
        instances: int,
        rtt_change_ms: float,
        runs: Sequence[ArmRun],
        shared: Setting | None,
    ) -> None:
        """Everything after the finals."""
        if self.plateau is None:
            return
        wanted = [self.plateau.taken, self.plateau.alternate, FRAMEWORK_DEFAULT]
        known = [s for s in [*wanted, self.found.present, shared] if s is not None]
        settings = list(dict.fromkeys(known))
        knees = [_best_knee(run.plateau) for run in runs if run.plateau is not None]
        if "confirm" in stages:
            self._knees(self.machine(1), "confirm", settings, max(knees), instances)
        if "twice" in stages:
            twice_per_s = round(2.0 * _knee(self.plateau), 1)
            machine = self.machine(2)
            for instance in range(instances):
                self._block(machine, "twice", settings, twice_per_s, unit=instance)
        if "distance" in stages:
            farther = self.simulated.farther(rtt_change_ms)
            best = max(farther.surface.knee_per_s(each) for each in settings)
            self._knees(self.machine(3, farther), "distance", settings, best, instances, farther)
        if "burst" in stages:
            for setting in settings:
                if setting.admitted is None:
                    self._burst(setting)

    def _knees(
        self,
        machine: Machine,
        stage: Stage,
        settings: Sequence[Setting],
        knee_per_s: float,
        instances: int,
        simulated: Simulated | None = None,
    ) -> None:
        """Rungs around a knee, and halved ones for settings that missed even the lowest."""
        rates = [float(f"{share * knee_per_s:.3g}") for share in CONFIRM_SHARES]
        for instance in range(instances):
            low: Mapping[Setting, Score] = {}
            for rate_per_s in reversed(rates):
                low = self._block(
                    machine, stage, settings, rate_per_s, unit=instance, simulated=simulated
                )
            rate_per_s, left = rates[0], list(settings)
            while left := [s for s in left if not low[s].clears(OBJECTIVE)]:
                rate_per_s = max(1.0, rate_per_s / 2)
                low = self._block(
                    machine, stage, left, rate_per_s, unit=instance, simulated=simulated
                )
                if rate_per_s <= 1.0:
                    break

    def _block(
        self,
        machine: Machine,
        stage: Stage,
        settings: Sequence[Setting],
        rate_per_s: float,
        *,
        rung: int | None = None,
        unit: int | None = None,
        simulated: Simulated | None = None,
    ) -> Mapping[Setting, Score]:
        scores = machine.block(settings, rate_per_s, unit or 0)
        surface = (simulated or self.simulated).surface
        for setting, score in scores.items():
            tried = open_trial(surface, setting, score, self.name, stage, self.blocks)
            noise = math.exp(machine.random.normal(0.0, 0.02))
            assert tried.p99_ms is not None
            assert tried.split is not None
            tried = replace(
                tried, good_per_s=tried.good_per_s * noise, p99_ms=tried.p99_ms / noise,
                split=replace(tried.split, db_ms=tried.split.db_ms / noise),
            )  # fmt: skip
            self.tried.append(replace(tried, rung=rung, unit=self.blocks if unit is None else unit))
        self.blocks += 1
        return scores

    def _burst(self, setting: Setting) -> None:
        """A closed burst beside a calm load, on two instances."""
        for instance in range(2):
            self.tried += burst_trials(self.simulated, setting, unit=instance, block=self.blocks)
            self.blocks += 1


def _knee(plateau: Plateau) -> float:
    return plateau.knees[plateau.taken].per_s


def _best_knee(plateau: Plateau) -> float:
    return plateau.knees[plateau.best].per_s
