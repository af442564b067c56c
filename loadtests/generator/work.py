"""One trial as its users do it: send what is due or wanted, wait for the answer, note its end.

Everything that wakes a user (an answer, the pacer, a timeout) runs in gevent's hub, so that a user
is never woken twice and nothing is lost between two wakings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import gevent
from gevent import get_hub
from gevent.event import Event

from loadtests.arrivals import NS_PER_S, Window
from loadtests.errors import SpecError
from loadtests.generator.connections import Connection, Site, error_name
from loadtests.generator.messages import Message
from loadtests.pacer import Pacer, new_alarm
from loadtests.recorder import Row
from loadtests.sharing import DealtStream
from loadtests.trials import Int64Array

SWEEPS_PER_TIMEOUT = 50
LONGEST_SWEEP_S = 0.05
PAUSE_AFTER_NO_CONNECTION_S = 0.01
"""A closed user whose server cannot be reached waits this long before it tries again."""
SHORTEST_CONNECT_S = 0.01
"""Allowed for a connection however little of a request's time is left."""
CLOSED_DRAW_PER_S = 20_000
"""Requests drawn ahead for a closed load; the stream goes on if they are used up."""

monotonic_ns = time.monotonic_ns


class Worker(Protocol):
    """A Locust user, as far as a trial uses it."""

    wake: Callable[..., object]
    """Switches to the user's greenlet; called in the hub only."""
    connection: Connection | None


class Work:
    """What open and closed trials have in common: sending one request and noting its end."""

    def __init__(
        self,
        site: Site,
        messages: Sequence[Message],
        stream: DealtStream,
        users: Sequence[Worker],
        timeout_s: float,
    ) -> None:
        self._site, self._messages, self._stream = site, messages, stream
        self._users = users
        self._timeout_s = timeout_s
        self._timeout_ns = round(timeout_s * NS_PER_S)
        self.which: list[int] = []
        self.keys: list[int] = []
        self.rows: list[Row] = []
        self.no_free_user = 0
        self.finished = Event()
        self.failure: BaseException | None = None

    def draw(self, count: int) -> int:
        """Append the next `count` requests of the stream; returns how many there were."""
        drawn = self._stream.draw(count)
        self.which += drawn.which.tolist()
        self.keys += drawn.keys.tolist()
        return len(drawn.which)

    def run(self, window: Window, within_s: float) -> bool:
        """Do the whole trial; False when it has not drained after `within_s`. Raises what a user's
        code raised."""
        sweep_s = min(LONGEST_SWEEP_S, self._timeout_s / SWEEPS_PER_TIMEOUT)
        sweeper = get_hub().loop.timer(sweep_s, sweep_s)
        sweeper.start(self._sweep)
        try:
            drained = self._run(window, within_s)
        finally:
            sweeper.stop()
            sweeper.close()
        if self.failure is not None:
            raise self.failure
        return drained

    def abandon(self, failure: BaseException) -> None:
        """End the trial because a user's code failed."""
        self.failure = failure
        self.finished.set()

    def go_on(self, user: Worker, index: int) -> None:
        """What a woken user does until it has nothing to do."""
        raise NotImplementedError

    @property
    def planned(self) -> int:
        """Requests planned; in a closed load, requests begun."""
        raise NotImplementedError

    def _run(self, window: Window, within_s: float) -> bool:
        raise NotImplementedError

    def _send(self, user: Worker, index: int, arrival_ns: int, sent_ns: int) -> bool:
        """Send request `index` now, at `sent_ns`, and note its end; False if there was no
        connection for it."""
        message = self._messages[self.which[index]]
        data = message.filled(self.keys[index])
        deadline_ns = arrival_ns + self._timeout_ns
        connection = user.connection
        if connection is None or not connection.open:
            try:
                left_s = max(SHORTEST_CONNECT_S, (deadline_ns - sent_ns) / NS_PER_S)
                connection = user.connection = self._site.take(left_s)
            except OSError as error:
                now_ns = monotonic_ns()
                self._note(index, arrival_ns, sent_ns, now_ns, 0, 0, b"", error_name(error))
                return False
        connection.begin(data, deadline_ns, user.wake, head_answer=message.has_no_answer_body)
        switch = get_hub().switch
        while connection.waiting:
            switch()
        self._note(
            index,
            arrival_ns,
            sent_ns,
            connection.done_ns,
            connection.status,
            connection.body_bytes,
            connection.head,
            connection.error,
        )
        return True

    def _note(
        self,
        index: int,
        arrival_ns: int,
        sent_ns: int | None,
        done_ns: int,
        status: int,
        body_bytes: int,
        head: bytes,
        error: str | None,
    ) -> None:
        if error is not None:
            status = 0
        self.rows.append((index, arrival_ns, sent_ns, done_ns, status, body_bytes, head, error))

    def _hand_back(self, user: Worker) -> None:
        if user.connection is not None:
            self._site.give(user.connection, monotonic_ns())
            user.connection = None

    def _sweep(self) -> None:
        """Give up whatever has run into the timeout (in the hub)."""
        now_ns = monotonic_ns()
        for user in self._users:
            connection = user.connection
            if connection is not None and connection.waiting and connection.deadline_ns <= now_ns:
                connection.fail("timeout")


class ClosedWork(Work):
    """N users, each sending its next request as its answer arrives, until the window ends."""

    def __init__(self, duration_s: float, *common: Any) -> None:
        super().__init__(*common)
        self._started = self._active = self._end_ns = 0
        self._batch = 1000 + int(CLOSED_DRAW_PER_S * duration_s)
        self.draw(self._batch)

    @property
    def planned(self) -> int:
        """Requests begun."""
        return self._started

    def _run(self, window: Window, within_s: float) -> bool:
        self._end_ns = window.steady_end_ns
        alarm = new_alarm(self._begin)
        alarm.set(window.start_ns)
        drained = bool(self.finished.wait(within_s))
        alarm.close()
        return drained

    def _begin(self) -> None:
        self._active = len(self._users)
        if not self._users:  # fewer users than processes
            self.finished.set()
        for user in self._users:
            user.wake(self, -1)

    def go_on(self, user: Worker, index: int) -> None:
        """Send request after request, whichever is next in the common stream."""
        while (now_ns := monotonic_ns()) < self._end_ns:
            index = self._started
            if index >= len(self.which) and not self.draw(self._batch):
                raise _ran_out_of_keys(index)
            self._started = index + 1
            if not self._send(user, index, now_ns, now_ns):
                gevent.sleep(PAUSE_AFTER_NO_CONNECTION_S)
        self._hand_back(user)
        self._active -= 1
        if not self._active:
            self.finished.set()


class OpenWork(Work):
    """Requests sent at planned instants, each by whichever user is free."""

    def __init__(self, offsets_ns: Int64Array, *common: Any) -> None:
        super().__init__(*common)
        self._offsets_ns = offsets_ns
        self._due_ns: list[int] = []
        if (drawn := self.draw(len(offsets_ns))) < len(offsets_ns):
            raise _ran_out_of_keys(drawn)

    @property
    def planned(self) -> int:
        """Planned instants."""
        return len(self._offsets_ns)

    def _run(self, window: Window, within_s: float) -> bool:
        self._due_ns = (window.start_ns + self._offsets_ns).tolist()
        self._pacer = Pacer(self._due_ns, lambda user, index: user.wake(self, index))
        if not self._due_ns:
            self.finished.set()
        self._pacer.start(self._users)
        drained = bool(self.finished.wait(within_s))
        self._pacer.close()
        self.no_free_user = self._pacer.no_free_user
        return drained

    def go_on(self, user: Worker, index: int) -> None:
        """Send the request handed over, then whatever else is due by now."""
        due: int | None = index
        while due is not None:
            self._send_or_give_up(user, due)
            due = self._pacer.next_due()
        self._pacer.wait(user)

    def _send_or_give_up(self, user: Worker, index: int) -> None:
        arrival_ns = self._due_ns[index]
        now_ns = monotonic_ns()
        if arrival_ns + self._timeout_ns <= now_ns:
            self._note(index, arrival_ns, None, now_ns, 0, 0, b"", "timeout")
        else:
            self._send(user, index, arrival_ns, now_ns)
            self._hand_back(user)
        if len(self.rows) == len(self._due_ns):
            self.finished.set()


def _ran_out_of_keys(after: int) -> SpecError:
    return SpecError(
        f"The scenario ran out of unique keys after {after} requests of one trial.",
        hint="Widen keys, or add a request whose keys are not unique.",
    )
