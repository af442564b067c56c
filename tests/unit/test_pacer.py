"""Every planned request is handed over once, in order, and never before its time."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.pacer import LoopAlarm, Pacer, TimerFdAlarm


class HandAlarm:
    """Rings when the test says so."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self.ring = ring
        self.at_ns: int | None = None

    def set(self, at_ns: int) -> None:
        self.at_ns = at_ns

    def close(self) -> None:
        self.at_ns = None


class Bench:
    """A pacer with a clock and an alarm in the test's hand."""

    def __init__(self, due_ns: list[int], users: int) -> None:
        self.now_ns = 0
        self.handed: list[tuple[int, int]] = []
        self.busy: list[int] = []
        self.pacer = Pacer(due_ns, self._hand_over, self._alarm, lambda: self.now_ns)
        self.pacer.start(list(range(users)))

    def _alarm(self, ring: Callable[[], None]) -> HandAlarm:
        self.alarm = HandAlarm(ring)
        return self.alarm

    def _hand_over(self, user: int, index: int) -> None:
        self.handed.append((index, self.now_ns))
        self.busy.append(user)

    def pass_time(self, until_ns: int) -> None:
        while self.alarm.at_ns is not None and self.alarm.at_ns <= until_ns:
            self.now_ns = max(self.now_ns, self.alarm.at_ns)
            self.alarm.at_ns = None
            self.alarm.ring()
        self.now_ns = max(self.now_ns, until_ns)

    def finish_one(self) -> None:
        if self.busy:
            user = self.busy.pop(0)
            if (index := self.pacer.next_due()) is not None:
                self._hand_over(user, index)
            else:
                self.pacer.wait(user)


def test_free_users_get_each_request_at_its_instant() -> None:
    bench = Bench([5, 5, 9], users=3)
    bench.pass_time(4)
    assert bench.handed == []
    bench.pass_time(20)
    assert bench.handed == [(0, 5), (1, 5), (2, 9)]
    assert bench.pacer.no_free_user == 0


def test_a_request_without_free_user_waits_for_one_and_is_counted() -> None:
    bench = Bench([5, 6, 7, 30], users=1)
    bench.pass_time(10)
    assert bench.handed == [(0, 5)]
    bench.finish_one()
    bench.finish_one()
    bench.finish_one()
    assert bench.handed == [(0, 5), (1, 10), (2, 10)]
    assert bench.pacer.no_free_user == 2
    bench.pass_time(40)
    assert bench.handed[-1] == (3, 30)
    assert bench.pacer.no_free_user == 2


@given(
    gaps=st.lists(st.integers(0, 10), max_size=40),
    users=st.integers(1, 4),
    steps=st.lists(st.one_of(st.none(), st.integers(0, 20)), max_size=60),
)
@settings(max_examples=200)
def test_nothing_is_lost_doubled_early_or_out_of_order(gaps, users, steps):
    due_ns, at_ns = [], 1
    for gap in gaps:
        at_ns += gap
        due_ns.append(at_ns)
    bench = Bench(due_ns, users)
    for step in steps:
        if step is None:
            bench.finish_one()
        else:
            bench.pass_time(bench.now_ns + step)
    for _ in due_ns:
        bench.pass_time(at_ns + 1000)
        bench.finish_one()
    assert [index for index, _ in bench.handed] == list(range(len(due_ns)))
    assert all(handed_ns >= due_ns[index] for index, handed_ns in bench.handed)


def rings(make: type[TimerFdAlarm] | type[LoopAlarm]) -> None:
    """Set anew while waiting, and again from within the ring: it rings at the last instant set."""
    rung: list[int] = []
    done = gevent.event.Event()

    def ring() -> None:
        rung.append(time.monotonic_ns())
        alarm.set(time.monotonic_ns() - 1) if len(rung) == 1 else done.set()

    alarm = make(ring)
    planned_ns = time.monotonic_ns() + 30_000_000
    alarm.set(planned_ns - 25_000_000)
    alarm.set(planned_ns)
    assert done.wait(10)
    alarm.close()
    assert len(rung) == 2
    assert rung[0] >= planned_ns - 1_000_000


def test_the_timerfd_alarm_rings() -> None:
    rings(TimerFdAlarm)


def test_the_fallback_alarm_rings() -> None:
    rings(LoopAlarm)
