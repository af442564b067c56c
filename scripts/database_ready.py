"""Can a run have its database here? Used by `make` to know whether a server must be installed.

    python -m scripts.database_ready [SPEC] [--set KEY=VALUE …]

Ends with 0 when it can, 3 (and why not, on stderr) when not. A spec that cannot be read is left to
`bench`, which explains it.
"""

from __future__ import annotations

import argparse
import sys

from loadtests.environment.container_server import why_not_docker
from loadtests.environment.local_server import Program, find_program
from loadtests.errors import SpecError
from loadtests.spec import load_spec
from scripts.console import say

NOT_READY = 3


def main() -> int:
    """Look at what the command line names; returns the exit code."""
    parser = argparse.ArgumentParser(prog="database_ready")
    parser.add_argument("spec", nargs="?", default="quick")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    typed, _ = parser.parse_known_args()  # what else stands in ARGS is for bench
    try:
        database = load_spec(typed.spec, overrides=typed.overrides).run.database
    except SpecError:
        return 0
    reasons = why_no_database(database)
    for reason in reasons:
        say(f"No database yet: {reason}.")
    return NOT_READY if reasons else 0


def why_no_database(database: str) -> list[str]:
    """Why `run.database` cannot be had on this machine; empty when it can.

    The quick look at installed servers first; a Docker image is pulled if that is what it takes.
    """
    if database not in ("auto", "docker", "local"):
        return []
    reasons = []
    if database != "docker":
        program = find_program()
        if isinstance(program, Program):
            return []
        reasons.append(program)
    if database != "local":
        problem = why_not_docker(say)
        if problem is None:
            return []
        reasons.append(problem)
    return reasons


if __name__ == "__main__":
    sys.exit(main())
