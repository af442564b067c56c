"""What the experiments ask of a running twin and of its database: gauges, counts, answers."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.support.twins import Database, RunningTwin

LIMIT_S = 60.0
"""Nothing that is waited for here may take longer."""


def get(url: str) -> httpx.Response:
    """One request on a connection of its own."""
    return httpx.get(url, timeout=LIMIT_S, verify=False, headers={"connection": "close"})


def stats(twin: RunningTwin) -> dict[str, Any]:
    """The twin's own numbers."""
    told: dict[str, Any] = get(f"{twin.url}/stats").json()
    return told


def at_rest(twin: RunningTwin) -> dict[str, Any]:
    """Wait until nothing is in flight or checked out; the twin's numbers then."""

    def resting() -> bool:
        told = stats(twin)
        return not (told["in_flight"] or told["checked_out"] or told["waiting"])

    wait_until(resting, f"{twin.name}: connections or requests are still held")
    return stats(twin)


def wait_until(true: Callable[[], bool], otherwise: str) -> None:
    """Poll; AssertionError with `otherwise` after LIMIT_S."""
    until_s = time.monotonic() + LIMIT_S
    while not true():
        assert time.monotonic() < until_s, otherwise
        time.sleep(0.005)


def connections(database: Database, schema: str) -> int:
    """Connections that the server has to this schema."""
    rows = database.query(
        f"SELECT COUNT(*) n FROM information_schema.processlist WHERE db = '{schema}'"
    )
    return int(rows[0]["n"])


def sleeping(database: Database, schema: str) -> int:
    """Requests to `/slow` whose statement the server is executing now."""
    rows = database.query(
        "SELECT COUNT(*) n FROM information_schema.processlist "
        f"WHERE db = '{schema}' AND state = 'User sleep'"
    )
    return int(rows[0]["n"])


def dial(url: str, **options: int) -> socket.socket:
    """A plain TCP connection to a twin, with these SO_* options set before it connects."""
    where = urlsplit(url)
    wire = socket.socket()
    wire.settimeout(LIMIT_S)
    for name, value in options.items():
        wire.setsockopt(socket.SOL_SOCKET, getattr(socket, name), value)
    wire.connect((where.hostname, where.port))
    return wire


def request_bytes(method: str, path: str, body: Any = None, *, last: bool = True) -> bytes:
    """A request as it goes over the wire; the last one on its connection, or not."""
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: twin\r\n"
    if last:
        head += "Connection: close\r\n"
    if content:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


def status_of(answer: bytes) -> int:
    """The status code of a whole answer; 0 when there is none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/") else 0


def read_all(wire: socket.socket) -> bytes:
    """Everything until the other side closes."""
    parts = []
    while part := wire.recv(65536):
        parts.append(part)
    return b"".join(parts)
