"""`bench run`: plan, measure, judge, report."""

from __future__ import annotations

import datetime
import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType

from loadtests.environment.live_bed import LiveBed
from loadtests.errors import StorageError, UsageError
from loadtests.generator_client import LocustGenerator
from loadtests.manifest import build_manifest, read_manifest
from loadtests.resume import (
    NOTHING_YET,
    Progressed,
    check_same_spec,
    check_same_world,
    progress_of,
)
from loadtests.run import Interruption, Run, execute
from loadtests.schedule import Sizes
from loadtests.spec import Spec, load_spec
from loadtests.store import RunStore, new_run_folder
from reports.model import Summary
from reports.run_folder import load_run
from reports.summarise import interim
from reports.terminal import print_summary
from reports.write import write_report
from scripts.console import Progress, say
from scripts.plan_text import plan_text
from scripts.session import open_session, sizes_here

INTERRUPTED = 130
INVALID = 4


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was typed behind `bench run`."""

    spec: str
    out: Path | None
    seed: int | None
    resume: Path | None
    dry_run: bool
    json: bool
    overrides: tuple[str, ...]


def run_command(options: RunOptions) -> int:
    """Run a spec and report it; returns the exit code."""
    options = _options_of_resumed_run(options) if options.resume else options
    spec = load_spec(options.spec, overrides=options.overrides, seed=options.seed)
    sizes = sizes_here(spec)
    before = _progress(options, spec)
    sizes = replace(sizes, rounds=max(0, sizes.rounds - before.finished_rounds))
    print(plan_text(spec, sizes), file=sys.stdout if options.dry_run else sys.stderr)
    if options.dry_run:
        return 0
    if sizes.rounds == 0:
        raise UsageError(f"{options.resume} is finished; nothing is left to do.")
    folder, run = _folder(options, spec)
    status = measure(spec, sizes, folder, run, options, before)
    return finish(folder, status, options)


def _options_of_resumed_run(options: RunOptions) -> RunOptions:
    """A resumed run takes spec, seed and overrides from its manifest."""
    assert options.resume is not None
    manifest = read_manifest(options.resume)
    return replace(
        options,
        spec=manifest["spec"]["source"],
        seed=manifest["seed"],
        overrides=tuple(manifest["overrides"]),
        out=options.resume,
    )


def _progress(options: RunOptions, spec: Spec) -> Progressed:
    if options.resume is None:
        return NOTHING_YET
    check_same_spec(read_manifest(options.resume), spec, options.resume)
    return progress_of(options.resume)


def _folder(options: RunOptions, spec: Spec) -> tuple[Path, str]:
    if options.resume is not None:
        return options.resume, str(read_manifest(options.resume)["run"])
    stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
    run = f"{stamp}-{Path(spec.source).stem}"
    return new_run_folder(options.out, run), run


def measure(
    spec: Spec, sizes: Sizes, folder: Path, run: str, options: RunOptions, before: Progressed
) -> str:
    """Bring everything up, measure, take everything down; returns the run's status."""
    store = RunStore(folder)
    os.environ["BENCH_RUN_FOLDER"] = str(folder)
    interruption = Interruption()
    with (
        _first_ctrl_c_asks(interruption),
        open_session(
            spec, sizes, run=run, log_folder=folder / "logs", first_instance=before.origin.instance
        ) as session,
        LocustGenerator.start(
            targets=[instance.target for instance in session.instances],
            scenarios=spec.scenario,
            folder=spec.folder,
            cores=session.placement.generator,
            log_path=folder / "logs" / "generator.log",
        ) as generator,
        Progress(
            round_s=sizes.round_s, rounds=sizes.rounds, first_round=before.origin.round
        ) as progress,
    ):
        if options.resume is not None:
            check_same_world(read_manifest(folder), session.facts(), folder)
        else:
            store.write_manifest(
                build_manifest(
                    run=run,
                    command=shlex.join(["bench", *sys.argv[1:]]),
                    created_utc=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                    spec=spec,
                    overrides=options.overrides,
                    sizes=sizes,
                    facts=session.facts() | {"generator": {"real_time": generator.real_time}},
                    arms=session.arms(),
                )
            )
        try:
            return execute(
                Run(
                    spec=spec,
                    sizes=sizes,
                    store=store,
                    bed=LiveBed(spec, session.database, session.instances),
                    generator=generator,
                    watcher=progress,
                    assess=lambda: interim(load_run(folder)),
                    interruption=interruption,
                    origin=before.origin,
                    frozen=before.frozen,
                )
            )
        finally:
            store.close()


@contextmanager
def _first_ctrl_c_asks(interruption: Interruption) -> Iterator[None]:
    """First Ctrl-C: finish the trial, report, stop. Second: stop at once. TERM is a first one."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        if interruption.requested:
            raise KeyboardInterrupt
        interruption.requested = True
        say("\nStopping after this trial; what was measured is kept. Ctrl-C again stops at once.")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def finish(folder: Path, status: str, options: RunOptions) -> int:
    """Write the report, say the answer, and choose the exit code."""
    summary = _report_of_what_there_is(folder, status)
    if summary is not None:
        _speak(summary, folder, json_wanted=options.json)
    if status == "interrupted":
        say(f"Interrupted. Go on with: bench run --resume {folder}")
        return INTERRUPTED
    assert summary is not None
    return 0 if summary.valid else INVALID


def _report_of_what_there_is(folder: Path, status: str) -> Summary | None:
    """The report; None when an interrupted run has nothing to report yet."""
    if status == "complete":
        return write_report(folder)
    with suppress(StorageError):
        return write_report(folder)
    say("Nothing was measured yet, so there is no report.")
    return None


def _speak(summary: Summary, folder: Path, *, json_wanted: bool) -> None:
    if json_wanted:
        print(json.dumps(summary.to_json(), ensure_ascii=False, allow_nan=False))
    else:
        print_summary(summary, folder)
