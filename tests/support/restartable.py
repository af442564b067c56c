"""A private database server that can be killed and started again on its port and its data."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pymysql

from loadtests.environment.local_server import Program, find_program, local_server
from loadtests.environment.mysql import Server
from loadtests.environment.processes import Child, spawn
from tests.support.twins import Database

BACK_LIMIT_S = 60.0


@dataclass
class RestartableServer:
    """A server whose process may be another one after a crash; its address and data stay."""

    server: Server
    argv: list[str]
    log: Path
    restarted: Child | None = None

    @property
    def database(self) -> Database:
        return Database(self.server)

    def kill(self) -> None:
        """`kill -9`: no shutdown, no flush. Returns when the process is gone."""
        if self.restarted is not None:
            self.restarted.kill()
            return
        assert self.server.pid is not None
        os.kill(self.server.pid, signal.SIGKILL)
        with suppress(psutil.NoSuchProcess):
            _await(lambda: psutil.Process(self.server.pid).status() == psutil.STATUS_ZOMBIE)

    def start_again(self) -> None:
        """Start the same command; returns at once, while the server recovers."""
        self.restarted = spawn(self.argv, env=os.environ, log_path=self.log, name="database")

    def await_answer(self) -> None:
        """Wait until the server takes statements."""
        _await(self._answers)

    def _answers(self) -> bool:
        assert self.restarted is None or self.restarted.alive(), self.restarted.log_tail()
        with suppress(pymysql.MySQLError):
            return bool(self.database.query("SELECT 1"))
        return False


@contextmanager
def restartable_server(folder: Path) -> Iterator[RestartableServer]:
    """A durable server of our own in a throw-away folder, ended with the block."""
    program = find_program()
    assert isinstance(program, Program), program
    with local_server(
        program,
        connections=500,
        durability="durable",
        cores=sorted(os.sched_getaffinity(0)),
        log_folder=folder,
        why="tests",
    ) as server:
        argv = psutil.Process(server.pid).cmdline()
        # The file with our account is gone once the server is up; the account is in its data.
        argv = [word for word in argv if not word.startswith("--init-file")]
        running = RestartableServer(server, argv, folder / "restarted.log")
        try:
            yield running
        finally:
            if running.restarted is not None:
                running.restarted.kill()


def _await(true: object) -> None:
    until_s = time.monotonic() + BACK_LIMIT_S
    assert callable(true)
    while not true():
        assert time.monotonic() < until_s, "not in time"
        time.sleep(0.01)
