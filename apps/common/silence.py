"""Cuts connections on which the database has gone silent, so that no request hangs.

A refused connection fails by itself. A server that is frozen, or behind a cut network, just never
answers: PyMySQL can bound each read, aiomysql cannot, and a bound per read costs every good read.
So one watcher per app looks, a few times a second, at the connections that are lent, and cuts the
sockets of those whose requests have reached their limit: driver and SQLAlchemy then see a lost
connection, whichever the twin.
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

from apps.common.deadline import FLOOR_S, left_s
from apps.common.logs import APP
from apps.common.request_times import current

SOCKET = "socket"
"""Key in a connection record's `info`: the socket a sync driver talks over."""


def bounded(driver: str, limit_s: float) -> Callable[..., Awaitable[Any]]:
    """The async driver's `connect`, given up at the request's limit, handshake included.

    The drivers' own timeout ends when TCP is connected, which a frozen server's kernel still does.
    """
    connect = import_module(driver).connect

    async def connect_in_time(*arguments: Any, **named: Any) -> Any:
        async with asyncio.timeout(left_s(limit_s)):
            return await connect(*arguments, **named)

    return connect_in_time


@dataclass(frozen=True, slots=True)
class Lent:
    """A connection in use: when it is to be cut, and how."""

    due_s: float
    cut: Callable[[], None]


class SilenceWatch:
    """Watches one engine's lent connections; `run` on the loop, the rest from any thread."""

    def __init__(self, engine: Engine, limit_s: float) -> None:
        self._limit_s = limit_s
        self.tick_s = min(max(limit_s, FLOOR_S) / 10, 0.25)
        self._lent: dict[int, Lent] = {}
        event.listen(engine, "checkout", self._on_checkout)
        event.listen(engine, "checkin", self._on_checkin)
        if engine.dialect.driver == "pymysql":
            event.listen(engine, "do_connect", self._connect_pymysql)
        elif engine.dialect.driver == "mysqldb":
            event.listen(engine, "do_connect", self.limit_mysqldb)
            event.listen(engine, "connect", _keep_socket_of_mysqldb)

    async def run(self) -> None:
        """Cut overdue connections until cancelled."""
        while True:
            await asyncio.sleep(self.tick_s)
            self.cut_overdue(perf_counter())

    def cut_overdue(self, now_s: float) -> int:
        """Cut what is overdue at `now_s`; returns how many were cut."""
        overdue = [
            (key, lent)
            for key, lent in list(self._lent.items())
            if now_s > lent.due_s - self.tick_s  # so that the answer is out within the limit
        ]
        for key, lent in overdue:
            self._lent.pop(key, None)
            lent.cut()
        if overdue:
            APP.warning("Cut silent connections", extra={"fields": {"connections": len(overdue)}})
        return len(overdue)

    def _on_checkout(self, _: Any, record: Any, __: Any) -> None:
        times = current.get()
        longer_s = times.longer_s if times is not None else 0.0
        due_s = perf_counter() + left_s(self._limit_s) + longer_s
        self._lent[id(record)] = Lent(due_s, lambda: _cut(record))

    def _on_checkin(self, _: Any, record: Any) -> None:
        self._lent.pop(id(record), None)

    def _connect_pymysql(self, dialect: Any, record: Any, arguments: Any, named: Any) -> Any:
        """Connect over a socket of our own, within what is left of the request's limit."""
        if "unix_socket" in named:
            return None
        dbapi = dialect.loaded_dbapi
        wait_s = left_s(self._limit_s)
        due_s = perf_counter() + wait_s
        wire = _open_socket(dbapi, named, wait_s)
        self._lent[id(wire)] = Lent(due_s, lambda: _shut(wire))
        try:
            connection = dbapi.connect(*arguments, **named, defer_connect=True)
            connection.connect(wire)
        finally:
            self._lent.pop(id(wire), None)
        record.info[SOCKET] = wire
        return connection

    def limit_mysqldb(self, _: Any, __: Any, ___: Any, named: Any) -> None:
        """mysqlclient counts whole seconds, the handshake included."""
        named["connect_timeout"] = int(left_s(self._limit_s))


def _open_socket(dbapi: Any, named: dict[str, Any], wait_s: float) -> socket.socket:
    """A TCP connection to the server, set up as PyMySQL itself would."""
    address = (named.get("host", "localhost"), named.get("port", 3306))
    try:
        wire = socket.create_connection(address, wait_s)
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
