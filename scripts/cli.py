"""The `bench` command: reads the words typed, calls the command, prints errors once."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Annotated

import typer

from loadtests.errors import BenchError

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


@app.command()
def run(
    spec: SpecArgument = "quick",
    out: Annotated[Path | None, typer.Option(help="Folder for the results.")] = None,
    seed: SeedOption = None,
    resume: Annotated[Path | None, typer.Option(help="Go on with an interrupted run.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print summary.json on stdout.")] = False,
    overrides: SetOption = None,
) -> None:
    """Plan, measure, judge, report."""
    from scripts.run import RunOptions, run_command

    options = RunOptions(spec, out, seed, resume, dry_run, json, tuple(overrides or ()))
    raise typer.Exit(run_command(options))


@app.command()
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print summary.json on stdout.")] = False,
) -> None:
    """Rebuild every report file from the stored samples; same samples, same numbers."""
    from scripts.report import report_command

    raise typer.Exit(report_command(run, json=json))


@app.command()
def doctor(spec: SpecArgument = "quick", overrides: SetOption = None) -> None:
    """Is this machine and set-up fit to measure, and what to do about it."""
    from scripts.doctor import doctor_command

    raise typer.Exit(doctor_command(spec, tuple(overrides or ())))


@app.command()
def up(
    spec: SpecArgument = "quick",
    json: Annotated[bool, typer.Option("--json", help="One JSON line instead.")] = False,
    overrides: SetOption = None,
) -> None:
    """Keep the database and one instance of every arm up until Ctrl-C."""
    from scripts.up import up_command

    raise typer.Exit(up_command(spec, tuple(overrides or ()), json=json))


def main() -> None:
    """Entry point: exit codes as in docs/exit-codes.md, tracebacks only in a file."""
    try:
        app()
    except BenchError as error:
        print(f"bench: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  → {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the one edge: a bug of ours, kept in a file
        log = write_traceback()
        print(
            f"bench: this is a bug of ours ({type(error).__name__}: {error}).\n"
            f"  → The traceback is in {log}; please report it.",
            file=sys.stderr,
        )
        sys.exit(1)


def write_traceback() -> Path:
    """Append the traceback in hand to the run's log (or a temporary file); returns its path."""
    folder = os.environ.get("BENCH_RUN_FOLDER")
    path = (
        Path(folder) / "log.txt"
        if folder
        else Path(tempfile.mkstemp(prefix="bench-", suffix=".txt")[1])
    )
    with path.open("a", encoding="utf-8") as log:
        log.write(traceback.format_exc())
    return path
