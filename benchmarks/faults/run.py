"""All faults at full count, for each twin; `python -m benchmarks.faults.run --help`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.faults.aborts import abort_in_mid_query
from benchmarks.faults.crowd import Crowd, crowd
from benchmarks.faults.restarts import kill_under_writes
from benchmarks.faults.slow_clients import fill_with_wide_items, slow_readers, slow_senders
from benchmarks.faults.stop import stop_in_flight
from tests.support.restartable import restartable_server
from tests.support.twins import Database, RunningTwin, private_server, running_twin

TWINS = ("sync", "async")
GATES = {"with the gate": 0, "without": -1}
POOL = 5
ABORTS_POOL = 40
ABORTS_WAIT_MS = 800
HEALED_LIMIT_S = 5.0
SCHEMA = "faults"


class Log:
    """Prints what was seen, and remembers whether all of it was well."""

    def __init__(self) -> None:
        self.all_ok = True

    def tell(self, fault: str, seen: Any, ok: bool) -> None:
        """One line per experiment."""
        self.all_ok &= ok
        print(f"{'ok ' if ok else 'NOT OK'} {fault}: {_values(seen)}", flush=True)

    def show(self, what: str, seen: Any, beside: str) -> None:
        """One line that is not judged."""
        print(f"    {what}: {_values(seen)}; {beside}", flush=True)


def _values(seen: Any) -> str:
    return ", ".join(f"{name} {value}" for name, value in asdict(seen).items())


@contextmanager
def _twin(database: Database, name: str, gate: int, pool: int = POOL) -> Iterator[RunningTwin]:
    database.make_schema(SCHEMA, rows=10)
    with running_twin(name, database.url(SCHEMA), pool_size=pool, admission=gate) as twin:
        yield twin


def aborts(count: int, log: Log, database: Database, name: str, gate: str) -> None:
    """Clients that hang up in mid-query."""
    with _twin(database, name, GATES[gate], ABORTS_POOL) as twin:
        seen = abort_in_mid_query(
            twin, database, SCHEMA, count=count, pool_size=ABORTS_POOL, wait_ms=ABORTS_WAIT_MS
        )
        log.tell(f"aborts {gate}", seen, seen.ok and seen.aborted == count)


def crowds(count: int, log: Log, database: Database, name: str, gate: str) -> None:
    """A crowd that reads, and one with 12 s of work for the pool: longer than anybody may wait."""
    for path in ("/items/1", "/slow?ms=300"):
        with _twin(database, name, GATES[gate]) as twin:
            seen = crowd(twin, count=count, path=path)
            log.tell(f"crowd at {path} {gate}", seen, seen.ok)


def collapses(count: int, log: Log, database: Database, name: str) -> None:
    """The same crowd on a twin and on its specimen without a gate, and how they compare."""
    healthy, specimen = (_crowd_on(count, database, app) for app in (name, f"{name}-ungated"))
    log.tell("crowd beside its specimen", healthy, healthy.ok)
    rates = f"{healthy.good_per_s:.0f} of the twin, {specimen.good_per_s:.1f} of the specimen"
    log.show("specimen", specimen, f"good answers per second: {rates}")


def _crowd_on(count: int, database: Database, name: str) -> Crowd:
    """On the app's own gate; a specimen has none, whatever it is told."""
    with _twin(database, name, GATES["with the gate"]) as twin:
        return crowd(twin, count=count)


def slow_clients(count: int, log: Log, database: Database, name: str, gate: str) -> None:
    """Slow senders and slow readers."""
    with _twin(database, name, GATES[gate]) as twin:
        seen = slow_senders(twin, clients=count)
        log.tell(f"slow clients {gate}", seen, seen.ok(201))
        fill_with_wide_items(twin)
        seen = slow_readers(twin, clients=count, looks=50)
        log.tell(f"slow clients {gate}", seen, seen.ok(200))


def stops(count: int, log: Log, database: Database, name: str, gate: str) -> None:
    """SIGTERM under requests in flight."""
    with _twin(database, name, GATES[gate]) as twin:
        seen = stop_in_flight(twin, database, SCHEMA, pool_size=POOL, waiting=count)
        log.tell(f"stop {gate}", seen, seen.ok)


def restarts(count: int, log: Log, folder: Path, name: str) -> None:
    """The database killed and started again."""
    with restartable_server(folder) as server:
        server.database.make_schema(SCHEMA, rows=1)
        with running_twin(name, server.database.url(SCHEMA), pool_size=POOL) as twin:
            seen = kill_under_writes(twin, server, SCHEMA, kills=count)
            log.tell("restarts", seen, seen.ok and max(seen.healed_s) <= HEALED_LIMIT_S)


Fault = Callable[[int, Log, Database, str, str], None]
FAULTS: dict[str, tuple[Fault, int]] = {
    "aborts": (aborts, 5000),
    "crowds": (crowds, 200),
    "slow-clients": (slow_clients, 20),
    "stops": (stops, 5),
}
"""Those on a server that stays, with their full counts."""
KILLS = 10


def main() -> None:
    """Run the chosen faults; exit 1 when anything was not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", choices=[*FAULTS, "restarts", []], default=[])
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts")
    chosen = parser.parse_args()
    wanted, log = chosen.faults or [*FAULTS, "restarts"], Log()

    def full(count: int) -> int:
        return max(1, round(count * chosen.share))

    with tempfile.TemporaryDirectory() as folder:
        with private_server(Path(folder)) as database:
            for fault in (name for name in wanted if name in FAULTS):
                run, count = FAULTS[fault]
                for name in TWINS:
                    for gate in GATES:
                        run(full(count), log, database, name, gate)
                    if fault == "crowds":
                        collapses(full(count), log, database, name)
        if "restarts" in wanted:
            for name in TWINS:
                restarts(full(KILLS), log, Path(folder), name)
    sys.exit(0 if log.all_ok else 1)


if __name__ == "__main__":
    main()
