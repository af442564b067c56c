"""No gate is forgotten: each is named by a real run that is broken, or by a simulated one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.sabotage.cases import CASES, SIMULATED_ONLY
from benchmarks.sabotage.run import caught
from benchmarks.sabotage.stage import Seen
from reports.gate_words import GATES
from tests.integration.test_sabotage import LEFT_OUT
from tests.support import sample_summary as sample
from tests.support.busy_machine import OF_A_BUSY_MACHINE

ROOT = Path(__file__).parents[2]
REAL = {case.gate for case in CASES if case.gate}
NOT_BROKEN_HERE = SIMULATED_ONLY | {case.gate for case in CASES if case.broken in LEFT_OUT}
"""Gates that no test with every run breaks for real."""


def test_every_gate_is_tried_on_a_real_run_or_said_to_be_on_simulated_ones_only() -> None:
    assert GATES.keys() == REAL | SIMULATED_ONLY
    assert not REAL & SIMULATED_ONLY


@pytest.mark.parametrize("gate", sorted(NOT_BROKEN_HERE))
def test_a_gate_of_simulated_runs_has_a_test_that_names_it(gate: str) -> None:
    name = re.compile(rf'"{gate}"|\b{gate.replace("-", "_")}_gate\(')
    tests = [*ROOT.glob("tests/unit/test_gates*.py"), ROOT / "tests/unit/test_distance.py"]
    assert any(name.search(file.read_text(encoding="utf-8")) for file in tests)


def test_the_tables_of_what_was_broken_name_every_gate_where_it_belongs() -> None:
    text = (ROOT / "benchmarks/sabotage/README.md").read_text(encoding="utf-8")
    real, _, simulated = text.partition("What cannot be done to a real run")
    assert [gate for gate in sorted(REAL) if f"| `{gate}` |" not in real] == []
    assert [gate for gate in sorted(SIMULATED_ONLY) if f"`{gate}`" not in simulated] == []


def said(gate: str | None, *notes: str) -> Seen:
    """A run in which one gate failed, or none."""
    failed = () if gate is None else (sample.gate(gate, ok=False),)
    return Seen(sample.summary(sample.scenario(gates=failed), valid=gate is None, notes=notes))


@pytest.mark.parametrize("gate", sorted(GATES))
def test_a_run_that_is_to_be_good_is_not_so_with_a_gate_that_failed(gate: str) -> None:
    """Whether nothing was broken, or what was broken has been measured again."""
    for case in (case for case in CASES if case.named or not case.gate):
        note = f"Block 0 was measured again: {case.says} 1.01 s in trial 1."
        assert caught(case, said(None, note))
        assert not caught(case, said(gate, note))
        spared = caught(case, said(gate, note), spared=OF_A_BUSY_MACHINE)
        assert spared == (gate in OF_A_BUSY_MACHINE)
