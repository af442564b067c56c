"""Clients that hang up in the middle of their query: does every connection come back?"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from benchmarks.faults.twin import (
    at_rest,
    connections,
    dial,
    get,
    request_bytes,
    sleeping,
    wait_until,
)
from tests.support.twins import Database, RunningTwin

FILLS_PER_WAIT = 5
"""Filling the pool opens its connections first, so its statements take this much longer."""
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: close with a reset instead of a farewell."""


@dataclass(frozen=True, slots=True)
class Aborts:
    """`aborted`: requests hung up on while the server was executing their statement."""

    twin: str
    aborted: int
    connections_before: int
    connections_after: int
    checked_out_after: int

    @property
    def ok(self) -> bool:
        """Whether all is as it was."""
        return self.checked_out_after == 0 and self.connections_after == self.connections_before


def abort_in_mid_query(
    twin: RunningTwin, database: Database, schema: str, *, count: int, pool_size: int, wait_ms: int
) -> Aborts:
    """Abort `count` requests to `/slow`, a pool full at a time, each seen executing first.

    Every second batch is reset, the others closed. `wait_ms`: how long a statement takes; all of a
    batch must begin before the first of it ends, also on a busy machine. Raises AssertionError
    when they do not, or when the twin is not at rest in time.
    """
    _fill_pool(twin, database, schema, pool_size, FILLS_PER_WAIT * wait_ms)
    before = connections(database, schema)
    aborted = 0
    while aborted < count:
        wires = _ask(twin, min(pool_size, count - aborted), wait_ms)
        _await_executing(database, schema, len(wires))
        for wire in wires:
            if aborted // pool_size % 2:
                wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            wire.close()
        aborted += len(wires)
        wait_until(lambda: sleeping(database, schema) == 0, "a statement goes on")
    told = at_rest(twin)
    assert get(f"{twin.url}/items/1").status_code == 200
    return Aborts(twin.name, aborted, before, connections(database, schema), told["checked_out"])


def _ask(twin: RunningTwin, many: int, wait_ms: int) -> list[socket.socket]:
    wires = [dial(twin.url) for _ in range(many)]
    for wire in wires:
        wire.sendall(request_bytes("GET", f"/slow?ms={wait_ms}"))
    return wires


def _await_executing(database: Database, schema: str, many: int) -> None:
    wait_until(lambda: sleeping(database, schema) == many, "not all are being executed")


def _fill_pool(
    twin: RunningTwin, database: Database, schema: str, pool_size: int, wait_ms: int
) -> None:
    """Have the pool open all of its connections, so that what comes later can be compared."""
    wires = _ask(twin, pool_size, wait_ms)
    _await_executing(database, schema, pool_size)
    for wire in wires:
        assert wire.recv(12).startswith(b"HTTP/1.1 200")
        wire.close()
    at_rest(twin)
