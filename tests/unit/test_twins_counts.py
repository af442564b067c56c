"""The app's own gauge over time: its integral and its arrivals, on a clock we hold."""

from __future__ import annotations

import pytest

from apps.common import edge
from apps.common.edge import Counts


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A clock with one hand, in ns."""
    now_ns = [10**16]
    monkeypatch.setattr(edge, "monotonic_ns", lambda: now_ns[0])
    return now_ns


def test_the_integral_of_the_gauge_is_the_sum_of_all_stays(clock: list[int]) -> None:
    counts = Counts(_changed_ns=clock[0])
    for step_ns, change in ((10, "came"), (20, "came"), (5, "left"), (50, "left"), (100, "came")):
        clock[0] += step_ns
        getattr(counts, change)()
    assert counts.in_flight_s == pytest.approx((20 * 1 + 5 * 2 + 50 * 1) / 1e9)
    clock[0] += 7
    assert counts.in_flight_s == pytest.approx((20 * 1 + 5 * 2 + 50 * 1 + 7) / 1e9)
    assert (counts.requests, counts.in_flight) == (2, 1)


def test_arrivals_are_summed_exactly(clock: list[int]) -> None:
    """Floats would round such sums after a few requests."""
    counts = Counts()
    instants_ns = []
    for step_ns in range(1000):
        clock[0] += step_ns
        counts.came()
        instants_ns.append(clock[0])
    assert counts.arrivals_ns == sum(instants_ns)
