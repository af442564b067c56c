"""PURE: one trial shared out among several generator processes, and their outcomes put together.

Of an open load, arrival k goes to process k modulo n with its request and key: all processes
together send exactly what one alone would. Of a closed load each process gets its share of the
users, who draw from every n-th request of the stream, so that no unique key is drawn twice.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from loadtests.arrivals import Draw, RequestStream
from loadtests.trials import ClosedLoad, Int64Array, Load, OpenLoad, TrialOutcome


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one generator process: number `number`, from 0, among `of`."""

    number: int = 0
    of: int = 1

    def of_arrivals(self, offsets_ns: Int64Array) -> Int64Array:
        """This process's planned instants among those of the whole trial."""
        return offsets_ns[self.number :: self.of]

    def of_load(self, load: Load) -> Load:
        """The users of a closed load (possibly none), the rate of an open one."""
        if isinstance(load, ClosedLoad):
            return ClosedLoad(load.users // self.of + (self.number < load.users % self.of))
        return OpenLoad(load.rate_per_s / self.of, load.arrivals)


WHOLE = Share()


class DealtStream:
    """A share of a stream of requests: every `of`-th of them, dealt like cards."""

    def __init__(self, stream: RequestStream, share: Share) -> None:
        self._stream, self._share = stream, share

    def draw(self, count: int) -> Draw:
        """The next `count` requests of this share; fewer when the stream has ended."""
        whole = self._stream.draw(count * self._share.of)
        mine = slice(self._share.number, None, self._share.of)
        return Draw(whole.which[mine], whole.keys[mine])


def merged(outcomes: Sequence[TrialOutcome], places: Sequence[int]) -> TrialOutcome:
    """One outcome of one trial from those of all its processes, which began at the same instant.

    Samples are the union, in order of arrival; counts are sums. CPU time is that of the busiest
    place, `places` telling for each process where it ran: a gate on an average would not see that
    one core was the bottleneck.
    """
    values = {name: [getattr(outcome, name) for outcome in outcomes] for name in _TOGETHER}
    together: dict[str, Any] = {name: _TOGETHER[name](each) for name, each in values.items()}
    cpu_s, wall_s = _busiest(outcomes, places)
    return dataclasses.replace(
        outcomes[0], **together, generator_cpu_s=cpu_s, generator_wall_s=wall_s
    )


def _busiest(outcomes: Sequence[TrialOutcome], places: Sequence[int]) -> tuple[float, float]:
    """CPU and wall time of the place that used most of its time."""
    used: dict[int, tuple[float, float]] = {}
    for outcome, place in zip(outcomes, places, strict=True):
        cpu_s, wall_s = used.get(place, (0.0, 0.0))
        wall_s = max(wall_s, outcome.generator_wall_s)
        used[place] = (cpu_s + outcome.generator_cpu_s, wall_s)
    return max(used.values(), key=lambda each: each[0] / each[1])


def _longest(spans_s: Sequence[float | None]) -> float | None:
    return max((each for each in spans_s if each is not None), default=None)


def _in_order_of_arrival(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).sort_by("arrival_ns")


_TOGETHER: dict[str, Callable[[Any], Any]] = {
    "samples": _in_order_of_arrival,
    "drained_ns": max,
    "planned": sum,
    "sent": sum,
    "recorded": sum,
    "no_free_user": sum,
    "generator_still_s": _longest,
}
"""How the fields of an outcome are put together that are not alike in every process."""
