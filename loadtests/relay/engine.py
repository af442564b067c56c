"""The relay's loop: accepts, reads, lets everything wait for half a round trip, passes it on."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from dataclasses import dataclass
from enum import Enum

from loadtests.relay.delay_line import DelayLine, Lateness, Lead
from loadtests.relay.ends import End
from loadtests.timerfd import TimerFd

MOST_EVENTS = 64
BACKLOG = 1024


class Notice(Enum):
    """What travels besides bytes."""

    OPEN_FROM_AFAR = 3
    OPEN_HALF_WAY = 2
    OPEN = 1
    RESET = 0


ON_THE_WAY_TO_OPEN = {
    Notice.OPEN_FROM_AFAR: Notice.OPEN_HALF_WAY,
    Notice.OPEN_HALF_WAY: Notice.OPEN,
}
"""A handshake crosses the distance three times before the server can say anything: SYN, SYN-ACK,
ACK. Ours with the client is over at once, so the one with the server waits for as long."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where connections go: a socket family and an address of it."""

    family: int
    address: object


def resolve(host: str, port: int) -> Upstream:
    """The first address of a host. Raises OSError when there is none."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return Upstream(family, address)


class Engine:
    """Relays every connection of a listening socket; one thread, one timer, one queue."""

    def __init__(self, listener: socket.socket, upstream: Upstream, one_way_ns: int) -> None:
        self.lateness = Lateness()
        self.connections = 0
        self._listener = listener
        self._upstream = upstream
        self._line: DelayLine[tuple[End, bytes | Notice]] = DelayLine(one_way_ns)
        self._ends: dict[int, End] = {}
        self._timer = TimerFd()
        self._timer_is_for_ns: int | None = None
        self._lead = Lead(one_way_ns)
        self._now_ns = self._waited_from_ns = time.monotonic_ns()
        """When the last wait ended, and the one before: bytes found now came in between."""
        self._wall_ahead_ns = 0
        self._poller = select.epoll()
        listener.setblocking(False)
        self._poller.register(listener, select.EPOLLIN)
        # Edge-triggered: one wake-up each time it rings, and nothing to read.
        self._poller.register(self._timer.fd, select.EPOLLIN | select.EPOLLET)

    def run(self) -> None:
        """Relay until interrupted."""
        while True:
            self.turn()

    def turn(self) -> None:
        """Wait for anything, take in what there is, pass on what has arrived."""
        events = self._poller.poll(-1, MOST_EVENTS)
        self._now_ns = time.monotonic_ns()
        self._wall_ahead_ns = time.time_ns() - self._now_ns
        somebody_knocks = False
        for fd, event in events:
            if (end := self._ends.get(fd)) is not None:
                self._take_in(end, event)
            elif fd == self._listener.fileno():
                somebody_knocks = True
        if somebody_knocks:  # last: a new socket may get the number of one closed just now
            self._accept()
        self._pass_on()
        self._set_timer()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            accepted, _ = self._listener.accept()
            self.connections += 1
            client = End(self._poller, accepted, connected=True)
            server = End(
                self._poller,
                socket.socket(self._upstream.family, socket.SOCK_STREAM),
                connected=False,
            )
            client.other, server.other = server, client
            self._ends[accepted.fileno()] = client
            self._ends[server.socket.fileno()] = server
            client.watch()
            self._line.put(self._now_ns, (server, Notice.OPEN_FROM_AFAR))

    def _take_in(self, end: End, event: int) -> None:
        try:
            if event & select.EPOLLOUT:
                end.flush() if end.connected else end.finish_connecting()
                self._close_if_finished(end)
            if event & ~select.EPOLLOUT and not end.gone:
                if end.read_ended:  # nothing more was asked for: this is an error
                    raise ConnectionResetError
                found = end.read()  # also after a reset: first what came before it
                if found is not None:
                    data, stamp_ns = found
                    self._line.put(self._came_ns(stamp_ns), (end.other, data))
        except OSError:
            self._lost(end)

    def _came_ns(self, stamp_ns: int | None) -> int:
        """When bytes came, on the monotonic clock: what the kernel says, within this wait.

        It saves the delay from including our own waking up. The bounds are for a wall clock that
        is set meanwhile.
        """
        if stamp_ns is None:
            return self._now_ns
        return max(self._waited_from_ns, min(stamp_ns - self._wall_ahead_ns, self._now_ns))

    def _pass_on(self) -> None:
        soon_ns = time.monotonic_ns() + self._lead.ns
        for due_ns, (end, what) in self._line.arrived(soon_ns):
            if end.gone:
                continue
            try:
                self._deliver(end, what)
            except OSError:
                self._lost(end)
            late_ns = time.monotonic_ns() - due_ns
            self._lead.learn(late_ns)
            self.lateness.add(late_ns)

    def _deliver(self, end: End, what: bytes | Notice) -> None:
        if isinstance(what, bytes):
            end.write(what)
            self._close_if_finished(end)
        elif what is Notice.RESET:
            self._close(end, reset=True)
        elif what is Notice.OPEN:
            end.connect(self._upstream.address)
        else:
            self._line.put(self._now_ns, (end, ON_THE_WAY_TO_OPEN[what]))

    def _lost(self, end: End) -> None:
        """The peer of this end is gone; the other side hears of it after the delay."""
        self._close(end)
        self._line.put(self._now_ns, (end.other, Notice.RESET))

    def _close_if_finished(self, end: End) -> None:
        if end.finished:
            self._close(end)
            self._close(end.other)

    def _close(self, end: End, *, reset: bool = False) -> None:
        if not end.gone:
            del self._ends[end.socket.fileno()]
            end.close(reset=reset)

    def _set_timer(self) -> None:
        self._waited_from_ns = self._now_ns
        due_ns = self._line.next_due_ns
        if due_ns is not None and due_ns != self._timer_is_for_ns:
            self._timer.set(due_ns - self._lead.ns)
            self._timer_is_for_ns = due_ns
