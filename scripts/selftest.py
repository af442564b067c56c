"""`bench selftest`: does the instrument tell the truth on this machine."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loadtests.environment.machine import (
    git_commit,
    host_facts,
    package_versions,
)
from loadtests.environment.processes import on_cores
from loadtests.selftest.cases import CASES
from loadtests.selftest.measure import measure_cases, open_bench
from loadtests.selftest.record import Case
from loadtests.store import new_run_folder
from reports.selftest.judge import judge
from reports.selftest.model import Selftest
from reports.selftest.terminal import print_selftest
from reports.selftest.write import write_selftest
from scripts.console import minutes, say
from scripts.results_index import relist
from scripts.session import cores_shared_out

OFF = 4


def selftest_command(out: Path | None, cases: Sequence[Case] = CASES) -> int:
    """Measure what is known, compare, write and print it; returns the exit code."""
    stamp = datetime.datetime.now(datetime.UTC)
    folder = new_run_folder(out, f"selftest-{stamp:%Y%m%d-%H%M%S}")
    say(f"{len(cases)} cases, about {minutes(sum(case.length_s for case in cases))} in all.")
    selftest = run_selftest(folder, stamp, cases)
    write_selftest(folder, selftest)
    relist(folder, say)
    print_selftest(selftest, folder)
    return 0 if selftest.ok else OFF


def run_selftest(
    folder: Path, created: datetime.datetime, cases: Sequence[Case] = CASES
) -> Selftest:
    """Servers and generator up, every case once, all down again, judged."""
    placement = cores_shared_out(look=True)
    say(f"Cores: {placement.why} (known-answer servers stand where arms would be)")
    started_s = time.monotonic()
    with (
        open_bench(cases, placement, folder / "logs") as bench,
        on_cores(placement.generator),
    ):
        measured = measure_cases(bench, cases, say)
    return judge(
        measured,
        created_utc=created.isoformat(timespec="seconds"),
        facts=_facts(placement.to_json()),
        real_time=bench.real_time,
        took_s=time.monotonic() - started_s,
    )


def _facts(placement: dict[str, Any]) -> dict[str, Any]:
    return {
        "host": host_facts(),
        "versions": package_versions(),
        "placement": placement,
        "commit": git_commit(Path(__file__).parent),
    }
