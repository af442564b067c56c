"""Hands each planned request to a free user at its planned instant, as nearly as one core can."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from gevent import get_hub

from loadtests.timerfd import NS_PER_S, TimerFd

_READ = 1
_HIGHEST_PRIORITY = 2
"""libev serves a watcher of this priority before all others that are ready."""


class Alarm(Protocol):
    """Calls one function, in gevent's hub, at an instant of `time.monotonic_ns`."""

    def set(self, at_ns: int) -> None:
        """Ring at this instant instead of any set before; at once if it has passed."""
        ...

    def close(self) -> None:
        """Never ring again."""
        ...


def new_alarm(ring: Callable[[], None]) -> Alarm:
    """The most punctual alarm there is here.

    Measured: a timerfd rings 0.11 / 0.23 ms late (p50 / p99), libev's own timers, whose waits are
    rounded to whole milliseconds, 0.7 / 1.2 ms.
    """
    return TimerFdAlarm(ring) if sys.platform == "linux" else LoopAlarm(ring)


class TimerFdAlarm:
    """An alarm on Linux's timerfd."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._timer = TimerFd()
        self.set = self._timer.set
        self._ring = ring
        self._watcher = get_hub().loop.io(self._timer.fd, _READ, priority=_HIGHEST_PRIORITY)
        self._watcher.start(self._rings)

    def close(self) -> None:
        """Give the descriptor back."""
        self._watcher.stop()
        self._watcher.close()
        self._timer.close()

    def _rings(self) -> None:
        if self._timer.rang():  # else it was set anew since the descriptor became readable
            self._ring()


class LoopAlarm:
    """An alarm on the event loop's own timers, for systems without timerfd."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: Any = None

    def set(self, at_ns: int) -> None:
        """Replaces the timer, which counts from now."""
        self.close()
        late_ns = max(0, at_ns - time.monotonic_ns())
        self._timer = get_hub().loop.timer(late_ns / NS_PER_S)
        self._timer.start(self._ring, update=True)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.close()
            self._timer = None


class Pacer:
    """Walks along planned instants. What is due goes to a free user; if there is none, to the user
    who is free next.

    `hand_over(user, index)` runs in the hub and returns once the user waits for its answer. A user
    that becomes free asks `next_due()` first and calls `wait(user)` only when nothing is due: under
    load most requests are handed over without any alarm.
    """

    def __init__(
        self,
        due_ns: Sequence[int],
        hand_over: Callable[[Any, int], None],
        make_alarm: Callable[[Callable[[], None]], Alarm] = new_alarm,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._due_ns = due_ns
        self._hand_over = hand_over
        self._clock = clock
        self._next = 0
        self._free: list[Any] = []
        self._alarm_is_set = False
        self._alarm = make_alarm(self._on_time)
        self.no_free_user = 0
        """Planned requests that found every user busy."""

    def start(self, users: Sequence[Any]) -> None:
        """Begin, with all of `users` free."""
        self._free = list(users)
        self._set_alarm()

    def next_due(self) -> int | None:
        """The index of the earliest request that is due and not yet handed over, for a user that
        has just become free."""
        if self._next >= len(self._due_ns) or self._due_ns[self._next] > self._clock():
            return None
        if not self._free:
            self.no_free_user += 1
        return self._advance()

    def wait(self, user: Any) -> None:
        """This user is free until it is handed a request."""
        self._free.append(user)
        if not self._alarm_is_set:
            self._set_alarm()

    def close(self) -> None:
        """Hand nothing over any more."""
        self._alarm.close()

    def _advance(self) -> int:
        index = self._next
        self._next = index + 1
        return index

    def _on_time(self) -> None:
        self._alarm_is_set = False
        while self._next < len(self._due_ns) and self._due_ns[self._next] <= self._clock():
            if not self._free:
                return
            self._hand_over(self._free.pop(), self._advance())
        self._set_alarm()

    def _set_alarm(self) -> None:
        if self._next < len(self._due_ns):
            self._alarm_is_set = True
            self._alarm.set(self._due_ns[self._next])
