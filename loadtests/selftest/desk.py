"""PURE: when a known-answer server answers each request, and its log; it takes the time as a
value."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from loadtests.selftest.behaviour import NS_PER_S, Behaviour, Fate, draw
from loadtests.selftest.record import LOG_COLUMNS, NEVER
from loadtests.trials import Int64Array

KEY, CONNECTION, READ, START, DUE, END = range(len(LOG_COLUMNS))


class Desk:
    """Takes requests in, says whose answer is due, and writes down what happened."""

    def __init__(self, behaviour: Behaviour, seed: int) -> None:
        drawn = draw(behaviour, seed)
        self._service_ns: list[int] = drawn.service_ns.tolist()
        self._fate: list[int] = drawn.fate.tolist()
        self._one_at_a_time = behaviour.one_at_a_time
        self._stall = behaviour.stall
        self._free_ns = 0
        self._queue: list[tuple[int, int]] = []
        self._rows: list[list[int]] = []
        self.stall_ns: tuple[int, int] | None = None
        """Beginning and end of the stall that is to come; None when there is none."""

    def take_in(self, key: int, connection: int, now_ns: int) -> None:
        """A request for `key` was read at `now_ns`.

        Its answer is due a service time after it is read, or after the one before it where one is
        served at a time, whatever the delay in answering that one: the server's own lateness does
        not add up, and is what `end_ns − due_ns` says. Raises IndexError for an unknown key.
        """
        if self._stall is not None and not self._rows:
            begin_ns = now_ns + round(self._stall.after_s * NS_PER_S)
            self.stall_ns = (begin_ns, begin_ns + round(self._stall.for_s * NS_PER_S))
        service_ns = self._service_ns[key]
        start_ns = max(now_ns, self._free_ns) if self._one_at_a_time else now_ns
        if self._fate[key] == Fate.NEVER_ANSWERED:
            self._rows.append([key, connection, now_ns, start_ns, NEVER, NEVER])
            return
        due_ns = self._free_ns = start_ns + service_ns
        heappush(self._queue, (due_ns, len(self._rows)))
        self._rows.append([key, connection, now_ns, start_ns, due_ns, NEVER])

    def refuse(self, key: int, connection: int, now_ns: int) -> None:
        """A request for `key` was read on a connection that had been closed from this side: it is
        counted, and never answered."""
        self._rows.append([key, connection, now_ns, NEVER, NEVER, NEVER])

    @property
    def next_ns(self) -> int | None:
        """When something is to be done next."""
        due = [self._queue[0][0]] if self._queue else []
        stall = [self.stall_ns[0]] if self.stall_ns else []
        return min(due + stall, default=None)

    def due(self, now_ns: int) -> tuple[int, int, Fate] | None:
        """Take one request whose answer is due: its row, its connection, its fate.

        What is due when a stall that has not been taken begins, or later, waits for its end.
        """
        if not self._queue or self._queue[0][0] > now_ns:
            return None
        if self.stall_ns is not None and self._queue[0][0] >= self.stall_ns[0]:
            return None
        row = heappop(self._queue)[1]
        key, connection = self._rows[row][KEY], self._rows[row][CONNECTION]
        return row, connection, Fate(self._fate[key])

    def stall_until_ns(self, now_ns: int) -> int | None:
        """Take the stall if it has begun: when it ends."""
        if self.stall_ns is None or now_ns < self.stall_ns[0]:
            return None
        (_, end_ns), self.stall_ns = self.stall_ns, None
        return end_ns

    def ended(self, row: int, now_ns: int) -> None:
        """The answer of a row leaves now."""
        self._rows[row][END] = now_ns

    def log(self) -> Int64Array:
        """One row per request, LOG_COLUMNS across."""
        return np.array(self._rows, dtype=np.int64).reshape(len(self._rows), len(LOG_COLUMNS))
