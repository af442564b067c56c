"""How much instances of identical code differ, and what of it follows process and connections.

    python -m benchmarks.instances.measure [--twin async] [--instances 6] [--cycles 60]

Starts several instances of one twin under each condition (its own hash seed and address layout;
either or both fixed), loads every one of them for a moment in turn, in random order, cycle after
cycle. Halfway, half of the instances lose their database connections and open new ones: an effect
that stays with the others and leaves these belongs to the connections, not to the process.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil

from benchmarks.instances.client import Users
from benchmarks.served import GENERATOR_CORE, Served, served, used_s
from loadtests.environment.launch import uvicorn_target
from tests.support.twins import Database, private_server

USERS = 16
WARM_UP_S = 1.0


@dataclass(frozen=True, slots=True)
class Condition:
    """How instances are started."""

    name: str
    prefix: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


FIXED_LAYOUT = ("setarch", "-R")
FIXED_HASHES = (("PYTHONHASHSEED", "0"),)
CONDITIONS = (
    Condition("as in production"),
    Condition("hash seed fixed", environment=FIXED_HASHES),
    Condition("address layout fixed", FIXED_LAYOUT),
    Condition("both fixed", FIXED_LAYOUT, FIXED_HASHES),
)


@dataclass(frozen=True, slots=True)
class Instance:
    """A process under measurement, and those who ask it."""

    condition: str
    number: int
    process: Served
    users: Users


@dataclass(frozen=True, slots=True)
class Turn:
    """One instance loaded for a moment."""

    cycle: int
    position: int
    condition: str
    number: int
    answers: int
    wall_s: float
    app_cpu_s: float
    database_cpu_s: float


def paths(seed: int) -> Iterator[str]:
    """Reads by key, for ever."""
    chosen = random.Random(seed)
    while True:
        yield f"/items/{chosen.randint(1, 10_000)}"


@contextmanager
def started(
    condition: Condition, number: int, target: str, database_url: str, seed: int
) -> Iterator[Instance]:
    """An instance of what uvicorn finds at `target`, ready and with users."""
    pool = {"TWIN_DATABASE_URL": database_url, "TWIN_POOL_SIZE": "10"}
    with served(target, pool | dict(condition.environment), condition.prefix) as process:
        process.await_ready()
        with closing(Users(process.url, USERS, paths(seed))) as users:
            yield Instance(condition.name, number, process, users)


def measured(
    instances: Sequence[Instance], database: Database, cycles: int, turn_s: float, seed: int
) -> list[Turn]:
    """Cycle after cycle; halfway, instances of even number lose their connections."""
    order, turns = random.Random(seed), []
    for cycle in range(cycles):
        if cycle == cycles // 2:
            reconnect([each for each in instances if each.number % 2 == 0], database)
        for position, instance in enumerate(order.sample(instances, len(instances))):
            turns.append(_turn(instance, database, cycle, position, turn_s))
        print(f"cycle {cycle + 1} of {cycles}", file=sys.stderr)
    return turns


def _turn(instance: Instance, database: Database, cycle: int, position: int, turn_s: float) -> Turn:
    app_s, database_s = instance.process.cpu_s(), used_s(database.pid)
    answers, wall_s = instance.users.load(turn_s)
    return Turn(
        cycle, position, instance.condition, instance.number, answers, wall_s,
        instance.process.cpu_s() - app_s, used_s(database.pid) - database_s,
    )  # fmt: skip


def reconnect(instances: Sequence[Instance], database: Database) -> None:
    """End every database connection of these instances, and have them open new ones."""
    for instance in instances:
        ports = _ports_of(instance.process.pid)
        for row in database.query("SELECT id, host FROM information_schema.processlist"):
            if int(str(row["host"]).rpartition(":")[2] or 0) in ports:
                database.query(f"KILL {row['id']}")
        for _ in range(40):  # a lost connection costs one request, which finds out
            httpx.get(f"{instance.process.url}/ready", timeout=10)
        instance.users.load(WARM_UP_S)


def _ports_of(pid: int) -> set[int]:
    """Local ports of a process's connections."""
    return {each.laddr.port for each in psutil.Process(pid).net_connections("tcp") if each.raddr}


def main() -> None:
    """Measure, and store every turn as one JSON object a line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--twin", default="async")
    parser.add_argument("--instances", type=int, default=6, help="of each condition")
    parser.add_argument("--cycles", type=int, default=60)
    parser.add_argument("--turn-s", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {GENERATOR_CORE})
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        database = stack.enter_context(private_server(Path(folder)))
        os.sched_setaffinity(0, {GENERATOR_CORE})
        pin_database(database)
        database.make_schema("instances")
        instances = [
            stack.enter_context(
                started(
                    condition,
                    number,
                    uvicorn_target(chosen.twin),
                    database.url("instances"),
                    chosen.seed + number,
                )
            )
            for number in range(chosen.instances)
            for condition in CONDITIONS
        ]
        for instance in instances:
            instance.users.load(WARM_UP_S)
        turns = measured(instances, database, chosen.cycles, chosen.turn_s, chosen.seed)
    lines = (json.dumps(asdict(turn)) for turn in turns)
    chosen.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


def pin_database(database: Database) -> None:
    """To the core that it shares with the generator."""
    for task in Path(f"/proc/{database.pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {GENERATOR_CORE})


if __name__ == "__main__":
    main()
