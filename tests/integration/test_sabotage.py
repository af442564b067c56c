"""Real runs, really broken: each is invalid for what was broken, and a good one is not."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from benchmarks.sabotage.cases import CASES, Case
from benchmarks.sabotage.run import caught, perform
from benchmarks.sabotage.stage import Seen, Stage, stage
from loadtests.environment.machine import usable_cores
from loadtests.environment.proctree import process_tree, threads_of
from tests.support.busy_machine import OF_A_BUSY_MACHINE

LEFT_OUT = {
    "server stopped in every trial",
    "somebody else's slow requests",
    "one instance's priority lowered",
    "one instance killed",
    "a tenth of one arm's rows gone",
    "table locked under a high rate",
}
"""Left to `benchmarks/sabotage/run.py`, to keep this short; simulated runs test their gates."""
BROKEN = [case for case in CASES if case.gate and case.broken not in LEFT_OUT]
CHECKED = {"littles-law", "offered-rate", "equal-resources", "tables"}
"""Gates that must have been able to look, for a run to be good …"""
SATURATED = "saturated"
"""… unless so much else runs here that an arm cannot take 100 requests a second."""

pytestmark = [
    pytest.mark.database,
    pytest.mark.skipif(
        len(usable_cores()) < 2,
        reason="on one core nobody has a core of their own that could be taken from them",
    ),
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One database, the twins and a generator for all of them."""
    with stage(tmp_path_factory.mktemp("sabotage")) as ready:
        yield ready


def told(seen: Seen) -> str:
    """All that a run said of itself, for whoever reads a failure."""
    lines = [
        f"{g.name} ({g.arm}): {g.ok} {g.detail}" for s in seen.summary.scenarios for g in s.gates
    ]
    return "\n".join([*lines, *seen.summary.notes])


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.broken)
def test_what_was_broken_is_named_and_put_right(prepared: Stage, case: Case) -> None:
    seen = perform(prepared, case)
    assert caught(case, seen, spared=OF_A_BUSY_MACHINE), told(seen)
    nothing_is_left(prepared)


def nothing_is_left(stage: Stage) -> None:
    """A saboteur's work is not left to the next run."""
    for instance in stage.session.instances:
        assert instance.schema is not None
        assert instance.child is not None
        assert stage.session.database.drifted(instance.schema) is None
        for thread in (t for pid in process_tree(instance.child.pid) for t in threads_of(pid)):
            assert os.sched_getaffinity(thread) == set(stage.session.placement.apps)


def test_a_good_run_fails_no_gate(prepared: Stage) -> None:
    """After all that was broken, too."""
    seen = perform(prepared, CASES[0])
    assert caught(CASES[0], seen, spared=OF_A_BUSY_MACHINE), told(seen)
    gates = [gate for scenario in seen.summary.scenarios for gate in scenario.gates]
    assert {gate.name for gate in gates} >= CHECKED, told(seen)
    unchecked = {g.name for g in gates if g.ok is None and SATURATED not in g.detail}
    assert not unchecked & CHECKED, told(seen)
