"""The admission gate: order, bounded waits, and no slot ever lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any

import pytest

from apps.common.admission import AdmissionGate, enter_timed
from apps.common.request_times import NotAdmitted, RequestTimes, current

LONG_S = 30.0


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 20))


async def turns(count: int = 3) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_lets_in_as_many_as_told_then_in_order_of_arrival() -> None:
    async def story() -> None:
        gate, inside = AdmissionGate(2, LONG_S), []

        async def caller(name: int) -> None:
            await gate.enter()
            inside.append(name)

        callers = [asyncio.create_task(caller(name)) for name in range(6)]
        await turns()
        assert (inside, gate.waiting) == ([0, 1], 4)
        for leaving in range(4):
            gate.leave()
            await turns()
            assert inside == list(range(leaving + 3))
        gate.leave()
        gate.leave()
        assert (gate.free, gate.waiting) == (2, 0)
        await asyncio.gather(*callers)

    run(story())


def test_newcomers_do_not_overtake() -> None:
    """Between a slot's handing over and the waiter's waking, nobody slips in."""

    async def story() -> None:
        gate, order = AdmissionGate(1, LONG_S), []
        await gate.enter()

        async def caller(name: str) -> None:
            await gate.enter()
            order.append(name)
            gate.leave()

        waiter = asyncio.create_task(caller("waiter"))
        await turns()
        gate.leave()  # handed over, but the waiter has not run yet
        newcomer = asyncio.create_task(caller("newcomer"))
        await asyncio.gather(waiter, newcomer)
        assert order == ["waiter", "newcomer"]

    run(story())


def test_a_wait_ends_in_time_and_loses_nothing() -> None:
    async def story() -> None:
        gate = AdmissionGate(1, 0.02)
        await gate.enter()
        with pytest.raises(NotAdmitted):
            await gate.enter()
        assert gate.waiting == 0
        gate.leave()
        assert gate.free == 1
        await gate.enter()

    run(story())


def test_those_who_gave_up_are_forgotten_while_nobody_leaves() -> None:
    async def story() -> None:
        gate = AdmissionGate(1, 0.01)
        await gate.enter()
        for _ in range(3):
            await asyncio.gather(*(gate.enter() for _ in range(50)), return_exceptions=True)
        assert len(gate._queue) == 0

    run(story())


def test_a_cancelled_waiter_leaves_the_queue() -> None:
    async def story() -> None:
        gate = AdmissionGate(1, LONG_S)
        await gate.enter()
        first, second = (asyncio.create_task(gate.enter()) for _ in range(2))
        await turns()
        first.cancel()
        await turns()
        assert gate.waiting == 1
        gate.leave()
        await second
        gate.leave()
        assert gate.free == 1

    run(story())


def test_cancelled_in_the_turn_of_being_let_in() -> None:
    async def story() -> None:
        gate = AdmissionGate(1, LONG_S)
        await gate.enter()
        first, second = (asyncio.create_task(gate.enter()) for _ in range(2))
        await turns()
        gate.leave()  # the slot is first's, who is cancelled before waking
        first.cancel()
        await second
        assert first.cancelled()
        gate.leave()
        assert gate.free == 1

    run(story())


@pytest.mark.parametrize("seed", range(5))
def test_no_slot_is_lost_in_a_muddle(seed: int) -> None:
    """Random arrivals, timeouts, cancellations and departures: never too many, all come back."""

    async def story() -> None:
        chance, limit = random.Random(seed), 3
        gate, inside, most = AdmissionGate(limit, 0.005), 0, 0

        async def caller() -> None:
            nonlocal inside, most
            await gate.enter()
            try:
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(chance.choice([0, 0, 0.001, 0.004]))
            finally:
                inside -= 1
                gate.leave()

        tasks = []
        for _ in range(400):
            tasks.append(asyncio.create_task(caller()))
            if chance.random() < 0.3:
                chance.choice(tasks).cancel()
            if chance.random() < 0.3:
                await asyncio.sleep(chance.choice([0, 0.001]))
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (most, inside, gate.free, gate.waiting) == (limit, 0, limit, 0)

    run(story())


def test_waits_count_as_waiting_for_a_connection() -> None:
    async def story() -> None:
        times = RequestTimes()
        current.set(times)
        gate = AdmissionGate(1, 0.03)
        await enter_timed(gate)
        assert times.pool_s == 0, "let in at once"
        with pytest.raises(NotAdmitted):
            await enter_timed(gate)
        assert times.pool_s >= 0.029

    run(story())
