"""Builds whole tune runs, as they are read back from their folders, without measuring anything.

    record = complete()         # both twins, all stages
    record = interrupted()      # stopped after the finals
    record = one_arm()          # sync alone, no comparison with async
    record = never_met()        # no setting meets the objective at any load
    record = deadlock()         # sync-ungated: threads and pool wait for each other
    record = own_service()      # a command with placeholders

Services are simulated (`tuning_surfaces`); the same arguments give the same record.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.spec import Arm, RunSpec, Spec
from loadtests.tuning.race import Race
from loadtests.tuning.score import Score
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from loadtests.tuning.space import Bounds, space_of
from loadtests.tuning.spec import KnobsSpec, TuneSpec
from loadtests.tuning.stages import same_budget
from loadtests.tuning.start import Need
from reports.tuning.knee import Scored
from reports.tuning.plateau import Plateau, plateau_of
from reports.tuning.record import ArmSearch, Split, Stage, Tried, TuneRecord
from tests.support.tuning_surfaces import OBJECTIVE, Machine, Surface

FINAL_RUNGS = (-4, -2, -1, 0, 1)
CONFIRM_SHARES = (0.6, 0.8, 0.9, 1.0, 1.1)
ROUND_TRIPS = 4
"""How often a simulated request goes to the database while it holds its connection."""
RACE_OF_MOST_TRIALS = 400


@dataclass(frozen=True)
class Simulated:
    """One arm of a record: what it is, and how it behaves."""

    arm: Arm
    surface: Surface

    def farther(self, rtt_ms: float) -> Simulated:
        """The same with a longer way to the database."""
        holding_ms = self.surface.holding_ms + ROUND_TRIPS * rtt_ms
        return replace(self, surface=replace(self.surface, holding_ms=holding_ms))


@dataclass(frozen=True)
class Hopeless(Surface):
    """A service too slow for the objective at any load."""

    def knee_per_s(self, setting: Setting) -> float:
        return 0.01


SYNC = Simulated(Arm(name="sync", app="sync"), Surface(400.0, 12.0, 14.0, 0.02))
ASYNC = Simulated(Arm(name="async", app="async"), Surface(520.0, 12.0, 14.0, 0.02))
UNGATED = Simulated(
    Arm(name="sync-ungated", app="sync-ungated"), Surface(400.0, 12.0, 14.0, 0.02, trap=True)
)
OWN = Simulated(
    Arm(
        name="shop",
        command="uvicorn shop.main:app --port {port} --workers {workers}",
        env={"DATABASE_URL": "{database_url}", "POOL": "{pool_size}", "THREADS": "{threads}"},
    ),
    Surface(300.0, 20.0, 30.0, 0.02),
)
KNOBS = KnobsSpec(pool_size=(2, 5, 10, 20, 40), threads=(10, 40), admission=(-1, 0))


def complete(instances: int = 5) -> TuneRecord:
    """Both twins, every stage measured."""
    return build_record((SYNC, ASYNC), instances=instances)


def interrupted() -> TuneRecord:
    """Both twins, stopped between the finals and the confirmation."""
    return build_record((SYNC, ASYNC), stages=())


def one_arm() -> TuneRecord:
    """One twin alone."""
    return build_record((SYNC,))


def never_met() -> TuneRecord:
    """A service that no setting makes fast enough."""
    return build_record((Simulated(SYNC.arm, Hopeless(400.0, 210.0, 14.0, 0.02)),))


def deadlock() -> TuneRecord:
    """The specimen whose threads and pool wait for each other, beside the async twin."""
    return build_record((UNGATED, ASYNC))


def own_service() -> TuneRecord:
    """Somebody's own service, started by a command."""
    return build_record((OWN,))


def build_record(
    arms: Sequence[Simulated],
    *,
    stages: Sequence[Stage] = ("confirm", "twice", "distance", "burst"),
    instances: int = 5,
    hosts: int = 1,
    seed: int = 1,
    max_connections: int = 151,
    drift_sd: float = 0.01,
) -> TuneRecord:
    """A tune run of `arms`; without all `stages` it was interrupted after those given."""
    spec = Spec(
        run=RunSpec(block_s=0.75),
        arm=tuple(each.arm for each in arms),
        scenario=(BUILT_IN["crud-mix"],),
        tune=TuneSpec(arms=tuple(each.arm.name for each in arms), scenario="crud-mix", knobs=KNOBS),
    )
    runs = [_ArmRun(each, seed + i, max_connections, drift_sd) for i, each in enumerate(arms)]
    for run in runs:
        run.search()
    shared = _same_budget(runs)
    for run in runs:
        run.later_stages(stages, instances, spec.tune.rtt_change_ms, runs, shared)
    finished = len(stages) == 4
    return TuneRecord(
        run="tune-simulated",
        status="complete" if finished else "interrupted",
        spec=spec,
        hosts=hosts,
        manifest={
            "versions": {"python": "3.11"},
            "host": {"cpu": "simulated", "cores": 2, "memory_mb": 8000},
            "placement": {"generator": [0], "apps": [1], "database": [0], "why": "simulated"},
            "database": {
                "flavour": "mariadb",
                "version": "10.11",
                "max_connections": max_connections,
            },
            "durability": {"profile": "durable"},
        },
        arms=tuple(run.found for run in runs),
        tried=tuple(tried for run in runs for tried in run.tried),
        dropped=() if finished else ("block 412: the generator was stopped for 0.8 s",),
    )


def _same_budget(runs: Sequence[_ArmRun]) -> Setting | None:
    """What both twins are given."""
    taken = [run.found.taken for run in runs if run.found.taken is not None]
    return same_budget(taken) if len(taken) == len(runs) > 1 else None


@dataclass
class _ArmRun:
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
        enough = [each for each in (2, 5, 10, 20, 40) if each >= need.with_headroom]
        start = replace(present, pool_size=min(enough, default=40))
        race = Race(space.settings, max(2.0, 0.85 * surface.knee_per_s(present)), OBJECTIVE)
        while (heat := race.next_heat()) is not None and machine.trials < RACE_OF_MOST_TRIALS:
            scores = self._block(machine, "search", heat.settings, heat.rate_per_s, rung=heat.rung)
            race.record(heat, scores)
        finalists = tuple(race.finalists(4))
        self.plateau = self._finals(machine, race, finalists)
        self.found = ArmSearch(
            arm.name, arm.kind, arm.app, present, space.settings, space.refused, space.notes, need,
            start, race.rate_at(0), race.left_at, finalists,
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
        runs: Sequence[_ArmRun],
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
            tried = _open_trial(surface, setting, score, self.name, stage, self.blocks)
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
        slots = setting.pool_size + setting.max_overflow
        knee_per_s = replace(self.simulated.surface, trap=False).knee_per_s(setting)
        collapsed = self.simulated.surface.trap
        for instance in range(2):
            for users in (setting.pool_size, setting.threads + slots + 20):
                calm = users == setting.pool_size
                good_per_s = knee_per_s * (1.0 + 0.02 * instance)
                good_per_s *= 1.0 if calm or not collapsed else 0.02
                good = max(1, round(good_per_s * 1.5))
                errors = 0 if calm or not collapsed else users
                p50_ms = 1e3 * users / good_per_s if errors == 0 else 4800.0
                self.tried.append(
                    Tried(
                        arm=self.name, setting=setting, stage="burst", unit=instance,
                        block=self.blocks, score=Score(good_per_s, good + errors, errors, errors),
                        good_per_s=good_per_s, users=users,
                        p50_ms=p50_ms, p99_ms=p50_ms * (1.5 if calm else 6.0),
                        connections=slots, threads=setting.threads,
                    )
                )  # fmt: skip
            self.blocks += 1


def _knee(plateau: Plateau) -> float:
    return plateau.knees[plateau.taken].per_s


def _best_knee(plateau: Plateau) -> float:
    return plateau.knees[plateau.best].per_s


def _open_trial(
    surface: Surface, setting: Setting, score: Score, arm: str, stage: Stage, block: int
) -> Tried:
    """What a trial would have told beside its score: the wait grows where the service is bound."""
    knee_per_s = surface.knee_per_s(setting)
    slots = setting.pool_size + setting.max_overflow
    used = 0.0 if isinstance(surface, Hopeless) else score.offered_per_s / knee_per_s
    beyond = max(0.0, setting.workers * slots / surface.database_at - 1.0)
    db_ms, own_ms = (
        surface.holding_ms * (1.0 + surface.harm * beyond),
        600.0 / surface.processor_per_s,
    )
    waiting_ms = min(2000.0, 30.0 * used**6)
    for_thread = 1.0 if setting.threads < slots else 0.1
    total_ms = db_ms + own_ms + waiting_ms
    good_per_s = min(score.offered_per_s, 1.05 * knee_per_s)
    return Tried(
        arm=arm,
        setting=setting,
        stage=stage,
        unit=0,
        block=block,
        score=score,
        good_per_s=good_per_s,
        rate_per_s=score.offered_per_s,
        p50_ms=total_ms,
        p99_ms=min(9000.0, max(2.0 * total_ms, OBJECTIVE.p99_ms * used**4)),
        split=Split(
            thread_ms=for_thread * waiting_ms,
            pool_ms=(1.0 - for_thread) * waiting_ms,
            db_ms=db_ms,
            own_ms=own_ms,
            total_ms=total_ms,
        ),
        cpu_ms_per_request=1e3 / surface.processor_per_s,
        connections=min(slots, max(1, round(good_per_s * db_ms / 1e3 * 2))),
        threads=min(setting.threads, 3 + slots),
        server={
            "Questions": 6.0 * score.planned,
            "Threads_running": 1.0 + beyond,
            "Innodb_row_lock_time": 10.0 * beyond,
        },
    )
