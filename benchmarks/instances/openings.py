"""Do instances differ by the order in which they opened their connections, or by how warm they are?

    python -m benchmarks.instances.openings --out TURNS.jsonl
    python -m benchmarks.instances.openings --out TURNS.jsonl --judge    # what is stored

Several times ("openings") every instance of a twin loses its database connections and opens new
ones, one instance after the other in a random order. After each, all are loaded in turn, cycle
after cycle, every one twice in a row: first cold, since others ran since its last turn, then warm.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from benchmarks.instances.measure import Condition, Instance, pin_database, reconnect, started
from benchmarks.instances.openings_judged import rows
from benchmarks.served import GENERATOR_CORE
from loadtests.environment.launch import uvicorn_target
from tests.support.twins import Database, private_server

AS_IN_PRODUCTION = Condition("as in production")


@dataclass(frozen=True, slots=True)
class Turn:
    """One instance loaded for a moment; `rank`: as which it opened its connections."""

    opening: int
    cycle: int
    number: int
    rank: int
    warm: bool
    answers: int
    wall_s: float


def measured(
    instances: Sequence[Instance], database: Database, openings: int, cycles: int, turn_s: float,
    seed: int,
) -> Iterator[Turn]:  # fmt: skip
    """Opening after opening, cycle after cycle, every instance cold and then warm."""
    order = random.Random(seed)
    for opening in range(openings):
        anew = order.sample(instances, len(instances))
        for instance in anew:
            reconnect([instance], database)
        ranks = {instance.number: rank for rank, instance in enumerate(anew)}
        for cycle in range(cycles):
            for instance in order.sample(instances, len(instances)):
                for warm in (False, True):
                    rank = ranks[instance.number]
                    load = instance.users.load(turn_s)
                    yield Turn(opening, cycle, instance.number, rank, warm, *load)
        print(f"opening {opening + 1} of {openings}", file=sys.stderr)


def main() -> None:
    """Measure and store every turn as one JSON object a line, then say what they tell."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--twin", default="async")
    parser.add_argument("--instances", type=int, default=10)
    parser.add_argument("--openings", type=int, default=4)
    parser.add_argument("--cycles", type=int, default=8, help="after each opening")
    parser.add_argument("--turn-s", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--judge", action="store_true", help="only judge what is stored")
    chosen = parser.parse_args()
    if not chosen.judge:
        turns = measure(chosen)
        lines = "".join(json.dumps(asdict(turn)) + "\n" for turn in turns)
        chosen.out.write_text(lines, encoding="utf-8")
    print("\n".join(rows(pd.read_json(chosen.out, lines=True))))


def measure(chosen: argparse.Namespace) -> list[Turn]:
    """Database and instances up, all turns, all down again."""
    os.sched_setaffinity(0, {GENERATOR_CORE})
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        database = stack.enter_context(private_server(Path(folder)))
        os.sched_setaffinity(0, {GENERATOR_CORE})
        pin_database(database)
        database.make_schema("instances")
        target, url = uvicorn_target(chosen.twin), database.url("instances")
        instances = [
            stack.enter_context(
                started(AS_IN_PRODUCTION, number, target, url, chosen.seed + number)
            )
            for number in range(chosen.instances)
        ]
        numbers = (chosen.openings, chosen.cycles, chosen.turn_s, chosen.seed)
        return list(measured(instances, database, *numbers))


if __name__ == "__main__":
    main()
