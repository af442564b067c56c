"""Generated requests: no 5xx, nothing undeclared, and both twins answer each alike."""

from __future__ import annotations

import pytest

from benchmarks.fuzz.campaign import PHASES, explore
from tests.contract.conftest import TWINS
from tests.support.twins import Database, RunningTwin

pytestmark = [pytest.mark.database, pytest.mark.slow]

EXAMPLES = 8
"""Per operation; the coverage phase comes on top and has about 400 cases whatever this is."""


def test_generated_requests(both: dict[str, RunningTwin], database: Database) -> None:
    """One twin's answers are checked; the other's are the same in status, type and body."""
    for twin in TWINS:
        database.put_back(f"twin_{twin}", rows=100)
    findings = explore(both["sync"].url, both["async"].url, seed=1, examples=EXAMPLES)
    assert not findings.server_errors(), findings.answered
    assert not findings.failures, "\n".join(findings.failures)
    assert not findings.differences, findings.differences[:5]
    assert findings.requests > 300
    assert {phase for phase, _ in findings.answered} >= set(PHASES)
