"""Simulated services to tune: a knee for every setting, and trials as noisy as real ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from loadtests.tuning.race import Race
from loadtests.tuning.score import LATE_SHARE, Objective, Score
from loadtests.tuning.search import START_SHARE
from loadtests.tuning.setting import Setting
from loadtests.tuning.stages import SHARES, plan_finals, trial_s
from reports.tuning.knee import Scored, knee
from reports.tuning.plateau import plateau_of

OBJECTIVE = Objective(p99_ms=100.0)
TRIAL_S = 1.5
SHARPNESS = 40.0
"""By how much the share of late requests grows with the load, as a power of it: 5% above its knee
a setting has 7% late requests."""


@dataclass(frozen=True)
class Surface:
    """A service bound by its processor, its pool, its threads and its database, smoothly.

    `processor_per_s`: what one worker's Python can do. `holding_ms`: how long a request holds a
    connection. `database_at`: connections beyond which the database slows down. `trap`: whether
    threads and pool can wait for each other without a gate.
    """

    processor_per_s: float
    holding_ms: float
    database_at: float
    harm: float
    trap: bool = False

    def knee_per_s(self, setting: Setting) -> float:
        """The true knee of a setting."""
        slots = setting.pool_size + setting.max_overflow
        if setting.admitted is not None:
            slots = min(slots, setting.admitted)
        pool_per_s = setting.workers * min(slots, setting.threads) * 1e3 / self.holding_ms
        processor_per_s = setting.workers**0.8 * self.processor_per_s
        bound = (pool_per_s**-8 + processor_per_s**-8) ** (-1 / 8)
        beyond = max(0.0, setting.workers * slots / self.database_at - 1.0)
        bound /= 1.0 + self.harm * beyond
        if self.trap and setting.admitted is None and setting.threads >= slots:
            bound *= 0.2
        return float(bound)


def random_surface(random: np.random.Generator) -> Surface:
    """From services that sleep in the database to those bound by their processor."""
    return Surface(
        processor_per_s=float(random.uniform(300, 1200)),
        holding_ms=float(math.exp(random.uniform(math.log(2), math.log(80)))),
        database_at=float(random.uniform(4, 60)),
        harm=float(random.choice([0.0, 0.02, 0.1, 0.3])),
        trap=bool(random.random() < 0.3),
    )


@dataclass
class Machine:
    """Measures a surface with noise: drift that a block shares, instances, single trials, stalls.

    `trials` counts what was measured; every trial takes as long.
    """

    surface: Surface
    random: np.random.Generator
    drift_sd: float = 0.05
    instance_sd: float = 0.02
    trial_sd: float = 0.03
    stall_share: float = 0.02
    trials: int = 0
    blocks: int = 0
    measured: dict[Setting, list[Scored]] = field(default_factory=dict)
    _instances: dict[tuple[Setting, int], float] = field(default_factory=dict)

    def block(
        self, settings: Iterable[Setting], rate_per_s: float, instance: int = 0
    ) -> Mapping[Setting, Score]:
        """One trial of each setting at one load, adjacent in time."""
        drift = self.random.normal(0.0, self.drift_sd)
        unit, self.blocks = self.blocks, self.blocks + 1
        scores = {s: self._trial(s, rate_per_s, instance, drift) for s in settings}
        for setting, score in scores.items():
            self.measured.setdefault(setting, []).append(Scored(unit, score))
        return scores

    def _trial(self, setting: Setting, rate_per_s: float, instance: int, drift: float) -> Score:
        self.trials += 1
        key = (setting, instance)
        if key not in self._instances:
            self._instances[key] = self.random.normal(0.0, self.instance_sd)
        noise = drift + self._instances[key] + self.random.normal(0.0, self.trial_sd)
        knee_per_s = self.surface.knee_per_s(setting) * math.exp(noise)
        share = min(1.0, LATE_SHARE * (rate_per_s / knee_per_s) ** SHARPNESS)
        if self.random.random() < self.stall_share:
            share = max(share, 0.1)
        planned = int(self.random.poisson(rate_per_s * TRIAL_S))
        late = int(self.random.binomial(planned, share)) if planned else 0
        return Score(rate_per_s, planned, late, 0)


def run_race(
    machine: Machine, settings: Sequence[Setting], start_rate_per_s: float, most_trials: int
) -> Race:
    """A race until its end, or until its budget of trials is spent."""
    race = Race(settings, start_rate_per_s, OBJECTIVE)
    while (heat := race.next_heat()) is not None and machine.trials < most_trials:
        race.record(heat, machine.block(heat.settings, heat.rate_per_s))
    return race


QUICK_BUDGET_S, QUICK_WINDOW_S, QUICK_ARMS = 480.0, 1.0, 2
"""Of the built-in quick (a test holds them to it)."""
FINALS = plan_finals(
    QUICK_ARMS,
    SHARES["final"] * QUICK_BUDGET_S,
    trial_s(QUICK_WINDOW_S, writes=False),
)
"""The finals of quick, should its search take all of its time."""
GRID_SHARES = (0.6, 0.7, 0.8, 0.87, 0.93, 1.0, 1.05, 1.1)
"""Loads of the grid as shares of the true best knee: a help that no real grid has."""
GRID_PASSES = 3
GRID_STEP, GRID_LOADS = 1.15, 14
"""Of a grid that has no such help: from where the race begins, up to four times the pilot, as much
as the best of these services bears."""
SETTINGS = tuple(
    Setting(pool_size, 0, threads, 1, admission)
    for pool_size in (2, 5, 10, 20, 40)
    for threads in (10, 40)
    for admission in (-1, 0)
)


@dataclass(frozen=True)
class Chosen:
    """A method's choice for a surface, and what it measured to get there."""

    setting: Setting | None
    trials: int

    def regret(self, surface: Surface) -> float:
        """By how much its true knee lies below the true best, as a share."""
        best = max(surface.knee_per_s(each) for each in SETTINGS)
        return 1.0 if self.setting is None else 1.0 - surface.knee_per_s(self.setting) / best


def searched(surface: Surface, seed: int) -> Chosen:
    """As `bench tune` does it: race, finals, plateau."""
    random = np.random.default_rng([seed, 1])
    machine = Machine(surface, random)
    race = run_race(machine, SETTINGS, START_SHARE * pilot_per_s(surface, random), 10**6)
    finalists = race.finalists(FINALS.finalists)
    trials: dict[Setting, list[Scored]] = {each: [] for each in finalists}
    for each_pass in range(FINALS.passes):
        for offset in random.permutation(FINALS.steps):
            rate_per_s = race.rate_at((race.top or 0) + int(offset))
            for setting, score in machine.block(finalists, rate_per_s).items():
                trials[setting].append(Scored(each_pass, score))
    plateau = plateau_of(trials, OBJECTIVE)
    return Chosen(plateau.taken if plateau else None, machine.trials)


def gridded(surface: Surface, seed: int, passes: int = GRID_PASSES) -> Chosen:
    """Every setting at every load, so many times; the highest knee."""
    machine = Machine(surface, np.random.default_rng([seed, 2]))
    return _best_of(machine, SETTINGS, helped(surface), passes)


def gridded_from_a_pilot(surface: Surface, seed: int) -> Chosen:
    """Every setting once at loads that know only what the search begins with."""
    random = np.random.default_rng([seed, 4])
    start_per_s = START_SHARE * pilot_per_s(surface, random)
    loads = [start_per_s * GRID_STEP**step for step in range(GRID_LOADS)]
    return _best_of(Machine(surface, random), SETTINGS, loads, 1)


def drawn(surface: Surface, seed: int, budget: int, passes: int) -> Chosen:
    """Random search: settings drawn without replacement, as many as the budget pays for, each at
    the loads of the grid `passes` times; the highest knee."""
    random = np.random.default_rng([seed, 3])
    affordable = max(1, budget // (len(GRID_SHARES) * passes))
    order = random.permutation(len(SETTINGS))[:affordable]
    settings = [SETTINGS[i] for i in order]
    return _best_of(Machine(surface, random), settings, helped(surface), passes)


def helped(surface: Surface) -> list[float]:
    """The grid's loads, around the true best knee."""
    top_per_s = max(surface.knee_per_s(each) for each in SETTINGS)
    return [share * top_per_s for share in GRID_SHARES]


def pilot_per_s(surface: Surface, random: np.random.Generator) -> float:
    """What a closed load on the present setting says, roughly."""
    return surface.knee_per_s(Setting(10)) * math.exp(random.normal(0.0, 0.1))


def _best_of(
    machine: Machine, settings: Sequence[Setting], loads: Sequence[float], passes: int
) -> Chosen:
    for _ in range(passes):
        for rate_per_s in machine.random.permutation(loads):
            machine.block(settings, float(rate_per_s))
    knees = {each: knee(trials, OBJECTIVE) for each, trials in machine.measured.items()}
    found = {each: k.per_s for each, k in knees.items() if k and k.censored != "below"}
    return Chosen(max(found, key=lambda each: found[each], default=None), machine.trials)
