"""No gate is forgotten: each is named by a real run that is broken, or by a simulated one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks.sabotage.cases import CASES, SIMULATED_ONLY
from reports.words import GATES
from tests.integration.test_sabotage import LEFT_OUT

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
