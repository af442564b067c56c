"""One session of a run: the world brought up, measured and taken down again."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtests.environment.distance import Distance
from loadtests.environment.launch import with_resolved_headers
from loadtests.environment.live_bed import LiveBed
from loadtests.environment.placement import Placement
from loadtests.generators import Generators
from loadtests.manifest import build_manifest, has_manifest, read_manifest
from loadtests.resume import NOTHING_YET, Progressed, at_its_commits, check_same_world
from loadtests.run import execute
from loadtests.run_state import Run, Watcher
from loadtests.sameness.check import check_sameness
from loadtests.schedule import Sizes
from loadtests.second_opinion.wrk import load_with_wrk
from loadtests.spec import Spec
from loadtests.store import RunStore
from reports.run_folder import load_run
from reports.summarise import interim
from scripts.run_log import LoggedProgress, RunLog
from scripts.session import Session, open_session
from scripts.stopping import StoppableGenerator, Stopping


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one session of the run called `run` measures, and where; `before` is what earlier ones
    have done."""

    run: str
    spec: Spec
    sizes: Sizes
    placement: Placement
    generators: int
    """How many processes make the load."""
    overrides: tuple[str, ...] = ()
    before: Progressed = NOTHING_YET
    tables: Mapping[str, str] = field(default_factory=dict)
    """Arms that share tables: see `running_arms`."""
    told: Spec | None = None
    """The spec as it was given, where what is measured was derived from it."""
    tune: Mapping[str, Any] | None = None
    """What the manifest of a tune run says beside the spec."""


def measure(assignment: Assignment, store: RunStore, log: RunLog, stopping: Stopping) -> str:
    """Bring everything up, measure, take everything down; returns the run's status.

    Raises KeyboardInterrupt when it was told to stop at once, after taking everything down, and
    UsageError when a run would go on in another world than it began in.
    """
    progress = _progress(assignment, log)
    with brought_up(assignment, store, log, stopping, progress) as run:
        return execute(run)


@contextmanager
def brought_up(
    assignment: Assignment,
    store: RunStore,
    log: RunLog,
    stopping: Stopping,
    watcher: AbstractContextManager[Watcher],
) -> Iterator[Run]:
    """Everything up and ready to be measured, for the length of the block; raises as `measure`."""
    with ExitStack() as stack:
        with stopping.at_once():
            session = stack.enter_context(_session(assignment, store, log))
            generator = stack.enter_context(_generators(assignment, store, session))
        progress = stack.enter_context(watcher)
        _record(assignment, store, session, generator)
        stack.enter_context(_distance_in_the_journal(store, session.distance))
        yield _run(assignment, store, session, generator, progress, stopping)


def _session(
    assignment: Assignment, store: RunStore, log: RunLog
) -> AbstractContextManager[Session]:
    spec = assignment.spec
    if has_manifest(store.folder):
        spec = at_its_commits(spec, read_manifest(store.folder))
    return open_session(
        spec,
        assignment.sizes,
        run=assignment.run,
        log_folder=store.folder / "logs",
        first_instance=assignment.before.origin.instance,
        placement=assignment.placement,
        tables=assignment.tables,
        say=log.say,
    )


def _generators(assignment: Assignment, store: RunStore, session: Session) -> Generators:
    return Generators.start(
        targets=[instance.target for instance in session.instances],
        scenarios=with_resolved_headers(assignment.spec.scenario),
        folder=assignment.spec.folder,
        cores=session.placement.generator,
        log_path=store.folder / "logs" / "generator.log",
        count=assignment.generators,
    )


def _progress(assignment: Assignment, log: RunLog) -> LoggedProgress:
    sizes, first_round = assignment.sizes, assignment.before.origin.round
    return LoggedProgress(log, round_s=sizes.round_s, rounds=sizes.rounds, first_round=first_round)


def _run(
    assignment: Assignment,
    store: RunStore,
    session: Session,
    generator: Generators,
    watcher: Watcher,
    stopping: Stopping,
) -> Run:
    spec = assignment.spec
    resolved = {each.name: each for each in with_resolved_headers(spec.scenario)}
    return Run(
        spec=spec,
        sizes=assignment.sizes,
        store=store,
        bed=LiveBed(
            spec,
            session.database,
            session.instances,
            session.distance.relay if session.distance else None,
            generator_pids=generator.pids,
            app_cores=session.placement.apps,
        ),
        generator=StoppableGenerator(generator, stopping),
        watcher=watcher,
        assess=lambda: interim(load_run(store.folder)),
        interruption=stopping.interruption,
        origin=assignment.before.origin,
        frozen=assignment.before.frozen,
        ask_wrk=lambda scenario, target, seed: load_with_wrk(resolved[scenario.name], target, seed),
        prove=lambda: check_sameness(session.instances, session.database, spec.run.seed),
    )


def _record(
    assignment: Assignment, store: RunStore, session: Session, generator: Generators
) -> None:
    """Write the manifest; of a run that goes on, compare the world with what it says."""
    facts = session.facts() | {"placement": assignment.placement.to_json()}
    if has_manifest(store.folder):
        check_same_world(read_manifest(store.folder), facts, store.folder)
        return
    spec = assignment.told or assignment.spec
    source = Path(spec.source)
    told = {"processes": assignment.generators, "real_time": generator.real_time}
    manifest = build_manifest(
        run=assignment.run,
        command=["bench", *sys.argv[1:]],
        created_utc=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        spec=spec,
        spec_file=source.resolve() if source.is_file() else None,
        overrides=assignment.overrides,
        sizes=assignment.sizes,
        facts=facts | {"generator": told},
        arms=session.arms(),
        tune=assignment.tune,
    )
    store.write_manifest(manifest)


@contextmanager
def _distance_in_the_journal(store: RunStore, distance: Distance | None) -> Iterator[None]:
    """What was measured of the distance before the block, and what the relay did in it; it ends
    with the block."""
    if distance is None:
        yield
        return
    store.journal.write("distance", **distance.facts())
    started_s, cpu_s = time.monotonic(), distance.relay.cpu_s()
    yield
    wall_s, used_s = time.monotonic() - started_s, distance.relay.cpu_s()
    distance.relay.end()
    store.journal.write(
        "relay",
        wall_s=wall_s,
        cpu_s=None if cpu_s is None or used_s is None else used_s - cpu_s,
        **distance.relay.told(),
    )
