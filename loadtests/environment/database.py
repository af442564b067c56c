"""Finds the run's database: a URL given, a container, a private server on this machine, or none."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from loadtests.environment.arm_database import Database, DigestTotals
from loadtests.environment.connections import connections_to_allow
from loadtests.environment.container_server import container_server, image, why_not_docker
from loadtests.environment.local_server import Program, find_program, local_server
from loadtests.environment.mysql import Admin, Server, address_from_url
from loadtests.environment.placement import Placement
from loadtests.environment.server_database import ServerDatabase
from loadtests.errors import BenchError, EnvironmentNotReady
from loadtests.journal import storage_error
from loadtests.spec import RunSpec

__all__ = [
    "Database",
    "DigestTotals",
    "OutsideConnections",
    "ServerDatabase",
    "connections_outside",
    "open_database",
]

Say = Callable[[str], None]
WAYS_OUT = (
    "One of three: set BENCH_DATABASE_URL=mysql://user:password@host:port/ to a server of yours; "
    "start Docker with Compose; or install a server (Debian, Ubuntu: apt-get install "
    "--no-install-recommends mariadb-server-core)."
)


def say_on_stderr(message: str) -> None:
    """Progress goes to stderr."""
    print(message, file=sys.stderr, flush=True)


@contextlib.contextmanager
def open_database(
    run: RunSpec,
    *,
    connections_needed: int,
    placement: Placement,
    log_folder: Path,
    say: Say = say_on_stderr,
) -> Iterator[Database]:
    """The database of a run, as `run.database` says, for the length of the block.

    `connections_needed` is what all instances of all arms may hold together. A server that we
    started goes with its data; on one that is not ours, the schemas we made are dropped. Raises
    EnvironmentNotReady with what was tried and what to do, SpecError for a URL that cannot be read.
    """
    with ExitStack() as stack:
        if run.database == "none":
            yield Database()
            return
        chooser = _Chooser(run, connections_needed, placement, log_folder, say)
        server = stack.enter_context(chooser.server())
        admin = Admin(server.address)
        stack.callback(admin.close)
        database = ServerDatabase(server, admin, connections_needed)
        say(f"Database: {database.flavour} {database.version} — {server.why}.")
        if not server.ours:
            stack.callback(_drop, database, say)
        yield database


@dataclass(frozen=True, slots=True)
class OutsideConnections:
    """Of a server that is not ours: what it allows at all, and what it leaves to arms now."""

    max_connections: int | None
    free: int | None


def connections_outside(run: RunSpec) -> OutsideConnections | None:
    """Connections of a server which is not ours; None for servers we start.

    Those get as many as the plan needs. Raises EnvironmentNotReady or SpecError as `open_database`.
    """
    if "://" not in run.database:
        return None
    server = _external(run.database)
    with contextlib.closing(Admin(server.address)) as admin:
        database = ServerDatabase(server, admin, connections_needed=0)
        return OutsideConnections(database.max_connections, database.free_connections)


def _drop(database: Database, say: Say) -> None:
    """Leave nothing on a server that is not ours; failing to is told, not raised."""
    try:
        database.drop_arm_schemas()
    except BenchError as error:
        say(f"A schema of this run could not be dropped: {error.message}")


class _Chooser:
    """The ways to a server, tried in order."""

    def __init__(
        self, run: RunSpec, connections: int, placement: Placement, log_folder: Path, say: Say
    ) -> None:
        self.run = run
        self.connections = connections_to_allow(connections)
        self.cores = placement.database
        self.log_folder = log_folder
        self.say = say
        try:
            log_folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(log_folder, error) from error

    def server(self) -> AbstractContextManager[Server]:
        match self.run.database:
            case "docker":
                return self._docker('database = "docker"')
            case "local":
                return self._local('database = "local"')
            case "auto":
                return self._auto()
            case url:
                return contextlib.nullcontext(_external(url))

    def _docker(self, why: str) -> AbstractContextManager[Server]:
        if reason := why_not_docker(self.say):
            raise EnvironmentNotReady(f"{why}, but {reason}.", hint=WAYS_OUT)
        self.say(f"Starting {image()} in a container …")
        return container_server(
            self.run,
            connections=self.connections,
            cores=self.cores,
            log_folder=self.log_folder,
            why=f"{image()} in a container ({why})",
        )

    def _local(self, why: str) -> AbstractContextManager[Server]:
        program = find_program()
        if not isinstance(program, Program):
            raise EnvironmentNotReady(f"{why}, but {program}.", hint=WAYS_OUT)
        self.say(f"Starting a private {program.path} …")
        return local_server(
            program,
            connections=self.connections,
            durability=self.run.durability,
            cores=self.cores,
            log_folder=self.log_folder,
            why=f"{program.path}, started privately ({why})",
        )

    @contextlib.contextmanager
    def _auto(self) -> Iterator[Server]:
        """Docker, else local; a way that fails is told and the next one tried."""
        reasons = ["BENCH_DATABASE_URL is not set"]
        for start in (self._docker, self._local):
            with ExitStack() as stack:
                why = 'database = "auto": ' + "; ".join(map(_in_brief, reasons))
                try:
                    server = stack.enter_context(start(why))
                except EnvironmentNotReady as error:
                    reasons.append(error.message.removeprefix(f"{why}, but ").rstrip("."))
                    self.say(f"Not used: {reasons[-1]}.")
                    continue
                yield server
                return
        tried = "\n".join(f"- {reason}" for reason in reasons)
        raise EnvironmentNotReady(f"No database could be found or started:\n{tried}", hint=WAYS_OUT)


def _in_brief(reason: str) -> str:
    """A reason without the words of another program behind it, which were said already."""
    return reason.partition(" (")[0]


def _external(url: str) -> Server:
    named = url == os.environ.get("BENCH_DATABASE_URL")
    address = address_from_url(url)
    where = "BENCH_DATABASE_URL" if named else "run.database"
    return Server("external", address, f"{where} names the server at {address.place}")
