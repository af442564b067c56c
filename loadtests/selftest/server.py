"""The known-answer server: a process of its own, one thread, one timer, no work but waiting.

Started by `loadtests.selftest.server_client` as `python -m loadtests.selftest.server FD`; FD is the
socket on which it is told what to do, and with whose end it ends.
"""

from __future__ import annotations

import gc
import os
import select
import socket
import sys
import time
from contextlib import ExitStack, suppress
from typing import Any

from loadtests.generator.protocol import Frame, receive_frame, send_frame
from loadtests.priority import GENERATOR, ahead_of_others
from loadtests.selftest.behaviour import Behaviour, Fate
from loadtests.selftest.desk import Desk
from loadtests.selftest.server_client import behaviour_in
from loadtests.timerfd import NS_PER_S, TimerFd

BACKLOG = 1024
MOST_EVENTS = 2048
"""Everything that has arrived is taken in at once, with one instant for all of it."""
RECEIVE_BYTES = 65_536
HEAD_END = b"\r\n\r\n"
BODY = b'{"known":"answer"}'
_FIELDS = b"content-type: application/json\r\ncontent-length: %d\r\n" % len(BODY)
GOOD = b"HTTP/1.1 200 OK\r\n" + _FIELDS
BAD = b"HTTP/1.1 500 Internal Server Error\r\n" + _FIELDS
KEEP, CLOSE = b"\r\n" + BODY, b"connection: close\r\n\r\n" + BODY


class Client:
    """One connection: its socket and what has been read of the next request."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.socket, self.number = sock, number
        self.pending = b""
        self.said_goodbye = False
        """Nothing more is answered; what still comes is counted."""


class KnownAnswers:
    """The loop: reads requests, waits, answers; told by its controller what for."""

    def __init__(self, controller: socket.socket) -> None:
        self._controller = controller
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self._listener.setblocking(False)
        self._timer = TimerFd()
        self._clients: dict[int, Client] = {}
        self._by_number: dict[int, Client] = {}
        self._accepted = 0
        self._desk: Desk | None = None
        self._hangs_up = "never"
        self._stalls_ns: list[tuple[int, int]] = []
        self._poller = select.epoll()
        for readable in (self._listener, controller):
            self._poller.register(readable, select.EPOLLIN)
        # Edge-triggered: one wake-up each time it rings, and nothing to read.
        self._poller.register(self._timer.fd, select.EPOLLIN | select.EPOLLET)
        self.port: int = self._listener.getsockname()[1]

    def run(self) -> None:
        """Serve until the controller is gone (EOFError)."""
        with ExitStack() as trial:
            while True:
                events = self._poller.poll(-1, MOST_EVENTS)
                now_ns = time.monotonic_ns()
                for fd, _ in events:
                    if (client := self._clients.get(fd)) is not None:
                        self._read(client, now_ns)
                    elif fd == self._controller.fileno():
                        self._obey(receive_frame(self._controller), trial)
                    elif fd == self._listener.fileno():
                        self._accept()
                self._do_what_is_due()

    def _obey(self, order: Frame, trial: ExitStack) -> None:
        """Begin a trial, or end it and hand over its log. Raises EOFError when told to close."""
        if order.kind == "close":
            raise EOFError
        if order.kind == "begin":
            self._begin(behaviour_in(order), int(order.header["seed"]))
            trial.enter_context(ahead_of_others(GENERATOR))
            send_frame(self._controller, Frame({"kind": "begun"}))
            return
        trial.close()
        desk, self._desk = self._desk, None
        payload = desk.log().tobytes() if desk is not None else b""
        header = {"kind": "log", "stalls_ns": self._stalls_ns}
        send_frame(self._controller, Frame(header, payload))

    def _begin(self, behaviour: Behaviour, seed: int) -> None:
        self._desk = Desk(behaviour, seed)
        self._hangs_up = behaviour.hangs_up
        self._stalls_ns = []
        gc.collect()
        gc.freeze()
        gc.disable()

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionAbortedError):
            while True:
                sock, _ = self._listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._accepted += 1
                client = Client(sock, self._accepted)
                self._clients[sock.fileno()] = self._by_number[client.number] = client
                self._poller.register(sock, select.EPOLLIN)

    def _read(self, client: Client, now_ns: int) -> None:
        try:
            data = client.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self._hang_up(client)
            return
        *heads, client.pending = (client.pending + data).split(HEAD_END)
        for head in heads:
            if self._desk is None:  # nobody should ask between trials
                self._hang_up(client)
                return
            take = self._desk.refuse if client.said_goodbye else self._desk.take_in
            take(int(head.split(b" ", 2)[1][1:]), client.number, now_ns)
        if heads and client.said_goodbye:
            self._hang_up(client)

    def _do_what_is_due(self) -> None:
        if (desk := self._desk) is None:
            return
        now_ns = time.monotonic_ns()
        while (due := desk.due(now_ns)) is not None:
            row, number, fate = due
            desk.ended(row, time.monotonic_ns())
            self._answer(self._by_number.get(number), fate)
        if (end_ns := desk.stall_until_ns(now_ns)) is not None:
            self._stall(end_ns)
        if (next_ns := desk.next_ns) is not None:
            self._timer.set(next_ns)

    def _stall(self, end_ns: int) -> None:
        """Do nothing at all until the stall is over."""
        begun_ns = time.monotonic_ns()
        while (left_ns := end_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / NS_PER_S)
        self._stalls_ns.append((begun_ns, time.monotonic_ns()))

    def _answer(self, client: Client | None, fate: Fate) -> None:
        if client is None:
            return
        if fate == Fate.DROPPED:
            self._hang_up(client)
            return
        head = BAD if fate == Fate.FAILED else GOOD
        with suppress(OSError):  # the client has given up and gone
            client.socket.send(head + (CLOSE if self._hangs_up == "announced" else KEEP))
            if self._hangs_up != "never":
                # A client may have sent a request before it learns of this: it must be counted.
                client.socket.shutdown(socket.SHUT_WR)
                client.said_goodbye = True

    def _hang_up(self, client: Client) -> None:
        self._clients.pop(client.socket.fileno(), None)
        self._by_number.pop(client.number, None)
        client.socket.close()


def main(arguments: list[str]) -> None:
    """Serve the controller until it is gone."""
    controller = socket.socket(fileno=int(arguments[0]))
    server = KnownAnswers(controller)
    send_frame(controller, Frame({"kind": "ready", "port": server.port, **_facts()}))
    with suppress(EOFError, ConnectionError):
        server.run()
    os._exit(0)


def _facts() -> dict[str, Any]:
    with ahead_of_others(GENERATOR) as real_time:
        return {"real_time": real_time}


if __name__ == "__main__":
    main(sys.argv[1:])
