"""Clients that send byte by byte, or do not read their answers: do they hold what others need?"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import httpx

from benchmarks.faults.twin import (
    at_rest,
    dial,
    get,
    read_all,
    request_bytes,
    stats,
    status_of,
    wait_until,
)
from tests.support.twins import RunningTwin

BYTE_EVERY_S = 0.01
SMALL_BUFFER_BYTES = 4096
LOOKS_STUCK = 30
"""Looks at the twin in a row at which nothing has got on."""
WIDE = {"name": "🙂" * 100, "description": "🙂" * 500, "price": 1}
WIDE_PAGE = "/items?after=0&limit=1000"
PAGES = 4
"""2.5 MB each: more than the kernel keeps for a client that does not read (4 MB by default)."""


@dataclass(frozen=True, slots=True)
class SlowClients:
    """What was seen while `clients` were slow, and how they fared in the end."""

    twin: str
    what: str
    clients: int
    in_flight: int
    """Requests in flight while they were slow, at the least."""
    held_at_most: int
    """Connections of the pool that were in use meanwhile, at any look."""
    others: dict[int, int]
    """How others were answered meanwhile, by status."""
    answered: dict[int, int]
    """How the slow ones were answered in the end, by status."""

    def ok(self, good: int) -> bool:
        """Whether they held nothing, others were served, and they got their `good` answers."""
        return (
            self.held_at_most == 0
            and self.in_flight >= self.clients
            and set(self.others) == {200}
            and self.answered == {good: self.clients}
        )


def slow_senders(twin: RunningTwin, *, clients: int) -> SlowClients:
    """Bodies sent a byte at a time; in the middle, others ask and the gauges are read."""
    content = request_bytes("POST", "/objects/items", {"name": "slow", "price": 1})
    start = content.index(b"\r\n\r\n") + 4
    with ExitStack() as stack:
        wires = [stack.enter_context(dial(twin.url)) for _ in range(clients)]
        for wire in wires:
            wire.sendall(content[:start])
        watch = _Watch(twin)
        for position in range(start, len(content)):
            for wire in wires:
                wire.sendall(content[position : position + 1])
            if position < len(content) - 1:
                watch.look()
            time.sleep(BYTE_EVERY_S)
        answers = [status_of(read_all(wire)) for wire in wires]
    return watch.seen("bodies byte by byte", answers)


def slow_readers(twin: RunningTwin, *, clients: int, looks: int = 5) -> SlowClients:
    """Answers of some megabytes that nobody reads for a while; the table must hold WIDE items.

    Each client asks for several pages on one connection, so that the twin gets stuck in sending.
    """
    with ExitStack() as stack:
        wires = [
            stack.enter_context(dial(twin.url, SO_RCVBUF=SMALL_BUFFER_BYTES))
            for _ in range(clients)
        ]
        for wire in wires:
            wire.sendall(wide_pages())
        _await_stuck(twin, clients)
        watch = _Watch(twin)
        for _ in range(looks):
            watch.look()
        with ThreadPoolExecutor(clients) as readers:
            answers = list(readers.map(read_all, wires))
    complete = [answer.count(b"HTTP/1.1 200 OK") == PAGES for answer in answers]
    return watch.seen("answers not read", [200 if whole else 0 for whole in complete])


def wide_pages() -> bytes:
    """Requests for several pages, to be sent at once."""
    asked = request_bytes("GET", WIDE_PAGE, last=False)
    return asked * (PAGES - 1) + request_bytes("GET", WIDE_PAGE)


def _await_stuck(twin: RunningTwin, clients: int) -> None:
    """Wait until each client has an answer on its way that does not get on."""
    seen: list[int] = []

    def stuck() -> bool:
        told = stats(twin)
        if told["in_flight"] != clients or told["checked_out"]:
            seen.clear()
            return False
        seen.append(told["requests"])
        return seen[-LOOKS_STUCK:] == seen[-1:] * LOOKS_STUCK

    wait_until(stuck, "the kernel takes the whole answers")


def fill_with_wide_items(twin: RunningTwin) -> None:
    """1000 items as wide as they can be."""
    answer = httpx.post(f"{twin.url}/statements/items", json=[WIDE] * 1000, timeout=60)
    assert answer.status_code == 201, answer.text


class _Watch:
    """Looks at the twin's gauges, and asks as another client would."""

    def __init__(self, twin: RunningTwin) -> None:
        self.twin = twin
        self.held: list[int] = []
        self.in_flight: list[int] = []
        self.others: dict[int, int] = {}

    def look(self) -> None:
        told = stats(self.twin)
        self.held.append(told["checked_out"])
        self.in_flight.append(told["in_flight"])
        status = get(f"{self.twin.url}/items/1").status_code
        self.others[status] = self.others.get(status, 0) + 1

    def seen(self, what: str, answers: list[int]) -> SlowClients:
        at_rest(self.twin)
        by_status = {status: answers.count(status) for status in sorted(set(answers))}
        return SlowClients(
            self.twin.name, what, len(answers), min(self.in_flight), max(self.held), self.others,
            by_status,
        )  # fmt: skip
