"""`bench run`: plan, measure, judge, report."""

from __future__ import annotations

import datetime
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadtests.environment.distance import Distance
from loadtests.environment.launch import with_resolved_headers
from loadtests.environment.live_bed import LiveBed
from loadtests.environment.machine import usable_cores
from loadtests.environment.placement import Placement
from loadtests.errors import BenchError, UsageError
from loadtests.generators import Generators
from loadtests.manifest import build_manifest, has_manifest, read_manifest
from loadtests.resume import (
    NOTHING_YET,
    Progressed,
    check_same_spec,
    check_same_world,
    placement_of,
    progress_of,
)
from loadtests.run import execute
from loadtests.run_state import Interruption, Run
from loadtests.sameness.check import check_sameness
from loadtests.schedule import Sizes
from loadtests.second_opinion.wrk import load_with_wrk
from loadtests.spec import Spec, load_spec
from loadtests.store import RunStore, new_run_folder
from reports.model import Summary
from reports.run_folder import load_run
from reports.summarise import interim
from reports.terminal import print_summary
from reports.write import write_report
from scripts.plan_json import plan_json
from scripts.plan_text import plan_text
from scripts.resuming import RunOptions, hidden_keys, options_of_resumed_run
from scripts.run_log import LoggedProgress, RunLog
from scripts.session import Session, open_session, placement_here, sizes_here
from scripts.stopping import StoppableGenerator, Stopping

INTERRUPTED = 130
INVALID = 4


def run_command(options: RunOptions) -> int:
    """Run a spec and report it; returns the exit code."""
    options = options_of_resumed_run(options) if options.resume else options
    spec = _spec(options)
    with_resolved_headers(
        spec.scenario
    )  # a variable that is not set is told before anything starts
    sizes = sizes_here(spec, only_planning=options.dry_run)
    before = _progress(options, spec)
    sizes = replace(sizes, rounds=max(0, sizes.rounds - before.finished_rounds))
    if options.dry_run:
        _show_plan(spec, sizes, options)
        return 0
    if sizes.rounds == 0:
        raise UsageError(f"{options.resume} is finished; nothing is left to do.")
    folder, run = _folder(options, spec)
    return _run(spec, sizes, folder, run, options, before)


def _spec(options: RunOptions) -> Spec:
    """The spec; a resumed one keeps the name it was started under, wherever its file is."""
    spec = load_spec(options.spec or "quick", overrides=options.overrides, seed=options.seed)
    if options.resume is None:
        return spec
    return spec.model_copy(update={"source": read_manifest(options.resume)["spec"]["source"]})


def _progress(options: RunOptions, spec: Spec) -> Progressed:
    if options.resume is None:
        return NOTHING_YET
    check_same_spec(read_manifest(options.resume), spec, options.resume)
    return progress_of(options.resume)


def _show_plan(spec: Spec, sizes: Sizes, options: RunOptions) -> None:
    """The plan is the answer of a dry run."""
    if options.json:
        print(json.dumps(plan_json(spec, sizes), ensure_ascii=False, allow_nan=False))
    else:
        print(plan_text(spec, sizes))


def _folder(options: RunOptions, spec: Spec) -> tuple[Path, str]:
    if options.resume is not None:
        return options.resume, str(read_manifest(options.resume)["run"])
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    run = f"{stamp}-{Path(spec.source).stem}"
    return new_run_folder(options.out, run), run


def _run(
    spec: Spec, sizes: Sizes, folder: Path, run: str, options: RunOptions, before: Progressed
) -> int:
    """Measure and report, also when it is cut short; returns the exit code."""
    store = RunStore(folder)
    os.environ["BENCH_RUN_FOLDER"] = str(folder)
    log = RunLog(folder)
    log.say(plan_text(spec, sizes))
    with Stopping(Interruption()) as stopping:
        try:
            with stopping.at_once():
                placement = _placement(spec, options)
            status = measure(spec, sizes, store, run, options, before, log, stopping, placement)
        except KeyboardInterrupt:
            status = "interrupted"
        except BenchError as error:
            log.keep(str(error))
            if not isinstance(error, UsageError):  # those come before anything is measured
                keep_what_there_is(folder, log)
            raise
        finally:
            store.close()
        if status == "interrupted":
            return finish_interrupted(folder, options, log, stopping)
    return finish(folder, options, log)


def _placement(spec: Spec, options: RunOptions) -> Placement:
    """Chosen by looking at the cores; a resumed run keeps the one it has."""
    if options.resume is None:
        return placement_here(spec, look=True)
    return placement_of(read_manifest(options.resume), usable_cores(), options.resume)


def measure(
    spec: Spec,
    sizes: Sizes,
    store: RunStore,
    run: str,
    options: RunOptions,
    before: Progressed,
    log: RunLog,
    stopping: Stopping,
    placement: Placement,
) -> str:
    """Bring everything up, measure, take everything down; returns the run's status.

    Raises KeyboardInterrupt when it was told to stop at once, after taking everything down.
    """
    logs = store.folder / "logs"
    resolved = {each.name: each for each in with_resolved_headers(spec.scenario)}
    with ExitStack() as stack:
        with stopping.at_once():
            session = stack.enter_context(
                open_session(
                    spec,
                    sizes,
                    run=run,
                    log_folder=logs,
                    first_instance=before.origin.instance,
                    placement=placement,
                    say=log.say,
                )
            )
            generator = stack.enter_context(
                Generators.start(
                    targets=[instance.target for instance in session.instances],
                    scenarios=list(resolved.values()),
                    folder=spec.folder,
                    cores=session.placement.generator,
                    log_path=logs / "generator.log",
                    count=session.generators,
                )
            )
        progress = stack.enter_context(
            LoggedProgress(
                log, round_s=sizes.round_s, rounds=sizes.rounds, first_round=before.origin.round
            )
        )
        if options.resume is not None:
            check_same_world(read_manifest(options.resume), session.facts(), options.resume)
        else:
            store.write_manifest(_manifest(session, run, options, generator))
        stack.enter_context(_distance_in_the_journal(store, session.distance))
        relay = session.distance.relay if session.distance else None
        return execute(
            Run(
                spec=spec,
                sizes=sizes,
                store=store,
                bed=LiveBed(
                    spec,
                    session.database,
                    session.instances,
                    relay,
                    generator_pids=generator.pids,
                    app_cores=session.placement.apps,
                ),
                generator=StoppableGenerator(generator, stopping),
                watcher=progress,
                assess=lambda: interim(load_run(store.folder)),
                interruption=stopping.interruption,
                origin=before.origin,
                frozen=before.frozen,
                ask_wrk=lambda scenario, target, seed: load_with_wrk(
                    resolved[scenario.name], target, seed
                ),
                prove=lambda: check_sameness(session.instances, session.database, spec.run.seed),
            )
        )


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


def _manifest(
    session: Session, run: str, options: RunOptions, generator: Generators
) -> dict[str, Any]:
    source = Path(session.spec.source)
    return build_manifest(
        run=run,
        command=["bench", *sys.argv[1:]],
        created_utc=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        spec=session.spec,
        spec_file=source.resolve() if source.is_file() else None,
        overrides=options.overrides,
        sizes=session.sizes,
        facts=session.facts()
        | {"generator": {"processes": session.generators, "real_time": generator.real_time}},
        arms=session.arms(),
    )


def finish(folder: Path, options: RunOptions, log: RunLog) -> int:
    """Write the report of a complete run, say the answer, and choose the exit code."""
    try:
        summary = write_report(folder)
    except KeyboardInterrupt:
        log.say(f"The run is complete; its report is not. {_how_to_report(folder)}")
        raise
    _speak(summary, folder, json_wanted=options.json)
    return 0 if summary.valid else INVALID


def finish_interrupted(folder: Path, options: RunOptions, log: RunLog, stopping: Stopping) -> int:
    """Report what was measured, and say how to go on."""
    try:
        with stopping.at_once():
            measured = _report_of_what_there_is(folder, log)
            if measured is not None:
                _speak(measured, folder, json_wanted=options.json)
    except KeyboardInterrupt:
        log.say(f"The report is not finished. {_how_to_report(folder)}")
    log.say(_how_to_go_on(folder))
    return INTERRUPTED


def _how_to_report(folder: Path) -> str:
    return f"To make it: bench report {shlex.quote(str(folder))}"


def keep_what_there_is(folder: Path, log: RunLog) -> None:
    """After an error: report what was measured until then, and say how to go on."""
    if not has_manifest(folder):
        return  # nothing was measured, and the error says all
    if _report_of_what_there_is(folder, log) is not None:
        log.say(f"What was measured until then: {folder / 'report.html'}")
    log.say(_how_to_go_on(folder))


def _how_to_go_on(folder: Path) -> str:
    if not has_manifest(folder):
        return "Stopped before anything was measured: there is nothing to go on with."
    again = "".join(f" --set {key}=…" for key in hidden_keys(read_manifest(folder)))
    return f"Go on with: bench run --resume {shlex.quote(str(folder))}{again}"


def _report_of_what_there_is(folder: Path, log: RunLog) -> Summary | None:
    """The report of an unfinished run; None, said with the reason, when there can be none."""
    if not has_manifest(folder):
        return None
    try:
        return write_report(folder)
    except BenchError as error:
        log.say(f"There is no report of what was measured: {error.message}")
        return None


def _speak(summary: Summary, folder: Path, *, json_wanted: bool) -> None:
    if json_wanted:
        print(json.dumps(summary.to_json(), ensure_ascii=False, allow_nan=False))
    else:
        print_summary(summary, folder)
