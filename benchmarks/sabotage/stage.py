"""A short real run to break: database, twins and generator up once, one run for each sabotage."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loadtests.environment.live_bed import LiveBed
from loadtests.environment.servers import RunningInstance
from loadtests.generators import Generators
from loadtests.manifest import build_manifest
from loadtests.plan import ScenarioLoads, scenario_loads
from loadtests.run import load_facts, measure
from loadtests.run_state import Interim, Run
from loadtests.spec import Spec, load_spec
from loadtests.store import RunStore
from loadtests.trials import Target, TrialOrder, TrialOutcome
from reports.model import GateResult, Summary
from reports.run_folder import load_run
from reports.summarise import summarise
from scripts.session import Session, open_session, sizes_here

SETUP = """
[run]
database = "local"
instances = 2
rounds = 1
pairs = 1
block_s = 0.4
[[arm]]
name = "sync"
app = "sync"
[[arm]]
name = "async"
app = "async"
[[arm]]
name = "other"
app = "async"
env = { TWIN_POOL_SIZE = "5" }
"""
SCENARIO = """
[[scenario]]
name = "{name}"
arms = ["sync", "{candidate}"]
load = {load}
[[scenario.request]]
name = "read"
path = "/items/{{key}}"
keys = {{ from = 1, to = 10000 }}
"""
GENTLE = '{ model = "open", rate_per_s = 100 }'
SCENARIOS = (
    ("read-one", "async", GENTLE),
    ("other-settings", "other", GENTLE),
    ("fast", "async", '{ model = "open", rate_per_s = 2000 }'),
    ("capacity", "async", '{ model = "closed", users = 8 }'),
)
"""Name, second arm, load; the requests are the same."""
IN_MID_TRIAL_S = 0.2
"""After a trial has begun: its lead-in is over."""
FIRST, LAST = 1, 2
"""Trials of a run of four that are broken: not the first and not the last."""


@dataclass(frozen=True)
class Seen:
    """What a run said of itself."""

    summary: Summary

    @property
    def failed(self) -> list[GateResult]:
        """Gates that failed."""
        return [g for each in self.summary.scenarios for g in each.gates if g.ok is False]

    def gate(self, name: str) -> list[GateResult]:
        """All outcomes of one gate."""
        return [g for each in self.summary.scenarios for g in each.gates if g.name == name]


@dataclass
class Stage:
    """Everything that a saboteur may lay hands on."""

    session: Session
    generator: Generators
    folder: Path
    runs: int = 0

    def instance(self, target: Target) -> RunningInstance:
        """The running instance behind a target."""
        return next(i for i in self.session.instances if i.target == target)

    def pid(self, target: Target) -> int:
        """The process of an instance."""
        child = self.instance(target).child
        assert child is not None
        return child.pid

    def run(self, sabotage: Sabotage, scenario: str = "read-one") -> Seen:
        """One run of four trials with the sabotage in it."""
        self.runs += 1
        chosen = self.session.spec.scenario_named(scenario)
        arms = self.session.spec.arms_of(chosen)
        spec = self.session.spec.model_copy(update={"scenario": (chosen,), "arm": arms})
        store = RunStore(self.folder / f"run-{self.runs}")
        store.write_manifest(_manifest(self.session, spec, store.folder.name))
        run = Run(
            spec=spec,
            sizes=self.session.sizes,
            store=store,
            bed=LiveBed(
                spec,
                self.session.database,
                self.session.instances,
                generator_pids=self.generator.pids,
                app_cores=self.session.placement.apps,
            ),
            generator=_Broken(self, sabotage),
            watcher=_Silent(),
            assess=list,
        )
        try:
            for target in run.targets.values():
                run.telemetry.prime(target)
            loads = scenario_loads(chosen, None)
            assert loads is not None
            facts = [load_facts(load) for load in loads]
            store.journal.write("rates", scenario=scenario, loads=facts)
            measure(run, (ScenarioLoads(scenario, loads, tuple(arm.name for arm in arms)),))
            store.journal.write("end", status="complete", reason="finished")
        finally:
            run.telemetry.close()
            store.close()
        return Seen(summarise(load_run(store.folder)))


@dataclass(frozen=True)
class Sabotage:
    """`act` is called in mid-trial, in a thread, in each of the trials `trials`."""

    act: Callable[[Stage, TrialOrder], None]
    trials: Sequence[int] = (FIRST,)


NOTHING = Sabotage(lambda _stage, _order: None, ())


class _Broken:
    """A generator in whose trials somebody breaks things. Satisfies `Generator`."""

    def __init__(self, stage: Stage, sabotage: Sabotage) -> None:
        self._stage, self._sabotage = stage, sabotage

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        """One trial; returns when the saboteur has done its work too."""
        if order.trial not in self._sabotage.trials:
            return self._stage.generator.run_trial(order)
        act = threading.Timer(IN_MID_TRIAL_S, self._sabotage.act, (self._stage, order))
        act.start()
        try:
            return self._stage.generator.run_trial(order)
        finally:
            act.join()

    def close(self) -> None:
        """The stage ends the generator."""


class _Silent:
    """Shows nothing. Satisfies `loadtests.run_state.Watcher`."""

    def say(self, message: str) -> None:
        """Nothing."""

    def trial(self, order: TrialOrder, done: int, planned: int) -> None:
        """Nothing."""

    def round_finished(self, number: int, interims: Sequence[Interim]) -> None:
        """Nothing."""


def _spec_text() -> str:
    scenarios = (
        SCENARIO.format(name=name, candidate=candidate, load=load)
        for name, candidate, load in SCENARIOS
    )
    return SETUP + "".join(scenarios)


def _manifest(session: Session, spec: Spec, run: str) -> dict[str, object]:
    return build_manifest(
        run=run, command=["sabotage"], created_utc="", spec=spec, spec_file=None, overrides=(),
        sizes=session.sizes, facts=session.facts(), arms=session.arms(),
    )  # fmt: skip


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """A database, two instances of each arm and a generator, for any number of runs."""
    file = folder / "sabotage.toml"
    file.write_text(_spec_text(), encoding="utf-8")
    spec = load_spec(str(file))
    with open_session(
        spec, sizes_here(spec), run="sabotage", log_folder=folder / "logs", say=lambda _: None
    ) as session:
        targets = [instance.target for instance in session.instances]
        with Generators.start(
            targets, spec.scenario, folder=folder, cores=session.placement.generator,
            log_path=folder / "logs" / "generator.log",
        ) as generator:  # fmt: skip
            yield Stage(session, generator, folder)
