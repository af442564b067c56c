"""The `bench` command: reads the words typed, calls the command, prints errors once."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from loadtests.errors import BenchError
from loadtests.journal import storage_error

INTERRUPTED = 130
MAX_SLOWDOWN_PCT = 10.0
"""That `bench gate` allows where nothing is typed: what a run of some ten minutes can exclude (see
docs/method.md)."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

app = typer.Typer(
    name="bench",
    help="Should your FastAPI + SQLAlchemy + MySQL service be sync or async? Measures, then says.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

SpecArgument = Annotated[
    str, typer.Argument(metavar="[SPEC]", help="A TOML file or a built-in profile.")
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one key, e.g. run.block_s=0.5."),
]
SeedOption = Annotated[int | None, typer.Option(help="Seed of arrivals, keys and orders.")]
NewSpecArgument = Annotated[
    str | None,
    typer.Argument(metavar="[SPEC]", help="A TOML file or a built-in profile (quick)."),
]
OutOption = Annotated[Path | None, typer.Option(help="Folder for the results.")]
ResumeOption = Annotated[Path | None, typer.Option(help="Go on with an interrupted run.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")]


@app.command()
def run(
    spec: NewSpecArgument = None,
    out: OutOption = None,
    seed: SeedOption = None,
    resume: ResumeOption = None,
    dry_run: DryRunOption = False,
    json: Annotated[bool, typer.Option("--json", help="Print summary.json on stdout.")] = False,
    overrides: SetOption = None,
) -> None:
    """Plan, measure, judge, report."""
    from scripts.resuming import RunOptions
    from scripts.run import run_command

    options = RunOptions(spec, out, seed, resume, dry_run, json, tuple(overrides or ()))
    _leave(lambda: run_command(options))


@app.command()
def tune(
    spec: NewSpecArgument = None,
    out: OutOption = None,
    seed: SeedOption = None,
    resume: ResumeOption = None,
    hosts: Annotated[
        int | None, typer.Option(min=1, help="Hosts that will run the service (1).")
    ] = None,
    dry_run: DryRunOption = False,
    json: Annotated[bool, typer.Option("--json", help="Print tune.json on stdout.")] = False,
    overrides: SetOption = None,
) -> None:
    """Find and confirm the best pool, thread and worker setting of an arm."""
    from scripts.resuming import RunOptions
    from scripts.tune import tune_command

    options = RunOptions(
        spec, out, seed, resume, dry_run, json, tuple(overrides or ()), command="tune", hosts=hosts
    )
    _leave(lambda: tune_command(options))


@app.command()
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print summary.json on stdout.")] = False,
) -> None:
    """Rebuild every report file from the stored samples; same samples, same numbers."""
    from scripts.report import report_command

    _leave(lambda: report_command(run, json=json))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN RUN …", help="Folders of runs.")],
    out: OutOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print compare.json on stdout.")] = False,
) -> None:
    """Stored runs side by side, with what differs between their set-ups."""
    from scripts.compare import compare_command

    _leave(lambda: compare_command(runs, out, json=json))


@app.command()
def gate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    max_slowdown_pct: Annotated[
        float, typer.Option(help="Slowdown that is allowed, in percent.")
    ] = MAX_SLOWDOWN_PCT,
    json: Annotated[bool, typer.Option("--json", help="Print the decision as JSON.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print a comment for a pull request.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Write the comment to this file too.")] = None,
) -> None:
    """Pass or fail for CI: every later arm of a run against its first."""
    from scripts.gate import GateOptions, gate_command

    _leave(lambda: gate_command(GateOptions(run, max_slowdown_pct, json, markdown, out)))


@app.command()
def doctor(spec: SpecArgument = "quick", overrides: SetOption = None) -> None:
    """Is this machine and set-up fit to measure, and what to do about it."""
    from scripts.doctor import doctor_command

    _leave(lambda: doctor_command(spec, tuple(overrides or ())))


@app.command()
def selftest(
    out: OutOption = None,
) -> None:
    """Known-answer tests of the instrument itself, on this machine."""
    from scripts.selftest import selftest_command

    _leave(lambda: selftest_command(out))


@app.command()
def up(
    spec: SpecArgument = "quick",
    json: Annotated[bool, typer.Option("--json", help="One JSON line instead.")] = False,
    overrides: SetOption = None,
) -> None:
    """Keep the database and one instance of every arm up until Ctrl-C."""
    from scripts.up import up_command

    _leave(lambda: up_command(spec, tuple(overrides or ()), json=json))


def _leave(command: Callable[[], int]) -> NoReturn:
    """Leave with a command's exit code. Typer would end a Ctrl-C without a word."""
    try:
        code = command()
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        code = INTERRUPTED
    raise typer.Exit(code)


def main() -> None:
    """Entry point: exit codes as in docs/commands.md, tracebacks only in a file."""
    try:
        app()
    except BenchError as error:
        _fail(error)
    except Exception as error:  # noqa: BLE001 - the one edge: a bug of ours, kept in a file
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            _fail(storage_error(Path(error.filename or "The disk"), error))
        print(
            f"bench: this is a bug of ours ({type(error).__name__}: {error}).\n"
            f"  → {write_traceback()}; please report it.",
            file=sys.stderr,
        )
        sys.exit(1)


def _fail(error: BenchError) -> NoReturn:
    print(f"bench: {error.message}", file=sys.stderr)
    if error.hint:
        print(f"  → {error.hint}", file=sys.stderr)
    sys.exit(error.exit_code)


def write_traceback() -> str:
    """Append the traceback in hand to the run's log, else to a temporary file; says where."""
    text, folder = traceback.format_exc(), os.environ.get("BENCH_RUN_FOLDER")
    if folder:
        with suppress(OSError), (Path(folder) / "log.txt").open("a", encoding="utf-8") as log:
            log.write(text)
            return f"The traceback is in {log.name}"
    with (
        suppress(OSError),
        tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="bench-", suffix=".txt", delete=False
        ) as file,
    ):
        file.write(text)
        return f"The traceback is in {file.name}"
    frame = traceback.extract_tb(sys.exc_info()[2])[-1]
    return f"It could be written nowhere; it ends in {frame.filename}:{frame.lineno}"
