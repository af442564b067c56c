"""Real runs, really broken: each is invalid for what was broken, and a good one is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.sabotage.acts import CASES, Case, perform
from benchmarks.sabotage.run import caught
from benchmarks.sabotage.stage import Seen, Stage, stage

OF_A_BUSY_MACHINE = {"send-lag", "generator-cpu", "no-free-user", "drain", "neighbours", "steal"}
"""Gates that may fail in a test without anybody having broken anything."""
LEFT_OUT = {
    "server stopped in every trial",
    "somebody else's slow requests",
    "one instance at nice 5",
    "a tenth of one arm's rows gone",
}
"""Left to `benchmarks/sabotage/run.py`, to keep this short; simulated runs test their gates."""
BROKEN = [case for case in CASES if case.gate and case.broken not in LEFT_OUT]

pytestmark = pytest.mark.database


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


def test_a_good_run_fails_no_gate(prepared: Stage) -> None:
    seen = perform(prepared, CASES[0])
    assert {gate.name for gate in seen.failed} <= OF_A_BUSY_MACHINE, told(seen)
    assert seen.summary.notes == ()
    unchecked = {gate.name for s in seen.summary.scenarios for gate in s.gates if gate.ok is None}
    assert not unchecked & {"littles-law", "offered-rate", "equal-resources", "tables"}, told(seen)


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.broken)
def test_what_was_broken_is_named(prepared: Stage, case: Case) -> None:
    seen = perform(prepared, case)
    assert caught(case, seen), told(seen)


def test_what_lasts_was_put_right(prepared: Stage) -> None:
    """A saboteur's work is not left to the next run (and the gates do not cry after it)."""
    seen = perform(prepared, CASES[0])
    assert {gate.name for gate in seen.failed} <= OF_A_BUSY_MACHINE, told(seen)
