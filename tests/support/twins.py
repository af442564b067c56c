"""Real parts for tests of the twins: a private server, a seeded schema, twins as processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pymysql

from loadtests.environment.launch import uvicorn_target
from loadtests.environment.local_server import Program, find_program, local_server
from loadtests.environment.mysql import Server
from loadtests.environment.processes import free_port

SEEDED = 10_000
SEEDED_AT = "2026-01-01 00:00:00.000000"
TABLE = """CREATE TABLE items (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(100) NOT NULL,
  description VARCHAR(500) NULL, price INT NOT NULL,
  created_at DATETIME(6) NOT NULL, updated_at DATETIME(6) NOT NULL, KEY ix_items_name (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"""
READY_LIMIT_S = 60.0


@dataclass(frozen=True)
class Database:
    """A private server, for schemas of tests to be made and thrown away in."""

    server: Server

    def url(self, schema: str) -> str:
        return self.server.address.url(schema)

    @property
    def pid(self) -> int:
        assert self.server.pid is not None
        return self.server.pid

    def query(self, statement: str, schema: str | None = None) -> list[dict[str, Any]]:
        address = self.server.address
        connection = pymysql.connect(
            host=address.host, port=address.port, user=address.user, password=address.password,
            database=schema, autocommit=True, cursorclass=pymysql.cursors.DictCursor,
        )  # fmt: skip
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def statement_counts(self, schema: str) -> dict[str, int]:
        """How often each kind of statement ran in a schema, as the server counts, by its text."""
        rows = self.query(
            "SELECT DIGEST_TEXT, COUNT_STAR "
            "FROM performance_schema.events_statements_summary_by_digest "
            f"WHERE SCHEMA_NAME = '{schema}'"
        )
        return {row["DIGEST_TEXT"]: int(row["COUNT_STAR"]) for row in rows}

    def make_schema(self, schema: str, rows: int = SEEDED) -> None:
        """A new schema with the seeded table."""
        self.query(f"DROP DATABASE IF EXISTS {schema}")
        self.query(f"CREATE DATABASE {schema} CHARACTER SET utf8mb4")
        self.query(TABLE, schema)
        self.put_back(schema, rows)

    def put_back(self, schema: str, rows: int = SEEDED) -> None:
        """Only the first `rows` seeded items, whatever was there."""
        self.query("TRUNCATE TABLE items", schema)
        values = ", ".join(
            f"({k}, 'item-{k}', 'Seeded item {k}', {100 + k % 900}, '{SEEDED_AT}', '{SEEDED_AT}')"
            for k in range(1, rows + 1)
        )
        self.query(f"INSERT INTO items VALUES {values}", schema)


@contextmanager
def private_server(folder: Path) -> Iterator[Database]:
    """A server of our own in a throw-away folder, on a random port of the loopback."""
    program = find_program()
    assert isinstance(program, Program), program
    cores = sorted(os.sched_getaffinity(0))
    with local_server(
        program, connections=1000, durability="relaxed", cores=cores, log_folder=folder, why="tests"
    ) as server:
        database = Database(server)
        try:
            yield database
        finally:
            os.kill(database.pid, signal.SIGCONT)  # a test may have frozen it


@dataclass(frozen=True)
class RunningTwin:
    """A twin, or a specimen, served by uvicorn as the harness starts it."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def running_twin(
    name: str,
    database_url: str,
    *,
    loop: str = "uvloop",
    graceful_s: int = 30,
    **settings: object,
) -> Iterator[RunningTwin]:
    """Start one twin or specimen; `settings` become TWIN_* variables."""
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TWIN_")}
    environment["TWIN_DATABASE_URL"] = database_url
    environment |= {f"TWIN_{key.upper()}": str(value) for key, value in settings.items()}
    command = [
        sys.executable, "-m", "uvicorn", uvicorn_target(name), "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1", "--loop", loop, "--http", "httptools",
        "--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "3600",
        "--backlog", "2048", "--no-server-header", "--lifespan", "on",
        "--timeout-graceful-shutdown", str(graceful_s),
    ]  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    with tempfile.NamedTemporaryFile(prefix=f"{name}-", suffix=".log") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=log)
        try:
            _await(lambda: httpx.get(f"{url}/health").raise_for_status(), process)
            yield RunningTwin(name, url, process, Path(log.name))
        finally:
            process.terminate()
            process.wait(30)


def _await(attempt: Any, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_LIMIT_S
    while True:
        try:
            attempt()
        except (pymysql.MySQLError, httpx.HTTPError):
            assert process.poll() is None, f"exited with {process.returncode}"
            assert time.monotonic() < until, "not ready in time"
            time.sleep(0.05)
        else:
            return
