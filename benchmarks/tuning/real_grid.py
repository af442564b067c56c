"""Measures every setting that a tune run could choose from, beside the one that it chose.

    bench tune SPEC --set 'tune.arms=["sync"]' … --out SEARCH
    python -m benchmarks.tuning.real_grid --run SEARCH --out GRID                # what it saw
    python -m benchmarks.tuning.real_grid --run SEARCH --scenario crud-mix --rtt-ms 1.5 --out OTHER
    python -m benchmarks.tuning.real_grid --run SEARCH --out GRID --judge        # only the tables

The grid's folder is like that of a tune run. Prints Markdown; progress goes to stderr.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.tuning.grid_climb import P99_BEGINS, Searched, measure_grid
from benchmarks.tuning.grid_table import Cost, Grid, costs_table, told
from loadtests.errors import BenchError, UsageError
from loadtests.journal import read_journal
from loadtests.run_state import InterruptedByUser, Interruption
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.spec import Spec
from loadtests.store import RunStore, new_run_folder
from loadtests.tuning.past import Past, past_of
from loadtests.tuning.room import shortage
from reports.tuning.judge import judge
from reports.tuning.load import load_tune
from reports.tuning.record import TuneRecord
from scripts.run_log import RunLog
from scripts.session import places_of
from scripts.stopping import Stopping
from scripts.tune import Worlds
from scripts.tuning_plan import plan_here

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a grid is to be measured under; None: as the search."""

    scenario: str | None
    rtt_ms: float | None
    instances: int
    seed: int | None
    budget_s: float


def grid_spec(spec: Spec, asked: Asked) -> Spec:
    """The search's spec under another load, distance and seed."""
    name = asked.scenario or spec.tuned_scenario.name
    scenarios = spec.scenario
    if name not in {each.name for each in scenarios}:
        if name not in BUILT_IN:
            raise UsageError(f"No scenario is called {name!r}.", hint=f"One of {sorted(BUILT_IN)}")
        scenarios = (*scenarios, BUILT_IN[name])
    rtt_ms = spec.run.database_rtt_ms if asked.rtt_ms is None else asked.rtt_ms
    seed = spec.run.seed + 1 if asked.seed is None else asked.seed
    tune = spec.tune.model_copy(update={"scenario": name, "budget_s": asked.budget_s})
    run = spec.run.model_copy(update={"database_rtt_ms": rtt_ms, "seed": seed})
    return spec.model_copy(update={"scenario": scenarios, "run": run, "tune": tune})


def is_seen(search: Spec, grid: Spec) -> bool:
    """Whether the grid is under the load and at the distance of the search."""
    same_load = search.tuned_scenario.name == grid.tuned_scenario.name
    return same_load and search.run.database_rtt_ms == grid.run.database_rtt_ms


def searched(folder: Path) -> tuple[TuneRecord, Searched]:
    """A finished search of one arm. Raises UsageError when the folder holds none."""
    record = load_tune(folder)
    chosen = past_of(_events(folder)).chosen.get(record.arms[0].arm) if record.arms else None
    if len(record.arms) != 1 or chosen is None or record.status != "complete":
        raise UsageError(
            f"{folder} holds {len(record.arms)} tuned arms; a grid stands beside the finished "
            "search of one.",
            hint="bench tune quick --set 'tune.arms=[\"sync\"]'",
        )
    [arm], [answer] = record.arms, judge(record).arms
    recommended = answer.recommended or chosen.taken
    settings = tuple(dict.fromkeys([*arm.settings, recommended]))
    return record, Searched(replace(arm, settings=settings), chosen, recommended)


def measure(search: Path, asked: Asked, folder: Path) -> None:
    """Bring all settings up, measure the grid into `folder`, take everything down."""
    record, found = searched(search)
    spec = grid_spec(record.spec, asked)
    plan = plan_here(spec, record.hosts)
    if short := shortage(found.arm.settings, asked.instances, plan.limits):
        raise UsageError(f"The whole grid cannot be up at once: {short}.", hint="--instances 2")
    store, status = RunStore(folder), "interrupted"
    os.environ["BENCH_RUN_FOLDER"] = str(folder)
    with Stopping(Interruption()) as stopping:
        try:
            places = places_of(spec, None)
            worlds = Worlds(plan, folder.name, places, (), store, RunLog(folder), stopping)
            seen = is_seen(record.spec, spec)
            measure_grid(worlds.tuning(Past()), found, asked.instances, seen=seen)
            status = "complete"
        finally:
            store.journal.write("end", status=status, reason=status)
            store.close()


def tables(search: Path, folder: Path) -> str:
    """What a measured grid says, in Markdown."""
    record, found = searched(search)
    events = _events(folder)
    ladder = past_of(itertools.takewhile(lambda each: each.get("what") != P99_BEGINS, events))
    begins = (each["rate_per_s"] for each in events if each.get("what") == P99_BEGINS)
    p99_at_per_s = next(begins, None)
    grid = Grid(load_tune(folder), found.recommended, p99_at_per_s)
    lines = [*told(grid)]
    if is_seen(record.spec, grid.record.spec):
        blocks = past_of(_events(search)).measured
        of_search = Cost.of([each for each in blocks if each.stage in ("search", "final")])
        lines += ["", *costs_table(of_search, Cost.of(ladder.measured))]
    return "\n".join(lines)


def _events(folder: Path) -> list[Event]:
    return list(read_journal(folder / "journal.jsonl"))


def main() -> int:
    """Measure unless it is only to be judged, and print the tables; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--run", type=Path, required=True, help="folder of a search of one arm")
    parser.add_argument("--out", type=Path, required=True, help="folder of the grid")
    parser.add_argument("--scenario")
    parser.add_argument("--rtt-ms", type=float)
    parser.add_argument("--instances", type=int, default=3, help="of each setting")
    parser.add_argument("--seed", type=int, help="default: the search's + 1")
    parser.add_argument("--budget-s", type=float, default=190.0, help="of measuring")
    parser.add_argument("--judge", action="store_true", help="only judge what is stored")
    typed = parser.parse_args()
    asked = Asked(typed.scenario, typed.rtt_ms, typed.instances, typed.seed, typed.budget_s)
    try:
        if not typed.judge:
            measure(typed.run, asked, new_run_folder(typed.out, typed.out.name))
        print(tables(typed.run, typed.out))
    except BenchError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except (InterruptedByUser, KeyboardInterrupt):
        print("Stopped; the grid is not complete.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
