"""PURE: things on their way, each with the instant at which it arrives; first in, first out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class DelayLine(Generic[Item]):
    """Delays everything equally, so that a plain queue is in order of arrival already."""

    def __init__(self, delay_ns: int) -> None:
        self._delay_ns = delay_ns
        self._queue: deque[tuple[int, Item]] = deque()

    def __len__(self) -> int:
        return len(self._queue)

    def put(self, now_ns: int, item: Item) -> None:
        """Send an item off; `now_ns` never goes back from one call to the next."""
        self._queue.append((now_ns + self._delay_ns, item))

    @property
    def next_due_ns(self) -> int | None:
        """When the next item arrives; None when nothing is on its way."""
        return self._queue[0][0] if self._queue else None

    def arrived(self, now_ns: int) -> Iterator[tuple[int, Item]]:
        """Take out what has arrived by now, in order, each with the instant it was due."""
        queue = self._queue
        while queue and queue[0][0] <= now_ns:
            yield queue.popleft()


class Lead:
    """How much earlier to wake than things are due, so that half of them leave late, half early.

    A waking takes its time (about 50 µs on an idle core of a virtual machine, less on a busy one),
    and so does sending. One step up for each that left late, one down for each early: that
    follows the median, whatever the tail is like.
    """

    STEP_NS = 500
    FIRST_STEP_NS = 5_000
    FIRST = 50
    """So many things are learnt from in larger steps, to begin with."""
    MOST_NS = 150_000

    def __init__(self, one_way_ns: int) -> None:
        self.ns = 0
        self._most_ns = min(self.MOST_NS, one_way_ns // 2)
        self._learnt = 0

    def learn(self, late_ns: int) -> None:
        """Something left so late (or early, below 0)."""
        self._learnt += 1
        step_ns = self.FIRST_STEP_NS if self._learnt <= self.FIRST else self.STEP_NS
        self.ns += step_ns if late_ns > 0 else -step_ns
        self.ns = min(self._most_ns, max(0, self.ns))


class Lateness:
    """Counts how late items left, in classes of 10 µs up to 10 ms: cheap enough for each item."""

    CLASS_NS = 10_000
    LAST = 1_000

    def __init__(self) -> None:
        self._counts = [0] * (self.LAST + 1)

    def add(self, late_ns: int) -> None:
        """Count one item."""
        index = max(0, late_ns) // self.CLASS_NS
        self._counts[index if index < self.LAST else self.LAST] += 1

    @property
    def count(self) -> int:
        """How many items were counted."""
        return sum(self._counts)

    def percentile_ms(self, share: float) -> float | None:
        """The upper edge of the class that holds the `share` quantile (nearest rank); None without
        items. The last class has no upper edge, so its lower one stands for it."""
        wanted, seen = max(1, -(-self.count * share // 1)), 0
        for index, count in enumerate(self._counts):
            seen += count
            if seen >= wanted and count:
                return min(index + 1, self.LAST) * self.CLASS_NS / 1e6
        return None
