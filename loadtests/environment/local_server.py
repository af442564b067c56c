"""A private MySQL or MariaDB server: an ordinary child in a throw-away data directory."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from loadtests.environment.local_data import create_data, places, write_account
from loadtests.environment.machine import file_system
from loadtests.environment.mysql import Address, Admin, Flavour, Server, too_old, version_of
from loadtests.environment.processes import (
    Child,
    free_port,
    raise_file_limit,
    spawn,
    tail,
    watchdog,
)
from loadtests.errors import EnvironmentNotReady

Durability = Literal["durable", "relaxed"]

PROGRAMS = ("mysqld", "mariadbd")
MORE_PLACES = (
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/local/mysql/bin",
    "/opt/homebrew/opt/mysql/bin",
    "/opt/homebrew/opt/mariadb/bin",
)
"""Where servers are installed that are on nobody's PATH."""
USER = "bench"
READY_LIMIT_S = 90.0
STOP_GRACE_S = 10.0
ATTEMPTS = 3
SOCKET_PATH_LIMIT_BYTES = 100
IN_MEMORY = ("tmpfs", "ramfs")
BUFFER_POOL_MB = 256
"""Holds every arm's table (3 MB each) many times over, so that reads never wait for a disk."""


@dataclass(frozen=True, slots=True)
class Program:
    """An installed server program."""

    path: str
    flavour: Flavour
    version: tuple[int, int]


def find_program() -> Program | str:
    """The first installed server that is new enough, else why there is none."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), *MORE_PLACES))
    reasons = []
    for name in PROGRAMS:
        path = shutil.which(name, path=places)
        if path is None:
            continue
        program = _look_at(path)
        reason = program if isinstance(program, str) else too_old(program.flavour, program.version)
        if reason is None:
            assert isinstance(program, Program)
            return program
        reasons.append(f"{path}: {reason}")
    return "; ".join(reasons) or "no mysqld or mariadbd is installed"


def _look_at(path: str) -> Program | str:
    try:
        said = subprocess.run(
            [path, "--no-defaults", "--version"],
            capture_output=True, text=True, timeout=30, check=True, stdin=subprocess.DEVNULL,
        ).stdout  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return f"it does not tell its version ({error})"
    return Program(path, *version_of(said))


@contextlib.contextmanager
def local_server(
    program: Program,
    *,
    connections: int,
    durability: Durability,
    cores: Sequence[int],
    log_folder: Path,
    why: str,
) -> Iterator[Server]:
    """Start the program privately, and end it and its data with the block.

    `connections` becomes `max_connections`. Raises EnvironmentNotReady with the end of its log.
    """
    raise_file_limit()
    log_path = log_folder / "database.log"
    with _writing():
        folder = _private_folder(durability, log_folder)
    entry = watchdog().add(folder=str(folder))
    try:
        with _writing():
            created = create_data(
                program.path, program.flavour, folder, _as_root(), _environment(), log_path
            )
        if not created:
            raise _failed(f"{program.path} could not create a data directory", log_path)
        with _writing():
            address, child = _start(program, folder, log_path, connections, durability)
        try:
            child.pin(cores)  # only now: starting uses every core
            yield Server("local", address, why, child.pid, file_system(folder))
        finally:
            child.stop(STOP_GRACE_S)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        watchdog().remove(entry)


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    """A full or unwritable disk is the machine's fault, not a bug of ours. Never around a yield."""
    try:
        yield
    except OSError as error:
        where = error.filename or tempfile.tempdir or "the temporary folder"
        raise EnvironmentNotReady(
            f"A private database could not be set up in {where}: {error.strerror or error}.",
            hint="Free some space there, or point TMPDIR to a folder that has some; "
            "BENCH_DATABASE_URL can name a server of your own.",
        ) from error


def _private_folder(durability: Durability, log_folder: Path) -> Path:
    """A new folder that only we can read; on a disk, if what is measured includes its fsyncs."""
    temporary = Path(tempfile.gettempdir())
    in_memory = file_system(temporary) in IN_MEMORY
    parent = log_folder if durability == "durable" and in_memory else temporary
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="bench-database-", dir=parent))


def _start(
    program: Program, folder: Path, log_path: Path, connections: int, durability: Durability
) -> tuple[Address, Child]:
    """Start the server and wait for it; on another port if somebody was faster."""
    address = Address("127.0.0.1", 0, USER, secrets.token_urlsafe(24))
    init_file = folder / "init.sql"
    for _ in range(ATTEMPTS):
        address = Address(address.host, free_port(), address.user, address.password)
        write_account(init_file, program.flavour, address)
        command = [program.path, *_options(program, folder, address.port, connections, durability)]
        child = spawn(command, env=_environment(), log_path=log_path, name="database")
        try:
            if _wait(child, address):
                return address, child
        except BaseException:
            child.kill()
            raise
        finally:
            init_file.unlink(missing_ok=True)
        child.kill()
        if "already in use" not in tail(log_path, 40):
            break
    raise _failed(f"{program.path} did not start", log_path)


def _options(
    program: Program, folder: Path, port: int, connections: int, durability: Durability
) -> list[str]:
    socket_path = folder / "s"
    too_long = len(os.fsencode(socket_path)) > SOCKET_PATH_LIMIT_BYTES
    options = [
        "--no-defaults",
        *places(folder),
        f"--socket={Path('/tmp') / f'{folder.name}.s' if too_long else socket_path}",
        f"--pid-file={folder / 'pid'}",
        f"--init-file={folder / 'init.sql'}",
        f"--port={port}",
        "--bind-address=127.0.0.1",
        "--skip-name-resolve",
        f"--max-connections={connections}",
        f"--innodb-buffer-pool-size={BUFFER_POOL_MB}M",
        "--performance-schema=ON",
        "--character-set-server=utf8mb4",
        *durability_options(program.flavour, durability),
        *_as_root(),
    ]
    return options + (["--mysqlx=OFF"] if program.flavour == "mysql" else [])


def durability_options(flavour: Flavour, durability: Durability) -> list[str]:
    """What the two profiles mean on a server we start.

    MySQL keeps the binlog it has by default (synced), MariaDB goes without as it does by default.
    """
    if durability == "relaxed":
        return ["--innodb-flush-log-at-trx-commit=2", "--skip-log-bin"]
    binlog = ["--sync-binlog=1"] if flavour == "mysql" else []
    return ["--innodb-flush-log-at-trx-commit=1", *binlog]


def _as_root() -> list[str]:
    """Servers refuse to run as root unless told to."""
    return ["--user=root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def _environment() -> Mapping[str, str]:
    """Without what would change the server's mind (MYSQL_HOME, MYSQL_PWD …)."""
    return {key: value for key, value in os.environ.items() if not key.startswith("MYSQL")}


def _wait(child: Child, address: Address) -> bool:
    """Whether the server came to answer us."""
    deadline_s = time.monotonic() + READY_LIMIT_S
    admin = Admin(address)
    while child.alive() and time.monotonic() < deadline_s:
        with contextlib.suppress(EnvironmentNotReady):
            admin.connect()
            admin.close()
            return child.alive()
        time.sleep(0.05)
    return False


def _failed(what: str, log_path: Path) -> EnvironmentNotReady:
    return EnvironmentNotReady(
        f"{what}. The end of its log:\n{tail(log_path, 12)}",
        hint=f"The whole log is {log_path}. BENCH_DATABASE_URL can name a server of your own.",
    )
