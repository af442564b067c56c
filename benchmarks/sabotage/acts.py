"""What saboteurs do to a run that is going on."""

from __future__ import annotations

import os
import signal
import time
import urllib.request

import pymysql
from pymysql.cursors import Cursor

from benchmarks.sabotage.stage import Stage
from loadtests.environment.mysql import address_from_url
from loadtests.environment.proctree import threads_of
from loadtests.trials import TrialOrder

STOPPED_S = 1.0
DURABLE, RELAXED = 1, 2
"""Of innodb_flush_log_at_trx_commit: at every commit, or once a second."""
LOWER = 5
"""Of a priority: by how much its nice is raised. Only root could undo that."""


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


def _admin(stage: Stage, schema: str | None = None) -> pymysql.Connection[Cursor]:
    database = stage.session.database
    address = address_from_url(database.url_for(schema or "mysql"))
    return pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        database=schema, autocommit=True,
    )  # fmt: skip


def _execute(stage: Stage, statement: str, order: TrialOrder | None = None) -> None:
    schema = stage.instance(order.target).schema if order else None
    with _admin(stage, schema) as connection, connection.cursor() as cursor:
        cursor.execute(statement)


def lock_the_table(stage: Stage, order: TrialOrder) -> None:
    """Somebody keeps everybody from the arm's table until all of the trial is due."""
    schema = stage.instance(order.target).schema
    with _admin(stage, schema) as connection, connection.cursor() as cursor:
        cursor.execute("LOCK TABLES items WRITE")
        time.sleep(order.lead_in_s + order.steady_s)


def delete_a_row(stage: Stage, order: TrialOrder) -> None:
    """Somebody else deletes one of the 10,000 rows."""
    _execute(stage, "DELETE FROM items WHERE id = 10000", order)


def delete_rows_of_async(stage: Stage, order: TrialOrder) -> None:
    """Every tenth row of one arm is gone: its requests answer 404."""
    if order.target.arm == "async":
        _execute(stage, "DELETE FROM items WHERE id % 10 = 0", order)


def relax_the_server(stage: Stage, _: TrialOrder) -> None:
    """Somebody makes commits cheaper in mid-run."""
    _execute(stage, f"SET GLOBAL innodb_flush_log_at_trx_commit = {RELAXED}")


def move(stage: Stage, order: TrialOrder) -> None:
    """Somebody lets one instance run on every core."""
    for thread in threads_of(stage.pid(order.target)):
        os.sched_setaffinity(thread, range(os.cpu_count() or 1))


def renice(stage: Stage, order: TrialOrder) -> None:
    """Somebody gives one instance a lower priority."""
    for thread in threads_of(stage.pid(order.target)):
        nice = os.getpriority(os.PRIO_PROCESS, thread)
        os.setpriority(os.PRIO_PROCESS, thread, nice + LOWER)


def kill_server(stage: Stage, order: TrialOrder) -> None:
    """Somebody ends one instance."""
    os.kill(stage.pid(order.target), signal.SIGKILL)


def mend(stage: Stage) -> None:
    """Put right what lasts and can be: tables, the server's settings, cores."""
    for instance in stage.session.instances:
        if instance.schema is not None:
            stage.session.database.reset(instance.schema)
        if instance.child is not None:
            instance.child.pin(stage.session.placement.apps)
    _execute(stage, f"SET GLOBAL innodb_flush_log_at_trx_commit = {DURABLE}")
