"""Where a server is, how to talk to it as its administrator, and what its errors mean."""

from __future__ import annotations

import contextlib
import re
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from urllib.parse import quote, unquote, urlsplit

import pymysql
import pymysql.cursors
from pymysql.constants import CR, ER

from loadtests.errors import EnvironmentNotReady, SpecError

CONNECT_LIMIT_S = 10
ANSWER_LIMIT_S = 120
NO_GREETING = (None, CR.CR_SERVER_LOST)
"""What PyMySQL's errors say of a greeting that cannot be read, or that does not come."""
WHO_LISTENS = "Is it a MySQL or MariaDB server that listens there, and does it still answer others?"
LOCK_WAIT_S = 10
"""For metadata and row locks alike; the server's own default for the former is a year."""
OLDEST = {"mysql": (8, 4), "mariadb": (10, 6)}
SESSION = (
    f"SET SESSION lock_wait_timeout={LOCK_WAIT_S}",
    f"SET SESSION innodb_lock_wait_timeout={LOCK_WAIT_S}",
    # MySQL would tell an automatic key that is a day old; MariaDB passes over this comment.
    "SET SESSION wait_timeout=86400 /*!80000 , SESSION information_schema_stats_expiry=0 */",
    "SET SESSION sql_mode='STRICT_TRANS_TABLES,NO_AUTO_VALUE_ON_ZERO'",
    "SET SESSION time_zone='+00:00'",
)
DROPPED = frozenset({CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, CR.CR_SERVER_LOST_EXTENDED, 4031})
"""Codes of a connection that the server closed; 4031 is MySQL's notice of having done so."""

Flavour = Literal["mysql", "mariadb"]
Row = dict[str, Any]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens and who we are to it."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)

    @property
    def place(self) -> str:
        """`host:port`."""
        return f"{self.host}:{self.port}"

    def url(self, schema: str = "") -> str:
        """`mysql://user:password@host:port/schema`, percent-encoded. Never print it."""
        login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"mysql://{login}@{self._host}:{self.port}/{schema}"

    def masked_url(self, schema: str = "") -> str:
        """The same with `***` for the password."""
        return f"mysql://{quote(self.user, safe='')}:***@{self._host}:{self.port}/{schema}"

    def mask(self, text: str) -> str:
        """The text without the password, however it is written in it."""
        for secret in {self.password, quote(self.password, safe=""), quote(self.password)}:
            text = text.replace(secret, "***") if secret else text
        return text

    @property
    def _host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


@dataclass(frozen=True, slots=True)
class Server:
    """A database server that answers, whoever started it."""

    kind: Literal["external", "docker", "local"]
    address: Address
    why: str
    """Why this one was chosen, for a person."""
    pid: int | None = None
    """Its process, where that is on this machine and visible."""
    storage: str | None = None
    """What its data lies on, as far as known: `ext4`, `tmpfs`, `docker volume` …"""
    route: str = "direct"
    """How we reach it."""

    @property
    def ours(self) -> bool:
        """Whether we started it (and so may set what is global)."""
        return self.kind != "external"


def address_from_url(url: str) -> Address:
    """Read `mysql://user:password@host:port[/name]`; the name is not used (see `Database`).

    Raises SpecError, which does not repeat the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError as error:
        raise _bad_url("host or port cannot be read") from error
    if parts.scheme != "mysql" or not parts.hostname:
        raise _bad_url("it has no host")
    if parts.query:
        raise _bad_url("options after ? are not supported")
    return Address(
        parts.hostname, port, unquote(parts.username or "root"), unquote(parts.password or "")
    )


def _bad_url(cause: str) -> SpecError:
    return SpecError(
        f"The database URL cannot be used: {cause}.",
        hint="Write mysql://user:password@host:port/name, with @ : / in a password as %40 %3A %2F.",
    )


def version_of(text: str, comment: str = "") -> tuple[Flavour, tuple[int, int]]:
    """Flavour and (major, minor) from `@@version` or a server's `--version` line."""
    flavour: Flavour = "mariadb" if "mariadb" in f"{text} {comment}".lower() else "mysql"
    found = re.search(r"(\d+)\.(\d+)\.\d+", text)
    return flavour, (int(found[1]), int(found[2])) if found else (0, 0)


def too_old(flavour: Flavour, version: tuple[int, int]) -> str | None:
    """Why a server of this version cannot be used; None when it can."""
    oldest = OLDEST[flavour]
    if version >= oldest:
        return None
    name = {"mysql": "MySQL", "mariadb": "MariaDB"}[flavour]
    return (
        f"{name} {version[0]}.{version[1]} is too old; {oldest[0]}.{oldest[1]} or newer is needed"
    )


class RightMissing(EnvironmentNotReady):
    """The server answers, but not this question of this user."""


class Admin:
    """The one administrative connection, kept open and reopened when the server dropped it.

    Autocommit; safe to use from several threads, one statement at a time. Every method raises
    EnvironmentNotReady with the cause and what to do, the password masked.
    """

    def __init__(self, address: Address, *, connect_limit_s: int = CONNECT_LIMIT_S) -> None:
        self.address = address
        self._connect_limit_s = connect_limit_s
        self._connection: Any = None
        self._lock = threading.RLock()

    def connect(self) -> None:
        """Open the connection now."""
        with self._lock, self._explained():
            self._open()

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run one statement and return its rows as dicts."""
        with self._lock, self._explained():
            return self._reopening(lambda: self._run(statement, values))

    def value(self, statement: str, values: Sequence[Any] = ()) -> Any:
        """The first column of the first row; None without rows."""
        rows = self.rows(statement, values)
        return next(iter(rows[0].values())) if rows else None

    def transaction(self, *statements: str) -> None:
        """Run statements as one transaction: all of them or none."""
        with self._lock, self._explained():
            self._reopening(lambda: self._run_together(statements))

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with contextlib.suppress(pymysql.MySQLError, OSError):
                    connection.close()

    def _open(self) -> None:
        self.close()
        self._connection = self._connected()
        self._connection._read_timeout = ANSWER_LIMIT_S
        for statement in SESSION:
            self._run(statement)

    def _connected(self) -> Any:
        """A connection whose handshake is bounded too, for which PyMySQL has the limit of reads
        only."""
        try:
            return pymysql.connect(
                host=self.address.host,
                port=self.address.port,
                user=self.address.user,
                password=self.address.password,
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=self._connect_limit_s,
                read_timeout=self._connect_limit_s,
                write_timeout=ANSWER_LIMIT_S,
                cursorclass=pymysql.cursors.DictCursor,
            )
        except (struct.error, IndexError, ValueError, pymysql.MySQLError) as error:
            if isinstance(error, pymysql.MySQLError) and _code(error) not in NO_GREETING:
                raise
            raise EnvironmentNotReady(
                f"What listens at {self.address.place} does not speak as MySQL does, or not within "
                f"{self._connect_limit_s} s ({self.address.mask(str(error))}).",
                hint=WHO_LISTENS,
            ) from error

    def _run(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def _run_together(self, statements: Sequence[str]) -> None:
        self._connection.begin()
        try:
            for statement in statements:
                self._run(statement)
            self._connection.commit()
        except pymysql.MySQLError:
            with contextlib.suppress(pymysql.MySQLError):
                self._connection.rollback()
            raise

    def _reopening(self, work: Callable[[], Result]) -> Result:
        """Do the work; once more on a new connection if the old one turns out to be closed."""
        if self._connection is None:
            self._open()
        try:
            return work()
        except pymysql.MySQLError as error:
            if not isinstance(error, pymysql.InterfaceError) and _code(error) not in DROPPED:
                raise
        self._open()
        return work()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (pymysql.MySQLError, RuntimeError) as error:  # RuntimeError: no `cryptography`
            raise explained(error, self.address) from None


def _code(error: Exception) -> int | None:
    return error.args[0] if error.args and isinstance(error.args[0], int) else None


def explained(error: Exception, address: Address) -> EnvironmentNotReady:
    """A driver's error as one message: what failed, why, what to do. The password is masked."""
    said = address.mask(str(error.args[-1] if error.args else error))
    where = f"The database at {address.place}"
    match _code(error):
        case ER.ACCESS_DENIED_ERROR | 1698:
            return EnvironmentNotReady(
                f"{where} refused user {address.user!r} or the password: {said}.",
                hint="Check user and password in BENCH_DATABASE_URL or run.database.",
            )
        case CR.CR_CONN_HOST_ERROR | CR.CR_CONNECTION_ERROR | CR.CR_UNKNOWN_HOST:
            return EnvironmentNotReady(
                f"{where} cannot be reached: {said}.",
                hint="Is it running, and are host and port in BENCH_DATABASE_URL or run.database "
                "right? Without either, bench brings a server of its own.",
            )
        case ER.DBACCESS_DENIED_ERROR | ER.TABLEACCESS_DENIED_ERROR | 1227:
            return RightMissing(
                f"{where}: user {address.user!r} lacks a right: {said}.",
                hint=f"As its administrator: GRANT ALL ON `bench\\_%`.* TO '{address.user}'@'%';",
            )
        case ER.CON_COUNT_ERROR:
            return EnvironmentNotReady(
                f"{where} has no connection left: {said}.",
                hint="Raise max_connections there, or end what else uses that server.",
            )
        case ER.LOCK_WAIT_TIMEOUT:
            return EnvironmentNotReady(
                f"{where}: a table is locked by a transaction that stays open ({said}).",
                hint="An arm keeps a transaction open after its answer; see SHOW PROCESSLIST.",
            )
    return EnvironmentNotReady(f"{where} reports: {said}.", hint="bench doctor shows more.")
