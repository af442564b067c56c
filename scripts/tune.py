"""`bench tune`: plan, search, confirm, judge, report."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from loadtests.environment.launch import with_resolved_headers
from loadtests.environment.placement import Placement
from loadtests.errors import BenchError, UsageError
from loadtests.journal import read_journal
from loadtests.manifest import read_manifest
from loadtests.resume import check_same_kind, check_same_spec, progress_of
from loadtests.run_state import Interruption, Run
from loadtests.spec import Spec, load_spec
from loadtests.store import RunStore, new_run_folder
from loadtests.tuning.checks import check_can_be_tuned
from loadtests.tuning.execute import execute
from loadtests.tuning.ground import Tuning
from loadtests.tuning.past import Past, past_of
from loadtests.tuning.world import World
from reports.tuning.choose import choose
from reports.tuning.terminal import print_tune
from reports.tuning.write import write_tune_report
from scripts.ending import Ending
from scripts.measuring import Assignment, brought_up
from scripts.resuming import RunOptions, options_of_resumed_run
from scripts.run_log import RunLog
from scripts.session import places_of
from scripts.stopping import Stopping
from scripts.tuning_plan import TunePlan, plan_here, plan_json, plan_text, sizes_of
from scripts.tuning_progress import TuneProgress

ENDING = Ending("tune", "tune.html", write_tune_report, print_tune)


def tune_command(options: RunOptions) -> int:
    """Tune a spec's arms and report it; returns the exit code."""
    options = _resumed(options) if options.resume else options
    spec = _spec(options)
    check_can_be_tuned(spec)
    with_resolved_headers(spec.scenario)  # tells a variable that is not set before anything starts
    plan = plan_here(spec, options.hosts or 1, only_planning=options.dry_run)
    if options.dry_run:
        _show_plan(plan, options)
        return 0
    folder, run, past = _folder(options, spec)
    return _tune(plan, folder, run, past, options)


def _resumed(options: RunOptions) -> RunOptions:
    assert options.resume is not None
    again = options_of_resumed_run(options)
    manifest = read_manifest(options.resume)
    check_same_kind(manifest, "tune", options.resume)
    return replace(again, hosts=int(manifest["tune"]["hosts"]))


def _spec(options: RunOptions) -> Spec:
    """The spec; a resumed one keeps the name it was started under, wherever its file is."""
    spec = load_spec(options.spec or "quick", overrides=options.overrides, seed=options.seed)
    if options.resume is None:
        return spec
    manifest = read_manifest(options.resume)
    spec = spec.model_copy(update={"source": manifest["spec"]["source"]})
    check_same_spec(manifest, spec, options.resume)
    return spec


def _show_plan(plan: TunePlan, options: RunOptions) -> None:
    """The plan is the answer of a dry run."""
    if options.json:
        print(json.dumps(plan_json(plan), ensure_ascii=False, allow_nan=False))
    else:
        print(plan_text(plan))


def _folder(options: RunOptions, spec: Spec) -> tuple[Path, str, Past]:
    """Where the run is kept, its name, and what it has done so far."""
    if options.resume is not None:
        events = list(read_journal(options.resume / "journal.jsonl"))
        if events and events[-1].get("status") == "complete":
            raise UsageError(
                f"{options.resume} is finished; nothing is left to do.",
                hint=f"Its report: {options.resume}/tune.html. To tune anew, leave out --resume.",
            )
        return options.resume, str(read_manifest(options.resume)["run"]), past_of(events)
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    run = f"{stamp}-tune-{Path(spec.source).stem}"
    return new_run_folder(options.out, run), run, Past()


def _tune(plan: TunePlan, folder: Path, run: str, past: Past, options: RunOptions) -> int:
    """Measure and report, also when it is cut short; returns the exit code."""
    store = RunStore(folder)
    os.environ["BENCH_RUN_FOLDER"] = str(folder)
    log = RunLog(folder)
    log.say(plan_text(plan))
    before = len(past.measured)
    with Stopping(Interruption()) as stopping:
        try:
            with stopping.at_once():
                places = places_of(plan.spec, options.resume)
            worlds = Worlds(plan, run, places, options.overrides, store, log, stopping)
            status = execute(worlds.tuning(past))
        except KeyboardInterrupt:
            status = "interrupted"
        except BenchError as error:
            log.keep(str(error))
            if not isinstance(error, UsageError) or len(past.measured) > before:
                ENDING.keep_what_there_is(folder, log)
            raise
        finally:
            store.close()
        if status == "interrupted":
            return ENDING.finish_interrupted(folder, options, log, stopping)
    return ENDING.finish(folder, options, log)


class Worlds:
    """Brings up one world after the other in the folder of one tune run."""

    def __init__(
        self, plan: TunePlan, run: str, places: tuple[Placement, int], overrides: tuple[str, ...],
        store: RunStore, log: RunLog, stopping: Stopping,
    ) -> None:  # fmt: skip
        self._plan, self._run = plan, run
        self._placement, self._generators = places
        self._overrides, self._store, self._log, self._stopping = overrides, store, log, stopping

    def tuning(self, past: Past) -> Tuning:
        """Everything that the run touches."""
        plan = self._plan
        return Tuning(
            spec=plan.spec,
            spaces=plan.spaces,
            bounds=plan.bounds,
            limits=plan.limits,
            store=self._store,
            open_world=self._up,
            choose=choose,
            teller=self._log,
            past=past,
        )

    @contextmanager
    def _up(self, world: World) -> Iterator[Run]:
        assignment = Assignment(
            run=self._run,
            spec=world.spec,
            sizes=sizes_of(world),
            placement=self._placement,
            generators=self._generators,
            overrides=self._overrides,
            before=progress_of(self._store.folder),
            tables=world.tables,
            told=self._plan.spec,
            tune={"hosts": self._plan.hosts},
        )
        progress = TuneProgress()
        with brought_up(assignment, self._store, self._log, self._stopping, progress) as run:
            yield run
