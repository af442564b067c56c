"""A real server from a test's side: asked as anybody may, opened and killed as a run does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pymysql

from loadtests.environment.database import Database, open_database
from loadtests.environment.mysql import address_from_url
from loadtests.environment.placement import choose_placement
from loadtests.spec import RunSpec

ROOT = Path(__file__).parents[2]
UNPINNED = choose_placement([])


def connect(database: Database, schema: str | None = None) -> Any:
    address = address_from_url(database.url_for(""))
    return pymysql.connect(
        host=address.host, port=address.port, user=address.user, password=address.password,
        database=schema, autocommit=True,
    )  # fmt: skip


def query(database: Database, statement: str, schema: str | None = None) -> list[tuple[Any, ...]]:
    with closing(connect(database, schema)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def opened(database: str, folder: Path, **more: Any) -> Any:
    said: list[str] = more.pop("said", [])
    run = RunSpec(database=database, durability=more.pop("durability", "durable"))
    return open_database(
        run,
        connections_needed=more.pop("connections_needed", 20),
        placement=more.pop("placement", UNPINNED),
        log_folder=folder,
        say=said.append,
    )


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from loadtests.environment.database import open_database
from loadtests.environment.placement import choose_placement
from loadtests.spec import RunSpec
with open_database(RunSpec(database=sys.argv[3]), connections_needed=5,
                   placement=choose_placement([]), log_folder=Path(sys.argv[2])) as database:
    print(database.pid, flush=True)
    time.sleep(300)
"""


@contextmanager
def killed_run(kind: str, folder: Path) -> Iterator[int]:
    """A run that opens a database and is killed by -9: the server's process id."""
    run = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(ROOT), str(folder), kind],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with run:
        assert run.stdout is not None
        server = int(run.stdout.readline())
        assert psutil.pid_exists(server)
        yield server
        os.kill(run.pid, signal.SIGKILL)
        run.wait()


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.05)
