"""`bench run`: plan, measure, judge, report."""

from __future__ import annotations

import datetime
import json
import os
from dataclasses import replace
from pathlib import Path

from loadtests.environment.launch import with_resolved_headers
from loadtests.errors import BenchError, UsageError
from loadtests.manifest import read_manifest
from loadtests.resume import (
    NOTHING_YET,
    Progressed,
    check_same_kind,
    check_same_spec,
    progress_of,
)
from loadtests.run_state import Interruption
from loadtests.schedule import Sizes
from loadtests.spec import Spec, load_spec
from loadtests.store import RunStore, new_run_folder
from reports.terminal import print_summary
from scripts.ending import Ending
from scripts.measuring import Assignment, measure
from scripts.plan_json import plan_json
from scripts.plan_text import plan_text
from scripts.report import write_quickly
from scripts.resuming import RunOptions, options_of_resumed_run
from scripts.run_log import RunLog
from scripts.session import places_of, sizes_here
from scripts.stopping import Stopping

ENDING = Ending("run", "report.html", write_quickly, print_summary)


def run_command(options: RunOptions) -> int:
    """Run a spec and report it; returns the exit code."""
    options = options_of_resumed_run(options) if options.resume else options
    spec = _spec(options)
    with_resolved_headers(spec.scenario)  # tells a variable that is not set before anything starts
    sizes = sizes_here(spec, only_planning=options.dry_run)
    before = _progress(options, spec)
    sizes = replace(sizes, rounds=max(0, sizes.rounds - before.finished_rounds))
    if options.dry_run:
        _show_plan(spec, sizes, options)
        return 0
    if sizes.rounds == 0:
        raise UsageError(
            f"{options.resume} is finished; nothing is left to do.",
            hint=f"Its report: {options.resume}/report.html. To measure anew, leave out --resume.",
        )
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
    manifest = read_manifest(options.resume)
    check_same_kind(manifest, "run", options.resume)
    check_same_spec(manifest, spec, options.resume)
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
                placement, generators = places_of(spec, options.resume)
            assignment = Assignment(
                run, spec, sizes, placement, generators, options.overrides, before
            )
            status = measure(assignment, store, log, stopping)
        except KeyboardInterrupt:
            status = "interrupted"
        except BenchError as error:
            log.keep(str(error))
            if not isinstance(error, UsageError):  # those come before anything is measured
                ENDING.keep_what_there_is(folder, log)
            raise
        finally:
            store.close()
        if status == "interrupted":
            return ENDING.finish_interrupted(folder, options, log, stopping)
    return ENDING.finish(folder, options, log)
