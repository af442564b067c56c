"""A trial's readings as facts: what the app counted since its last trial, and who stood still."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtests.testbed import Reading, Stop
from loadtests.trial_facts import app_facts, disturbances, reading_facts
from loadtests.trials import SAMPLE_SCHEMA, TrialOutcome

OUTCOME = TrialOutcome(SAMPLE_SCHEMA.empty_table(), 0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0)
EPOCH_NS = 10**16


def test_the_apps_sums_become_those_of_one_trial() -> None:
    """Sums of instants do not fit 64 bits for long; their mean does."""
    before = Reading(0, server_requests=1000, in_flight_s=5.0, arrivals_ns=1000 * EPOCH_NS)
    after = Reading(
        1, server_requests=1004, in_flight_s=5.5, arrivals_ns=1004 * EPOCH_NS + 4 * 250 + 2
    )
    assert app_facts(before, after) == {
        "server_requests": 4,
        "server_in_flight_s": 0.5,
        "server_arrival_ns": EPOCH_NS + 250,
    }


@pytest.mark.parametrize("before", [None, Reading(0), Reading(0, server_requests=7)])
def test_what_the_app_does_not_tell_is_not_known(before: Reading | None) -> None:
    after = Reading(1, server_requests=7, in_flight_s=5.5, arrivals_ns=7)
    facts = app_facts(before, after)
    assert facts["server_in_flight_s"] is None
    assert facts["server_arrival_ns"] is None


def test_shares_are_of_the_time_between_the_readings() -> None:
    before = Reading(10**9, steal_s=1.0, pressure_s=None, apps_busy_s=3.0)
    after = Reading(3 * 10**9, steal_s=1.1, pressure_s=4.0, apps_busy_s=4.5)
    facts = reading_facts(before, after)
    assert facts["watched_s"] == 2.0
    assert facts["steal_pct"] == pytest.approx(5.0)
    assert facts["pressure_pct"] is None
    assert facts["apps_busy_s"] == 1.5


@pytest.mark.parametrize("still_s", [None, 0.0, 0.24])
def test_being_kept_waiting_for_a_moment_is_no_disturbance(still_s: float | None) -> None:
    assert disturbances(_outcome(still_s), []) == []


def test_whoever_stood_still_is_named() -> None:
    stops = [Stop("the load generator", 1.02), Stop("sync #1", 0.06)]
    assert disturbances(_outcome(0.98), stops) == [
        "the load generator was stopped for 1.02 s",
        "sync #1 was stopped for 0.06 s",
        "the load generator stood still for 0.98 s",
    ]


def _outcome(still_s: float | None) -> TrialOutcome:
    return replace(OUTCOME, generator_still_s=still_s)
