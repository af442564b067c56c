"""What saboteurs do to a run that is going on, and which gate is to name it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

import pymysql

from benchmarks.sabotage.stage import LAST, NOTHING, Sabotage, Seen, Stage
from loadtests.environment.mysql import address_from_url
from loadtests.environment.proctree import threads_of
from loadtests.trials import TrialOrder

STOPPED_S = 1.0
ALL = tuple(range(100))
CROWD = 8
"""One neighbour takes half of the core from an arm that wants all of it."""
PINNED = "import os; os.sched_setaffinity(0, {{{core}}}); print(flush=True)\n"
SPIN = "while True: pass"
BURSTS = """
import os, time
try: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
except PermissionError: pass
while True:
    until_s = time.monotonic() + 0.02
    while time.monotonic() < until_s: pass
    time.sleep(0.02)
"""
"""Ahead even of the generator's real-time priority where that is allowed; half of the core."""


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


def stop(pid: int) -> None:
    """Stop a process for a second."""
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(STOPPED_S)
    finally:
        os.kill(pid, signal.SIGCONT)


def stop_server(stage: Stage, order: TrialOrder) -> None:
    """The instance under load stands still."""
    stop(stage.pid(order.target))


def stop_generator(stage: Stage, _: TrialOrder) -> None:
    """The load generator stands still."""
    stop(stage.generator.pids[0])


def stop_database(stage: Stage, _: TrialOrder) -> None:
    """The database server stands still."""
    pid = stage.session.database.pid
    assert pid is not None
    stop(pid)


def intrude(_: Stage, order: TrialOrder) -> None:
    """Somebody else sends the instance a few requests."""
    for key in (1, 2, 3):
        with urllib.request.urlopen(f"{order.target.url}/items/{key}", timeout=10) as answer:
            answer.read()


def crowd_out(_: Stage, order: TrialOrder) -> None:
    """Somebody else keeps the instance at work with requests of their own."""
    with urllib.request.urlopen(f"{order.target.url}/slow?ms=600", timeout=10) as answer:
        answer.read()


def _admin(stage: Stage, statement: str, order: TrialOrder | None = None) -> None:
    database = stage.session.database
    schema = stage.instance(order.target).schema if order else None
    address = address_from_url(database.url_for(schema or "mysql"))
    with pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        database=schema, autocommit=True,
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute(statement)


def delete_a_row(stage: Stage, order: TrialOrder) -> None:
    """Somebody else deletes one of the 10,000 rows."""
    _admin(stage, "DELETE FROM items WHERE id = 10000", order)


def delete_rows_of_async(stage: Stage, order: TrialOrder) -> None:
    """Every tenth row of one arm is gone: its requests answer 404."""
    if order.target.arm == "async":
        _admin(stage, "DELETE FROM items WHERE id % 10 = 0", order)


def relax_the_server(stage: Stage, _: TrialOrder) -> None:
    """Somebody makes commits cheaper in mid-run."""
    _admin(stage, "SET GLOBAL innodb_flush_log_at_trx_commit = 2")


def move(stage: Stage, order: TrialOrder) -> None:
    """Somebody lets one instance run on every core."""
    for thread in threads_of(stage.pid(order.target)):
        os.sched_setaffinity(thread, range(os.cpu_count() or 1))


def renice(stage: Stage, order: TrialOrder) -> None:
    """Somebody gives one instance a lower priority."""
    for thread in threads_of(stage.pid(order.target)):
        os.setpriority(os.PRIO_PROCESS, thread, 5)


@contextmanager
def others_on(core: int, program: str, count: int = 1) -> Iterator[None]:
    """Programs that use a core, for the length of the block, from when all have begun.

    Each in a session of its own, since Linux may share a core out by sessions (autogroups).
    """
    words = [sys.executable, "-c", f"{PINNED.format(core=core)}{program}"]
    with ExitStack() as stack:
        for _ in range(count):
            process = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
        yield


def beside_the_generator(stage: Stage) -> AbstractContextManager[None]:
    """A neighbour that comes before the generator, in bursts."""
    return others_on(stage.session.placement.generator[0], BURSTS)


def beside_the_arms(stage: Stage) -> AbstractContextManager[None]:
    """Neighbours on the arms' core that never rest."""
    return others_on(stage.session.placement.apps[0], SPIN, CROWD)


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
        "eight neighbours on the arms' core", "neighbours", NOTHING, scenario="capacity",
        around=beside_the_arms, says="end what else runs here",
    ),
    Case(
        "pool of 5 instead of 10", "equal-settings", NOTHING, scenario="other-settings",
        says="other runs with pool_size = 5, the spec says 10",
    ),
    Case(
        "one instance on all cores", "equal-resources", Sabotage(move, (LAST,)),
        says="may run on cores 0",
    ),
    Case(
        "one instance at nice 5", "equal-resources", Sabotage(renice, (LAST,)), says="has nice 5"
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
)  # fmt: skip
"""In an order in which no case is in the way of the next: what lasts is put right by `mend`."""


def mend(stage: Stage) -> None:
    """Put right what lasts: tables, the server's settings, cores. (A lower nice may stay.)"""
    database = stage.session.database
    for instance in stage.session.instances:
        if instance.schema is not None:
            database.reset(instance.schema)
        if instance.child is not None:
            instance.child.pin(stage.session.placement.apps)
            for thread in threads_of(instance.child.pid):
                os.setpriority(os.PRIO_PROCESS, thread, 0)
    _admin(stage, "SET GLOBAL innodb_flush_log_at_trx_commit = 1")


def perform(stage: Stage, case: Case) -> Seen:
    """Break one run; what it said of itself."""
    try:
        with case.around(stage):
            return stage.run(case.sabotage, case.scenario)
    finally:
        mend(stage)
