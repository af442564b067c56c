"""The one limit on a request's waits: what the gate may take of it, and what is left afterwards."""

from __future__ import annotations

import pytest

from apps.common.deadline import FLOOR_S, at_gate_s, left_s
from apps.common.request_times import RequestTimes, current


@pytest.mark.parametrize(
    ("limit_s", "gate_s", "in_all_s"), [(5.0, 4.0, 5.0), (2.0, 1.0, 2.0), (1.0, 0.5, 1.5)]
)
def test_after_the_gate_there_is_time_for_statements(
    limit_s: float, gate_s: float, in_all_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at_gate_s(limit_s) == gate_s
    times = RequestTimes()
    token = current.set(times)
    monkeypatch.setattr("apps.common.deadline.perf_counter", lambda: times.asked_s + gate_s)
    assert gate_s + left_s(limit_s) == pytest.approx(in_all_s)
    current.reset(token)


def test_what_a_request_has_waited_is_taken_off_down_to_a_floor() -> None:
    assert left_s(5.0) == 5.0, "outside of requests"
    times = RequestTimes()
    token = current.set(times)
    times.asked_s -= 3.0
    assert 1.0 < left_s(5.0) <= 2.0
    assert left_s(2.0) == FLOOR_S
    times.whole()
    assert 4.0 < left_s(5.0) <= 5.0, "receiving the body is no wait of ours"
    current.reset(token)
