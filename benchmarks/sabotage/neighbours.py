"""Programs that take cores from a run that is going on, for as long as somebody wants them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager

from benchmarks.sabotage.stage import Stage

CROWD = 8
"""One neighbour takes half of the core from an arm that wants all of it."""
BEGUN = """
import os, sys, time
parent, cores = int(sys.argv[1]), {int(word) for word in sys.argv[2:]}
os.sched_setaffinity(0, cores)
print(flush=True)
"""
"""Each looks again and again whether its parent is there, and ends with it."""
SPIN = "while os.getppid() == parent: pass"
BURSTS = """
try: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
except PermissionError: pass
while os.getppid() == parent:
    until_s = time.monotonic() + 0.02
    while time.monotonic() < until_s: pass
    time.sleep(0.02)
"""
"""Ahead even of the generator's real-time priority where that is allowed; half of the core."""


@contextmanager
def others_on(places: Sequence[Sequence[int]], program: str) -> Iterator[None]:
    """One program on each of the sets of cores, for the length of the block, once all have begun.

    Each in a session of its own, since Linux may share a core out by sessions (autogroups).
    """
    with ExitStack() as stack:
        for cores in places:
            words = [sys.executable, "-c", f"{BEGUN}{program}", str(os.getpid()), *map(str, cores)]
            process = subprocess.Popen(words, stdout=subprocess.PIPE, start_new_session=True)
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()
        yield


def beside_the_generator(stage: Stage) -> AbstractContextManager[None]:
    """On each of the generator's cores one that comes before it, in bursts."""
    return others_on([[core] for core in stage.session.placement.generator], BURSTS)


def beside_the_arms(stage: Stage) -> AbstractContextManager[None]:
    """Neighbours that never rest, the same number on each of the arms' cores, CROWD in all or more.

    An arm of one process gets less than one core of its many then, however many there are.
    """
    cores = stage.session.placement.apps
    each = -(-CROWD // len(cores))
    return others_on([[core] for core in cores] * each, SPIN)
