"""DATA: how a real run is broken and which gate is to name it; which gates simulated runs test."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from benchmarks.sabotage.acts import (
    crowd_out,
    delete_a_row,
    delete_rows_of_async,
    intrude,
    kill_server,
    lock_the_table,
    move,
    relax_the_server,
    renice,
    stop_database,
    stop_generator,
    stop_server,
)
from benchmarks.sabotage.neighbours import beside_the_arms, beside_the_generator
from benchmarks.sabotage.stage import LAST, NOTHING, Sabotage, Stage

ALL = tuple(range(100))


@dataclass(frozen=True)
class Case:
    """One way to break a run."""

    broken: str
    gate: str
    sabotage: Sabotage
    scenario: str = "read-one"
    around: Callable[[Stage], AbstractContextManager[None]] = lambda _: nullcontext()
    """What goes on while the run takes place."""
    says: str = ""
    """Words that the gate, or the note of what was repaired, must hold."""
    named: bool = False
    """Named and repaired (the block is measured again), so that the run stays valid."""
    lasts: bool = False
    """Cannot be put right, so it is done on a stage of its own, where no other case meets it."""


CASES = (
    Case("nothing", "", NOTHING),
    Case(
        "server stopped for 1 s", "interruptions", Sabotage(stop_server), named=True,
        says="#0 was stopped for",
    ),
    Case(
        "generator stopped for 1 s", "interruptions", Sabotage(stop_generator), named=True,
        says="the load generator stood still for",
    ),
    Case(
        "database stopped for 1 s", "interruptions", Sabotage(stop_database), named=True,
        says="the database server was stopped for",
    ),
    Case(
        "server stopped in every trial", "interruptions", Sabotage(stop_server, ALL),
        says="0 of them measured again",
    ),
    Case("somebody else's requests", "server-count", Sabotage(intrude), says="somebody else uses"),
    Case(
        "somebody else's slow requests", "littles-law", Sabotage(crowd_out, ALL),
        says="more than was sent from here",
    ),
    Case(
        "neighbour before the generator", "send-lag", NOTHING, around=beside_the_generator,
        says="the generator was late",
    ),
    Case(
        "neighbours on all of the arms' cores", "neighbours", NOTHING, scenario="capacity",
        around=beside_the_arms, says="end what else runs here",
    ),
    Case(
        "table locked under a high rate", "no-free-user", Sabotage(lock_the_table), scenario="fast",
        says="found every user busy",
    ),
    Case(
        "pool of 5 instead of 10", "equal-settings", NOTHING, scenario="other-settings",
        says="other runs with pool_size = 5, the spec says 10",
    ),
    Case(
        "one instance on all cores", "equal-resources", Sabotage(move, (LAST,)),
        says="may run on cores",
    ),
    Case("a row deleted", "tables", Sabotage(delete_a_row), says="1 rows missing"),
    Case(
        "a tenth of one arm's rows gone", "error-parity", Sabotage(delete_rows_of_async, ALL),
        says="is a selection",
    ),
    Case(
        "server's durability relaxed", "database-settings", Sabotage(relax_the_server),
        says="innodb_flush_log_at_trx_commit was 1 and is 2",
    ),
    Case(
        "one instance's priority lowered", "equal-resources", Sabotage(renice, (LAST,)),
        says="has nice", lasts=True,
    ),
    Case(
        "one instance killed", "failed-trials", Sabotage(kill_server, (LAST,)), says="has ended",
        lasts=True,
    ),
)  # fmt: skip
"""No case is in the way of the next: what can be put right is, by `mend`."""
SIMULATED_ONLY = frozenset(
    {
        *("arrivals", "carry-over", "counts", "database-distance", "drain", "enough-data"),
        *("offered-rate", "same-work", "steady-state", "steal", "trend", "generator-cpu", "errors"),
    }
)
"""Gates that nothing above is to be named by: README.md says what is done to simulated runs."""
