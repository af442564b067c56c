"""What counts as late and what as an error in a trial of a tune run."""

from __future__ import annotations

import pyarrow as pa
import pytest

from loadtests.trials import SAMPLE_SCHEMA
from loadtests.tuning.score import Objective, score_of

OBJECTIVE = Objective(p99_ms=100.0, max_error_pct=0.1)


def samples(*rows: tuple[float, int, str | None]) -> pa.Table:
    """Steady requests: response time in ms, status, error."""
    plain = [
        {
            **dict.fromkeys(SAMPLE_SCHEMA.names),
            "phase": "steady",
            "arrival_ns": 0,
            "done_ns": round(1e6 * ms),
            "status": status,
            "ok": error is None,
            "error": error,
        }
        for ms, status, error in rows
    ]
    return pa.Table.from_pylist(plain, schema=SAMPLE_SCHEMA)


@pytest.mark.parametrize(("early", "errors"), [(True, 2), (False, 3)])
def test_what_was_given_up_early_is_late_but_no_error(early: bool, errors: int) -> None:
    table = samples(
        (20.0, 200, None),
        (120.0, 200, None),
        (1000.0, 0, "timeout"),
        (30.0, 503, "503 Pool timeout"),
        (5.0, 0, "connection refused"),
    )
    score = score_of(table, 50.0, OBJECTIVE, gave_up_early=early)
    assert (score.planned, score.late, score.errors) == (5, 4, errors)


def test_one_slow_request_of_many_does_not_miss_the_objective_by_errors() -> None:
    table = samples(*[(20.0, 200, None)] * 500, (1000.0, 0, "timeout"))
    assert score_of(table, 500.0, OBJECTIVE, gave_up_early=True).clears(OBJECTIVE)
    assert not score_of(table, 500.0, OBJECTIVE, gave_up_early=False).clears(OBJECTIVE)
