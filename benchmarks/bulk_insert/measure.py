"""Compares `insert().values(list)` with `execute(insert(), list)`: both drivers, 1 to 1000 rows."""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean, median

from benchmarks.blocks import Ratio, interval
from benchmarks.bulk_insert.inserts import REPEATS, Block, blocks
from benchmarks.served import APP_CORE, pin
from loadtests.environment.database import open_database
from loadtests.environment.machine import usable_cores
from loadtests.environment.placement import choose_placement
from loadtests.environment.topology import cores_of
from loadtests.spec import RunSpec

DRIVERS = ("pymysql", "aiomysql")
WORKER_LIMIT_S = 600


def measured(database: str, processes: int, rounds: int, seed: int) -> list[Block]:
    """The blocks of several processes on one database, as `[run] database` of a spec names it.

    Two processes of identical code differ for as long as they live, so each is one observation.
    """
    found = []
    with (
        tempfile.TemporaryDirectory(prefix="bench-bulk-") as folder,
        open_database(
            RunSpec(database=database, durability="relaxed"),
            connections_needed=20,
            placement=choose_placement(cores_of(usable_cores())),
            log_folder=Path(folder),
        ) as server,
    ):
        schema = server.create_arm_schema(f"bulk{os.getpid()}", "insert")
        for process in range(processes):
            found += _of_one_process(server.url_for(schema), process, rounds, seed)
            print(f"process {process + 1} of {processes}", file=sys.stderr)
    return found


def _of_one_process(database_url: str, process: int, rounds: int, seed: int) -> list[Block]:
    command = [
        *pin(APP_CORE), sys.executable, "-m", "benchmarks.bulk_insert.measure", "--worker",
        str(process), "--rounds", str(rounds), "--seed", str(seed),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        env={**os.environ, "TWIN_DATABASE_URL": database_url},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=WORKER_LIMIT_S,
    )
    return parsed(done.stdout)


def parsed(lines: str) -> list[Block]:
    """Blocks from one JSON object a line."""
    return [Block(**json.loads(line)) for line in lines.splitlines()]


def ratio(found: Sequence[Block], driver: str, rows: int, what: str) -> Ratio:
    """`values` over `execute`, block against neighbour, with an interval over processes."""
    mine = [block for block in found if (block.driver, block.rows) == (driver, rows)]
    costs = {(block.process, block.round, block.form): getattr(block, what) for block in mine}
    logs: dict[int, list[float]] = {}
    for (process, round_, form), value in costs.items():
        if form == "values":
            base = costs[process, round_, "execute"]
            logs.setdefault(process, []).append(math.log(value / base))
    return interval([fmean(each) for each in logs.values()])


def table(found: Sequence[Block]) -> str:
    """Markdown: one row per driver and number of rows; medians, and ratios with 95% intervals."""
    lines = [
        "| driver | rows | wall ms: execute | values | CPU ms: execute | values | wall ratio "
        "| CPU ratio |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for driver in DRIVERS:
        for rows in REPEATS:
            costs = [
                median(
                    getattr(block, what)
                    for block in found
                    if (block.driver, block.rows, block.form) == (driver, rows, form)
                )
                for what in ("wall_ms", "cpu_ms")
                for form in ("execute", "values")
            ]
            ratios = [str(ratio(found, driver, rows, what)) for what in ("wall_ms", "cpu_ms")]
            cells = [driver, str(rows), *(f"{cost:.2f}" for cost in costs), *ratios]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, or with --table show again what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--database", choices=("auto", "local", "docker"), default="auto",
        help="where BENCH_DATABASE_URL names none",
    )  # fmt: skip
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("blocks.jsonl"))
    parser.add_argument("--table", action="store_true", help="only print the table of --out")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker is not None:
        for block in blocks(chosen.worker, chosen.rounds, chosen.seed):
            print(json.dumps(asdict(block)))
        return
    if not chosen.table:
        database = os.environ.get("BENCH_DATABASE_URL", chosen.database)
        found = measured(database, chosen.processes, chosen.rounds, chosen.seed)
        chosen.out.write_text(
            "".join(json.dumps(asdict(block)) + "\n" for block in found), encoding="utf-8"
        )
    print(table(parsed(chosen.out.read_text(encoding="utf-8"))))


if __name__ == "__main__":
    main()
