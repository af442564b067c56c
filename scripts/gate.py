"""`bench gate`: pass or fail for CI, every later arm of a run against its first."""

from __future__ import annotations

import json as json_module
import math
from dataclasses import dataclass, replace
from pathlib import Path

from loadtests.errors import UsageError
from loadtests.manifest import made_by
from loadtests.store import write_atomically
from reports.run_folder import load_run
from reports.slowdown.decide import decide
from reports.slowdown.markdown import render_comment
from reports.slowdown.model import Decision
from reports.slowdown.planned import commits_of, planned_by, urls_of
from reports.slowdown.terminal import print_decision
from reports.summarise import summarise
from scripts.more_data import advised

EXIT_CODES = {"passed": 0, "failed": 5, "not enough data": 4, "invalid": 4}


@dataclass(frozen=True)
class GateOptions:
    """What was typed. `out`: the file that the comment is written to as well."""

    folder: Path
    max_slowdown_pct: float
    json: bool = False
    markdown: bool = False
    out: Path | None = None


def gate_command(options: GateOptions) -> int:
    """Decide, say it, and return the exit code."""
    _check(options)
    run = load_run(options.folder)
    planned = planned_by(run)
    summary = summarise(run)
    decided = decide(summary, planned, options.max_slowdown_pct, urls_of(run))
    decision = replace(decided, commits=commits_of(run))
    decision = advised(decision, run, summary, planned)
    comment = render_comment(decision, run.manifest, options.folder)
    if options.out is not None:
        write_atomically(options.out, comment.encode())
    _say(decision, comment, options)
    return EXIT_CODES[decision.outcome]


def _say(decision: Decision, comment: str, options: GateOptions) -> None:
    if options.json:
        told = {**decision.to_json(), "exit_code": EXIT_CODES[decision.outcome]}
        print(json_module.dumps(told, ensure_ascii=False, allow_nan=False))
    elif options.markdown:
        print(comment, end="")
    else:
        print_decision(decision, options.folder)


def _check(options: GateOptions) -> None:
    """Raise UsageError for what cannot be judged."""
    limit = options.max_slowdown_pct
    if not (math.isfinite(limit) and 0 <= limit < 100):
        raise UsageError(
            f"--max-slowdown-pct is {limit:g}; a slowdown is at least 0 and below 100 percent.",
            hint="For example: bench gate RUN --max-slowdown-pct 10",
        )
    if options.json and options.markdown:
        raise UsageError(
            "--json and --markdown both want stdout.",
            hint="bench gate RUN --json --out comment.md makes both.",
        )
    if (command := made_by(options.folder)) != "run":
        raise UsageError(
            f"{options.folder} was made by bench {command}: nothing in it was measured arm against "
            "arm.",
            hint="bench gate takes a folder that bench run has made.",
        )
