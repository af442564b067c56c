"""One relayed connection: two sockets, what waits for each, and how far each has come."""

from __future__ import annotations

import errno
import select
import socket
import struct
from collections import deque
from collections.abc import Sequence

from loadtests.timerfd import NS_PER_S

WINDOW_BYTES = 1 << 20
"""Most bytes on their way in one direction of a connection; then its sender must wait."""
CHUNK_BYTES = 1 << 16
NOTES_BYTES = socket.CMSG_SPACE(16)
SO_TIMESTAMPNS = 35
"""Missing in Python's socket module; the number is that of asm-generic/socket.h."""
TIMESPEC = struct.Struct("ll")
CUT_OFF = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: closing sends a reset (socket(7))."""
END_OF_STREAM = b""


class End:
    """One of a connection's two sockets. What is read from it is on its way to `other`."""

    __slots__ = (
        "connected",
        "gone",
        "in_flight",
        "mask",
        "other",
        "paused",
        "poller",
        "read_ended",
        "socket",
        "unsent",
        "write_ended",
    )
    other: End

    def __init__(self, poller: select.epoll, sock: socket.socket, *, connected: bool) -> None:
        self.poller = poller
        self.socket = sock
        self.connected = connected
        self.gone = False
        """Closed by us; what still arrives for it is dropped."""
        self.read_ended = False
        self.write_ended = False
        self.paused = False
        self.in_flight = 0
        """Bytes read here and not yet written to `other`."""
        self.unsent: deque[memoryview | bytes] = deque()
        """What has arrived for this socket and the kernel does not take yet."""
        self.mask: int | None = None
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)

    def connect(self, address: object) -> None:
        """Begin to connect. Raises OSError when that fails at once."""
        problem = self.socket.connect_ex(address)  # type: ignore[arg-type]
        if problem not in (0, errno.EINPROGRESS):
            raise OSError(problem, "connect")
        self.watch()

    def finish_connecting(self) -> None:
        """The socket has become writable for the first time. Raises OSError when it failed."""
        if problem := self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(problem, "connect")
        self.connected = True
        self.flush()
        self.watch()

    def read(self) -> tuple[bytes, int | None] | None:
        """What there is to read (END_OF_STREAM at its end) and when the kernel got it, in
        nanoseconds of the wall clock, where it tells; None for nothing. Raises OSError when the
        peer has reset the connection."""
        try:
            data, notes, _, _ = self.socket.recvmsg(CHUNK_BYTES, NOTES_BYTES)
        except BlockingIOError:
            return None
        if data:
            self.in_flight += len(data)
            if self.in_flight >= WINDOW_BYTES:
                self.paused = True
                self.watch()
        else:
            self.read_ended = True
            self.watch()
        return data, _stamp_ns(notes)

    def write(self, data: bytes) -> None:
        """Pass on what has arrived, after what had to wait. Raises OSError when the peer has reset
        the connection."""
        if self.unsent or not self.connected:
            self.unsent.append(memoryview(data) if data else data)
            return
        if not data:
            self._shut()
            return
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        self.other.passed_on(sent)
        if sent < len(data):
            self.unsent.append(memoryview(data)[sent:])
            self.watch()

    def flush(self) -> None:
        """Write what had to wait, as far as the kernel takes it. Raises OSError as `write` does."""
        unsent = self.unsent
        while unsent:
            first = unsent[0]
            if not first:
                unsent.popleft()
                self._shut()
                break
            try:
                sent = self.socket.send(first)
            except BlockingIOError:
                break
            self.other.passed_on(sent)
            if sent < len(first):
                unsent[0] = first[sent:]
                break
            unsent.popleft()
        self.watch()

    def passed_on(self, count: int) -> None:
        """So many bytes read here have left; read on once half of the window is free."""
        self.in_flight -= count
        if self.paused and self.in_flight <= WINDOW_BYTES // 2:
            self.paused = False
            self.watch()

    @property
    def finished(self) -> bool:
        """Whether both directions of the connection have come to their end."""
        return self.write_ended and self.other.write_ended

    def _shut(self) -> None:
        self.write_ended = True
        self.socket.shutdown(socket.SHUT_WR)

    def watch(self) -> None:
        """Tell epoll what to wait for.

        A paused socket is taken out altogether: epoll reports a hang-up whether asked or not, over
        and over while it cannot be read.
        """
        if self.gone:
            return
        reading = not (self.paused or self.read_ended)
        writing = bool(self.unsent) or not self.connected
        mask: int | None = (select.EPOLLIN if reading and self.connected else 0) | (
            select.EPOLLOUT if writing else 0
        )
        if not mask and self.paused:
            mask = None
        if mask == self.mask:
            return
        fd = self.socket.fileno()
        if self.mask is None:
            self.poller.register(fd, mask or 0)
        elif mask is None:
            self.poller.unregister(fd)
        else:
            self.poller.modify(fd, mask)
        self.mask = mask

    def close(self, *, reset: bool = False) -> None:
        """Close the socket, with a reset for its peer if wished; bytes that wait are dropped."""
        if self.gone:
            return
        self.gone = True
        self.unsent.clear()
        if reset:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CUT_OFF)
        self.socket.close()  # which takes it out of epoll


def _stamp_ns(notes: Sequence[tuple[int, int, bytes]]) -> int | None:
    """The time of arrival among a message's notes (SO_TIMESTAMPNS, socket(7))."""
    for level, kind, note in notes:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = TIMESPEC.unpack(note)
            return int(seconds) * NS_PER_S + int(nanoseconds)
    return None
