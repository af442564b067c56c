"""A closed load in few instructions: so many users of one instance, each on its own connection."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length: "
SILENCE_LIMIT_S = 10.0


class Connection:
    """One user: sends its next request when the answer is complete."""

    def __init__(self, url: str, paths: Iterator[str], headers: str = "") -> None:
        parts = urlsplit(url)
        self._headers = headers
        self._host = parts.netloc
        self._paths = paths
        self._buffer = b""
        self.socket = socket.create_connection((parts.hostname or "", parts.port or 80), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting = False

    def send(self) -> None:
        """Ask for the next path."""
        request = f"GET {next(self._paths)} HTTP/1.1\r\nhost: {self._host}\r\n{self._headers}\r\n"
        self.socket.sendall(request.encode())
        self.waiting = True

    def answered(self) -> bool:
        """Read what is there; whether that completes the answer.

        Raises RuntimeError on anything but 200, and when the server has closed the connection: a
        socket at its end is readable for ever.
        """
        read = self.socket.recv(65536)
        if not read:
            raise RuntimeError(f"{self._host} closed a connection before it had answered.")
        self._buffer += read
        head, found, body = self._buffer.partition(END_OF_HEAD)
        if not found:
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"{self._host} answered {head[:60]!r}")
        lowered = head.lower()
        start = lowered.index(LENGTH) + len(LENGTH)
        if len(body) < int(lowered[start:].partition(b"\r")[0]):
            return False
        self._buffer, self.waiting = b"", False
        return True


class Users:
    """So many users of one instance; `headers`: what each request carries more, CR LF included."""

    def __init__(self, url: str, count: int, paths: Iterator[str], headers: str = "") -> None:
        self._selector = selectors.DefaultSelector()
        self._connections = [Connection(url, paths, headers) for _ in range(count)]
        for connection in self._connections:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def close(self) -> None:
        """Every user leaves."""
        self._selector.close()
        for connection in self._connections:
            connection.socket.close()

    def load(self, for_s: float) -> tuple[int, float]:
        """Load for so long and wait for the last answers; answers, and seconds until the last.

        Raises RuntimeError when the server closes a connection, fails or falls silent.
        """
        began_s = time.perf_counter()
        until_s = began_s + for_s
        for connection in self._connections:
            connection.send()
        waiting, answers = len(self._connections), 0
        while waiting:
            ready = self._selector.select(SILENCE_LIMIT_S)
            if not ready:
                raise RuntimeError(f"No answer within {SILENCE_LIMIT_S:g} s.")
            for key, _ in ready:
                if not key.data.answered():
                    continue
                answers += 1
                if time.perf_counter() < until_s:
                    key.data.send()
                else:
                    waiting -= 1
        return answers, time.perf_counter() - began_s
