"""Going ahead of others for a while, and back to what was before."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from loadtests.priority import GENERATOR, RELAY, ahead_of_others


def in_a_thread_of_its_own(policy: int) -> tuple[bool, list[tuple[int, int]]]:
    """What a thread of that policy has before, within and after; each policy and priority."""
    seen: list[tuple[int, int]] = []

    def look() -> None:
        seen.append((os.sched_getscheduler(0), os.sched_getparam(0).sched_priority))

    def go() -> bool:
        os.sched_setscheduler(0, policy, os.sched_param(0))
        look()
        with ahead_of_others(RELAY) as allowed:
            look()
            with ahead_of_others(GENERATOR):
                look()
            look()
        look()
        return allowed

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(go).result(), seen


@pytest.mark.parametrize("policy", [os.SCHED_OTHER, os.SCHED_BATCH])
def test_what_was_before_is_put_back(policy: int) -> None:
    allowed, (before, raised, within, between, after) = in_a_thread_of_its_own(policy)
    assert before == after == (policy, 0)
    if allowed:
        assert raised == between == (os.SCHED_FIFO, RELAY)
        assert within == (os.SCHED_FIFO, GENERATOR)
    else:
        assert {raised, within, between} == {before}
