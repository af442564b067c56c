"""A crowd on a small pool: is every request answered, and with what?"""

from __future__ import annotations

import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.faults.twin import at_rest, dial, read_all, request_bytes, status_of
from tests.support.twins import RunningTwin


@dataclass(frozen=True, slots=True)
class Crowd:
    """How a crowd was answered; a request that hangs raises before this exists."""

    twin: str
    asked: int
    answered: dict[int, int]
    """Answers by status code."""
    took_s: float
    """From the first request sent to the last answer received."""
    checked_out_after: int

    @property
    def ok(self) -> bool:
        """Whether each request got its item or a 503, and some got theirs."""
        return (
            set(self.answered) <= {200, 503}
            and self.answered.get(200, 0) > 0
            and sum(self.answered.values()) == self.asked
            and self.checked_out_after == 0
        )

    @property
    def good_per_s(self) -> float:
        """Good answers per second until the last answer of any kind."""
        return self.answered.get(200, 0) / self.took_s


def crowd(twin: RunningTwin, *, count: int, path: str = "/items/1") -> Crowd:
    """`count` requests at once, each on a connection of its own that is open already."""
    with ExitStack() as stack:
        wires = [stack.enter_context(dial(twin.url)) for _ in range(count)]
        readers = stack.enter_context(ThreadPoolExecutor(count))
        began_s = time.monotonic()
        for wire in wires:
            wire.sendall(request_bytes("GET", path))
        answers = list(readers.map(_status_and_when, wires))
    took_s = max(when_s for _, when_s in answers) - began_s
    told = at_rest(twin)
    by_status = Counter(status for status, _ in answers)
    return Crowd(twin.name, count, dict(sorted(by_status.items())), took_s, told["checked_out"])


def _status_and_when(wire: socket.socket) -> tuple[int, float]:
    return status_of(read_all(wire)), time.monotonic()
