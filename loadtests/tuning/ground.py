"""One block after the other in a world that is up: measured, scored, written to the journal."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from loadtests.errors import EnvironmentNotReady
from loadtests.plan import Block, derived_seed, shuffled
from loadtests.rounds import Trials, drop, measure_round, partner
from loadtests.run_state import Run
from loadtests.schedule import Limits
from loadtests.spec import Spec
from loadtests.store import RunStore
from loadtests.trials import ClosedLoad, Load, OpenLoad, Target, TrialOutcome
from loadtests.tuning.past import EVENT, Measured, Past
from loadtests.tuning.score import Objective, Score, score_of
from loadtests.tuning.setting import Setting
from loadtests.tuning.space import Bounds, Space
from loadtests.tuning.stages import SHARES, Chosen, Stage, seconds_for, trial_s
from loadtests.tuning.world import (
    World,
    gives_up_early,
    objective_of,
    settle_s,
    trial_window_s,
    unlock_s,
)
from loadtests.unrecorded import completions_per_s

MOST_TRIES = 3
"""How often a block is measured that says nothing of any setting."""
DROPPED = re.compile(r"\((?:2002|2003|2006|2013|2055|1040|1053|1927|4031|0)\b")
"""In the words of a driver's error: the server cannot be reached, or closed the connection
(numbers of MySQL's and MariaDB's clients and servers; 0 is PyMySQL's on a closed connection)."""

Finals = Mapping[Setting, Sequence[tuple[int, Score]]]
"""Of each finalist: the pass and the score of every trial."""


class Teller(Protocol):
    """Whoever shows how a search goes."""

    def say(self, message: str) -> None:
        """Show one message."""
        ...


@dataclass
class Tuning:
    """Everything that one tune run touches, whichever world is up."""

    spec: Spec
    spaces: Mapping[str, Space]
    bounds: Mapping[str, Bounds]
    limits: Limits
    store: RunStore
    open_world: Callable[[World], AbstractContextManager[Run]]
    """Brings a world up, for the length of the block, as a run that counts on in the folder."""
    choose: Callable[[Finals, Objective], Chosen | None]
    """Judges an arm's finals."""
    teller: Teller
    past: Past = field(default_factory=Past)
    clock: Callable[[], float] = time.monotonic

    @property
    def objective(self) -> Objective:
        """What a setting must keep."""
        return objective_of(self.spec.tune.objective)

    def write(self, what: str, **facts: Any) -> None:
        """One line in the journal, and at once part of the past."""
        self.store.journal.write(EVENT, what=what, **facts)
        self.past.add(what, facts)

    def note(self, text: str) -> None:
        """Something that the report has to tell; a run that goes on does not tell it again."""
        if text not in self.past.notes:
            self.write("note", text=text)
        self.teller.say(text)

    @property
    def limits_now(self) -> Limits:
        """The limits, with the memory of a process as the search measured it."""
        known_mb = self.past.process_mb
        return self.limits if known_mb is None else replace(self.limits, process_mb=known_mb)

    def seconds_for(self, stage: Stage) -> float:
        """A stage's part of what is left of the budget."""
        return seconds_for(stage, self.left_s)

    @property
    def left_s(self) -> float:
        """What is left of the budget; less than nothing where it was not enough."""
        return self.spec.tune.budget_s - self.past.spent_s

    @property
    def search_left_s(self) -> float:
        """What is left of the search's part of the budget."""
        spent_s = sum(each.wall_s for each in self.past.of_stage("search"))
        return SHARES["search"] * self.spec.tune.budget_s - spent_s

    @property
    def trial_s(self) -> float:
        """What a trial takes here: as measured, or as planned before any was."""
        if self.past.trials:
            return self.past.spent_s / self.past.trials
        return trial_s(trial_window_s(self.spec), writes=self.spec.tuned_scenario.writes)


class Ground:
    """A world that is up, and the numbers it counts on from."""

    def __init__(self, tuning: Tuning, world: World, run: Run) -> None:
        self.tuning, self.world, self.run = tuning, world, run
        run.settle_within_s = settle_s(tuning.spec)
        self._busy: set[tuple[str, int]] = set()
        self._next_round, self._next_block = run.origin.round, run.origin.block

    @property
    def instances(self) -> range:
        """Numbers of the instances that are up of each candidate."""
        first = self.run.origin.instance
        return range(first, first + self.world.instances)

    def alive(self, arm: str, settings: Sequence[Setting], instance: int) -> list[Setting]:
        """Those of an arm's settings whose instance can still be measured."""
        return [s for s in settings if self._failure(arm, s, instance) is None]

    def target(self, arm: str, setting: Setting, instance: int) -> Target:
        """An instance of a candidate that is up."""
        return partner(self.run, self._name(arm, setting), instance)

    def busy(self, arm: str, setting: Setting, instance: int) -> bool:
        """Whether an instance was left with requests in flight by its last trial."""
        return (self.world.name_of(arm, setting), instance) in self._busy

    def _idle(self, arm: str, setting: Setting, instance: int) -> bool:
        """Whether an instance has nothing to do any more, or soon: a trial that began with what an
        earlier load left would measure that load."""
        name = self._name(arm, setting)
        if (name, instance) not in self._busy:
            return True
        within_s = unlock_s(self.tuning.spec, self.tuning.spec.arm_named(arm))
        if self.run.bed.settle(self.target(arm, setting, instance), within_s):
            self.tuning.note(
                f"{arm}: {setting.words} is left out where it was still busy with an earlier load."
            )
            return False
        self._busy.discard((name, instance))
        return True

    def _failure(self, arm: str, setting: Setting, instance: int) -> str | None:
        name = self.world.name_of(arm, setting)
        if name is None:
            return "is not up"
        return self.run.bed.failure(partner(self.run, name, instance))

    def measure(
        self, stage: Stage, arm: str, settings: Sequence[Setting], load: Load, *, unit: int | None,
        instance: int | None = None, rung: int | None = None, attempt: int | None = None,
    ) -> Mapping[Setting, Score]:  # fmt: skip
        """One block of an arm's settings, in random order with the same arrivals; its scores.

        A setting whose process died, or that is still busy, is left out. A block that says nothing
        (something stood still, or the database dropped everybody's connections) is measured again;
        raises EnvironmentNotReady when it does not come to anything in MOST_TRIES. `unit` None: the
        block.
        """
        instance = self.instances[0] if instance is None else instance
        began_s = self.tuning.clock()
        living = [s for s in self.alive(arm, settings, instance) if self._idle(arm, s, instance)]
        block = None
        trials: Trials = {}
        if living:
            block, trials = self._one_that_counts(stage, arm, living, load, instance)
        number = block.block if block else None
        counted = {s: trials[name] for s in living if (name := self._name(arm, s)) in trials}
        self._busy |= {
            (self._name(arm, s), instance) for s, t in counted.items() if t.left_in_flight
        }
        measured = Measured(
            stage=stage, arm=arm, unit=(number or 0) if unit is None else unit, block=number,
            scores={s: self._score(trial.outcome, load) for s, trial in counted.items()},
            wall_s=self.tuning.clock() - began_s,
            rate_per_s=load.rate_per_s if isinstance(load, OpenLoad) else None,
            users=load.users if isinstance(load, ClosedLoad) else None,
            rung=rung, attempt=attempt,
        )  # fmt: skip
        self.tuning.write("measured", **measured.facts())
        self._tell_deaths(arm, living, instance)
        return measured.scores

    def _name(self, arm: str, setting: Setting) -> str:
        name = self.world.name_of(arm, setting)
        assert name is not None  # only who is up is measured
        return name

    def _one_that_counts(
        self, stage: Stage, arm: str, settings: Sequence[Setting], load: Load, instance: int
    ) -> tuple[Block, Trials]:
        for left in range(MOST_TRIES - 1, -1, -1):
            block = self._block(stage, arm, settings, load, instance)
            [trials] = measure_round(self.run, [block], block.round)
            if trials and not self._database_dropped_all(trials):
                return block, trials
            if trials:
                said = next(iter(trials.values())).last_error
                reason = f"the database dropped the connections of every setting ({said})"
                drop(self.run, block, trials, reason, again=left > 0)
        raise EnvironmentNotReady(
            f"{MOST_TRIES} blocks of {arm} in a row say nothing of its settings; the log tells why "
            "each was left out.",
            hint="Look at the database server and at this machine, then go on with the run.",
        )

    def _database_dropped_all(self, trials: Trials) -> bool:
        """Whether errors of every setting tell of the database, and so nothing of the settings."""
        limit = self.tuning.objective.max_error_pct / 100.0
        return all(
            DROPPED.search(trial.last_error or "") is not None
            and 1.0 - np.mean(trial.outcome.samples["ok"].to_numpy(zero_copy_only=False)) > limit
            for trial in trials.values()
        )

    def _block(
        self, stage: Stage, arm: str, settings: Sequence[Setting], load: Load, instance: int
    ) -> Block:
        seed = derived_seed(self.tuning.spec.run.seed, "tune", stage, arm, self._next_block)
        names = [self._name(arm, setting) for setting in settings]
        block = Block(
            round=self._next_round,
            block=self._next_block,
            scenario=self.world.spec.scenario[0].name,
            load=load,
            instance=instance,
            seed=seed,
            arms=tuple(shuffled(names, np.random.default_rng(seed))),
        )
        self._next_round, self._next_block = block.round + 1, block.block + 1
        return block

    def _score(self, outcome: TrialOutcome, load: Load) -> Score:
        offered_per_s = (
            load.rate_per_s if isinstance(load, OpenLoad) else completions_per_s(outcome)
        )
        early = gives_up_early(self.tuning.spec)
        return score_of(outcome.samples, offered_per_s, self.tuning.objective, gave_up_early=early)

    def _tell_deaths(self, arm: str, measured: Sequence[Setting], instance: int) -> None:
        for setting in measured:
            if failure := self._failure(arm, setting, instance):
                self.tuning.note(f"{setting.words} leaves: {failure}.")
