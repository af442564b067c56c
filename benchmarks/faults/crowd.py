"""A crowd on a small pool: is every request answered, and with what?"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.faults.twin import at_rest, get
from tests.support.twins import RunningTwin


@dataclass(frozen=True, slots=True)
class Crowd:
    """How a crowd was answered; a request that hangs raises before this exists."""

    twin: str
    asked: int
    answered: dict[int, int]
    """Answers by status code."""
    slowest_s: float
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


def crowd(twin: RunningTwin, *, count: int, path: str = "/items/1") -> Crowd:
    """`count` requests at once, each on a connection of its own."""
    with ThreadPoolExecutor(count) as clients:
        answers = list(clients.map(lambda _: get(twin.url + path), range(count)))
    slowest_s = max(answer.elapsed.total_seconds() for answer in answers)
    told = at_rest(twin)
    by_status = Counter(answer.status_code for answer in answers)
    return Crowd(twin.name, count, dict(sorted(by_status.items())), slowest_s, told["checked_out"])
