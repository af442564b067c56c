"""Keep-alive connections to one server: opened ahead, one request at a time each, never retried.

A request costs one `send`, one `recv` and two switches of greenlets: the socket's readiness watcher
stays armed for the connection's whole life and its callback, in gevent's hub, feeds
geventhttpclient's C parser; the waiting user is woken once the answer is complete. (The library's
own `HTTPClient` builds the headers anew each time and resends idempotent requests on a dropped
connection, which a measurement must not do.)
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections import deque
from collections.abc import Callable
from time import monotonic, monotonic_ns
from typing import Any
from urllib.parse import urlsplit

import gevent.socket
import gevent.ssl
from gevent import get_hub
from gevent.monkey import get_original
from gevent.pool import Pool
from geventhttpclient._parser import HTTPParseError, HTTPResponseParser

RECEIVE_BYTES = 65_536
READ, WRITE = 1, 2
HEAD_END = b"\r\n\r\n"
WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
OPENED_AT_ONCE = 16
_ERROR_NAMES: dict[type[BaseException], str] = {
    TimeoutError: "timeout",
    socket.gaierror: "name not resolved",
    ConnectionResetError: "connection reset",
    BrokenPipeError: "connection reset",
    ConnectionRefusedError: "connection refused",
}

plain_socket = get_original("socket", "socket")


def error_name(error: BaseException) -> str:
    """A short, stable name for what went wrong with a connection."""
    for kind, name in _ERROR_NAMES.items():
        if isinstance(error, kind):
            return name
    if isinstance(error, ssl.SSLError):
        return f"tls: {error.reason or error}"
    if isinstance(error, OSError) and error.errno is not None:
        return f"connection failed: {errno.errorcode.get(error.errno, error.errno)}"
    return f"{type(error).__name__}: {error}"


class Connection(HTTPResponseParser):
    """One open connection; `begin` sends a request and `wake` is called when it has its answer."""

    _on_status = _on_header_field = _on_header_value = deque[Any](maxlen=0).append
    _on_message_begin = deque[Any](maxlen=0).clear
    # The parser insists on these callbacks; C functions that do nothing are the cheapest.

    def __init__(self, sock: Any, *, tls: bool) -> None:
        super().__init__()
        self._socket, self._tls = sock, tls
        self._head_answer = False
        self._reusable = True
        self._rest = b""
        self._write_watcher: Any = None
        self._watcher = get_hub().loop.io(sock.fileno(), READ)
        self._watcher.start(self._readable)
        self.open = True
        self.waiting = False
        self.wake: Callable[[], object] = _nobody
        self.deadline_ns = 0
        self.done_ns = 0
        self.idle_since_ns = 0
        self.error: str | None = None
        self.status = 0
        self.body_bytes = 0
        self.head = b""

    def begin(
        self, message: bytes, deadline_ns: int, wake: Callable[[], object], *, head_answer: bool
    ) -> None:
        """Send one request. `waiting` is True until its answer or its failure is known.

        `wake` is called in the hub, and only if the end comes later than this call. Then `error` is
        None or names the failure; `status`, `body_bytes` and `head` (raw) describe the answer.
        `done_ns` is when its last byte, or the failure, was seen.
        `head_answer`: the answer has no body whatever it announces (HEAD).
        """
        self.deadline_ns, self.wake = deadline_ns, wake
        self.status = self.body_bytes = 0
        self.error, self.head = None, b""
        self._head_answer = head_answer
        self.waiting = True
        try:
            sent = self._socket.send(message)
        except WOULD_BLOCK:
            sent = 0
        except OSError as error:
            self.close(error_name(error))
            return
        if sent < len(message):
            self._rest = message[sent:]
            self._write_watcher = get_hub().loop.io(self._socket.fileno(), WRITE)
            self._write_watcher.start(self._writable)

    def fail(self, error: str) -> None:
        """Give the request in flight up, and the connection with it (call in the hub)."""
        if self.waiting:
            self.close(error)
            self.wake()

    def close(self, error: str | None = None) -> None:
        """Close; a request in flight fails with `error`, and nobody is woken."""
        if not self.open:
            return
        if self.waiting:
            self.done_ns = monotonic_ns()
        self.open = self.waiting = False
        self.error = error
        for watcher in (self._watcher, self._write_watcher):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        self._socket.close()

    def _writable(self) -> None:
        try:
            sent = self._socket.send(self._rest)
        except WOULD_BLOCK:
            return
        except OSError as error:
            self.fail(error_name(error))
            return
        self._rest = self._rest[sent:]
        if not self._rest:
            self._write_watcher.stop()
            self._write_watcher.close()
            self._write_watcher = None

    def _readable(self) -> None:
        was_waiting = self.waiting
        try:
            self._receive(self._socket.recv(RECEIVE_BYTES))
            while self._tls and self.waiting:  # TLS may hold more that is already decrypted
                self._receive(self._socket.recv(RECEIVE_BYTES))
        except WOULD_BLOCK:
            return
        except OSError as error:
            self.close(error_name(error))
        except HTTPParseError:
            self.close("not HTTP" if self.waiting else None)
        if was_waiting and not self.waiting:
            self.wake()

    def _receive(self, data: bytes) -> None:
        self.done_ns = monotonic_ns()
        if not self.waiting:  # closed while idle, or bytes nobody asked for
            self.close()
            return
        if HEAD_END not in self.head:
            self.head += data
        self.feed(data)
        if not data and self.waiting:
            self.close("connection closed")
        elif not self.waiting and not self._reusable:
            self.close()

    def _on_headers_complete(self) -> bool:
        return self._head_answer

    def _on_body(self, data: bytearray) -> None:
        self.body_bytes += len(data)

    def _on_message_complete(self) -> None:
        status = self.get_code()
        if status < 200:  # an interim answer: the final one follows
            self.head = b""
            return
        if not self.waiting:  # a second answer to one request
            self._reusable = False
            return
        self.status = status
        self.head = self.head[: self.head.find(HEAD_END) + len(HEAD_END)]
        self._reusable = self.should_keep_alive()
        self.waiting = False


def _nobody() -> None:
    """Stands in where nobody waits."""


class Site:
    """One server and the idle connections to it, handed out in turn."""

    def __init__(self, url: str, idle_limit_s: float) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._idle_limit_ns = idle_limit_s * 1e9
        self._idle: deque[Connection] = deque()
        self._context = gevent.ssl.create_default_context() if self._tls else None
        self._peer: tuple[int, Any] | None = None

    def take(self, timeout_s: float) -> Connection:
        """An idle connection, the longest idle first (so that all stay fresh), or a new one.

        Blocks only the calling greenlet, and only to open. Raises OSError.
        """
        while self._idle:
            connection = self._idle.popleft()
            if connection.open:
                return connection
        return self._connect(timeout_s)

    def give(self, connection: Connection, now_ns: int) -> None:
        """Hand a connection back; closed ones are dropped."""
        if connection.open:
            connection.idle_since_ns = now_ns
            self._idle.append(connection)

    def prepare(self, count: int, now_ns: int, timeout_s: float) -> None:
        """Have at least `count` connections open, none idle for longer than the server's limit.

        Gives up after `timeout_s` in all. Failures are left for the requests to meet, which record
        them.
        """
        fresh = deque[Connection]()
        for connection in self._idle:
            if now_ns - connection.idle_since_ns > self._idle_limit_ns:
                connection.close()
            elif connection.open:
                fresh.append(connection)
        self._idle = fresh
        give_up_s = monotonic() + timeout_s
        pool = Pool(OPENED_AT_ONCE)
        for _ in range(count - len(fresh)):
            pool.spawn(self._open_ahead, now_ns, give_up_s)
        pool.join()

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop().close()

    def _open_ahead(self, now_ns: int, give_up_s: float) -> None:
        left_s = give_up_s - monotonic()
        if left_s <= 0:
            return
        try:
            self.give(self._connect(left_s), now_ns)
        except OSError:
            return

    def _connect(self, timeout_s: float) -> Connection:
        sock = self._opened(timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._context is not None:
            sock = self._context.wrap_socket(sock, server_hostname=self._host)
        else:
            sock = plain_socket(fileno=sock.detach())  # without gevent's wrapper around each call
        sock.settimeout(0.0)
        return Connection(sock, tls=self._tls)

    def _opened(self, timeout_s: float) -> Any:
        """A connected socket. Where the name leads to is found out once: gevent asks in a thread,
        even for a numeric address, which takes longer than to connect."""
        if self._peer is None:
            sock = gevent.socket.create_connection((self._host, self._port), timeout=timeout_s)
            self._peer = (sock.family, sock.getpeername())
            return sock
        family, address = self._peer
        sock = gevent.socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(timeout_s)
        try:
            sock.connect(address)
        except OSError:
            sock.close()
            raise
        return sock
