"""What counts as late and what as an error in a trial of a tune run."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from loadtests.trials import SAMPLE_SCHEMA
from loadtests.tuning.score import Objective, score_of
from reports.measures import load_data
from reports.model import LoadFacts

OBJECTIVE = Objective(p99_ms=100.0, max_error_pct=0.1)


def samples(*rows: tuple[float | None, int, str | None]) -> pa.Table:
    """Steady requests that were sent: response time in ms (None: never any end), status, error."""
    plain = [
        {
            **dict.fromkeys(SAMPLE_SCHEMA.names),
            "trial": 0,
            "request": "read",
            "phase": "steady",
            "arrival_ns": 0,
            "sent_ns": 0,
            "done_ns": None if ms is None else round(1e6 * ms),
            "status": status,
            "ok": error is None and status != 0,
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


def test_search_and_report_have_one_rule_for_what_was_given_up() -> None:
    table = samples(
        (20.0, 200, None),
        (1000.0, 0, "timeout"),
        (1000.0, 0, "Timed out while waiting"),
        (None, 0, None),  # sent, and never heard of again
        (700.0, 0, None),  # an end without words
        (30.0, 503, "pool timeout"),
        (5.0, 0, "connection refused"),
    )
    trials = pd.DataFrame({"trial": [0], "steady_start_ns": [0], "steady_end_ns": [10**9]})
    data = load_data(LoadFacts("open-50", "open"), 1.0, trials, table.to_pandas())
    given_up = [False, True, True, True, False, False, False]
    assert data.timed_out.tolist() == given_up
    score = score_of(table, 50.0, OBJECTIVE, gave_up_early=True)
    assert score.errors == 7 - 1 - sum(given_up)


def test_one_slow_request_of_many_does_not_miss_the_objective_by_errors() -> None:
    table = samples(*[(20.0, 200, None)] * 500, (1000.0, 0, "timeout"))
    assert score_of(table, 500.0, OBJECTIVE, gave_up_early=True).clears(OBJECTIVE)
    assert not score_of(table, 500.0, OBJECTIVE, gave_up_early=False).clears(OBJECTIVE)
