"""Cuts connections on which the database has gone silent, so that no request hangs.

A refused connection fails by itself. A server that is frozen, or behind a cut network, just never
answers: PyMySQL can bound each read, aiomysql cannot, and a bound per read costs every good read.
So one watcher per app looks, a few times a second, at how long connections have been lent, and
cuts the sockets of those lent too long: driver and SQLAlchemy then see a lost connection, whichever
the twin.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, event

from apps.common.logs import APP
from apps.common.request_times import RequestTimes, current

FLOOR_S = 1.0
"""Statements may always take this long, however short the wait for a connection is set."""
SOCKET = "socket"
"""Key in a connection record's `info`: the socket a sync driver talks over."""


def bounded(driver: str, wait_s: float) -> Callable[..., Awaitable[Any]]:
    """The async driver's `connect`, given up after `wait_s`, handshake included.

    The drivers' own timeout ends when TCP is connected, which a frozen server's kernel still does.
    """
    connect = import_module(driver).connect

    async def connect_in_time(*arguments: Any, **named: Any) -> Any:
        async with asyncio.timeout(wait_s):
            return await connect(*arguments, **named)

    return connect_in_time


@dataclass(frozen=True, slots=True)
class Lent:
    """A connection in use: since when, by which request, and how to cut it."""

    since_s: float
    times: RequestTimes | None
    cut: Callable[[], None]

    def overdue(self, now_s: float, limit_s: float) -> bool:
        """Whether it has been lent longer than `limit_s` and what its request asked on top."""
        longer_s = self.times.longer_s if self.times is not None else 0.0
        return now_s - self.since_s > limit_s + longer_s


class SilenceWatch:
    """Watches one engine's lent connections; `run` on the loop, the rest from any thread."""

    def __init__(self, engine: Engine, wait_s: float) -> None:
        limit_s = max(wait_s, FLOOR_S)
        self._tick_s = min(limit_s / 10, 0.5)
        # Cut early enough that the answer is out within the limit.
        self._limit_s = limit_s - self._tick_s
        self._lent: dict[int, Lent] = {}
        event.listen(engine, "checkout", self._on_checkout)
        event.listen(engine, "checkin", self._on_checkin)
        if engine.dialect.driver == "pymysql":
            event.listen(engine, "do_connect", self._connect_pymysql)
        elif engine.dialect.driver == "mysqldb":
            event.listen(engine, "connect", _keep_socket_of_mysqldb)

    async def run(self) -> None:
        """Cut overdue connections until cancelled."""
        while True:
            await asyncio.sleep(self._tick_s)
            self.cut_overdue(perf_counter())

    def cut_overdue(self, now_s: float) -> int:
        """Cut what is overdue at `now_s`; returns how many were cut."""
        overdue = [
            (key, lent)
            for key, lent in list(self._lent.items())
            if lent.overdue(now_s, self._limit_s)
        ]
        for key, lent in overdue:
            self._lent.pop(key, None)
            lent.cut()
        if overdue:
            APP.warning("Cut silent connections", extra={"fields": {"connections": len(overdue)}})
        return len(overdue)

    def _on_checkout(self, _: Any, record: Any, __: Any) -> None:
        self._lent[id(record)] = Lent(perf_counter(), current.get(), lambda: _cut(record))

    def _on_checkin(self, _: Any, record: Any) -> None:
        self._lent.pop(id(record), None)

    def _connect_pymysql(self, dialect: Any, record: Any, arguments: Any, named: Any) -> Any:
        """Connect over a socket of our own, watched from the first byte of the handshake on."""
        if "unix_socket" in named:
            return None
        dbapi = dialect.loaded_dbapi
        wire = _open_socket(dbapi, named)
        self._lent[id(wire)] = Lent(perf_counter(), None, lambda: _shut(wire))
        try:
            connection = dbapi.connect(*arguments, **named, defer_connect=True)
            connection.connect(wire)
        finally:
            self._lent.pop(id(wire), None)
        record.info[SOCKET] = wire
        return connection


def _open_socket(dbapi: Any, named: dict[str, Any]) -> socket.socket:
    """A TCP connection to the server, set up as PyMySQL itself would."""
    address = (named.get("host", "localhost"), named.get("port", 3306))
    try:
        wire = socket.create_connection(address, named["connect_timeout"])
    except OSError as error:
        raise dbapi.OperationalError(2003, f"Can't connect to {address[0]!r} ({error})") from error
    wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return wire


def _keep_socket_of_mysqldb(connection: Any, record: Any) -> None:
    """A second handle on the socket: mysqlclient answers no other thread while it waits."""
    record.info[SOCKET] = socket.socket(fileno=os.dup(connection.fileno()))


def _cut(record: Any) -> None:
    """Break a lent connection in the driver's way, so that whoever waits on it is woken."""
    connection = record.driver_connection
    if SOCKET in record.info:
        _shut(record.info[SOCKET])
    elif connection is not None:  # aiomysql, asyncmy
        connection.close()


def _shut(wire: socket.socket) -> None:
    """Closing would not wake a thread that reads; shutting down does."""
    try:
        wire.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # gone already
