"""Clients that abort, crowd, dawdle or are there when the twin is told to stop."""

from __future__ import annotations

import pytest

from benchmarks.faults.aborts import abort_in_mid_query
from benchmarks.faults.crowd import crowd
from benchmarks.faults.slow_clients import (
    fill_with_wide_items,
    slow_readers,
    slow_senders,
    wide_pages,
)
from benchmarks.faults.stop import stop_in_flight
from benchmarks.faults.twin import LIMIT_S, dial
from tests.support.twins import Database, running_twin

pytestmark = [pytest.mark.database, pytest.mark.slow]

POOL = 5
GATES = pytest.mark.parametrize("admission", [0, -1])
"""With the gate and without it."""


@GATES
def test_aborted_requests_give_their_connections_back(
    name: str, admission: int, database: Database
) -> None:
    database.make_schema("aborts", rows=10)
    with running_twin(name, database.url("aborts"), pool_size=POOL, admission=admission) as twin:
        seen = abort_in_mid_query(twin, database, "aborts", count=15, pool_size=POOL, wait_ms=400)
        assert seen.ok, seen
        assert (seen.aborted, seen.connections_before) == (15, POOL)


@GATES
def test_200_at_once_on_a_pool_of_5(name: str, admission: int, database: Database) -> None:
    database.make_schema("crowd", rows=10)
    with running_twin(name, database.url("crowd"), pool_size=POOL, admission=admission) as twin:
        seen = crowd(twin, count=200)
        assert seen.ok, seen


def test_slow_clients_hold_no_connection(name: str, database: Database) -> None:
    database.make_schema("dawdlers", rows=1)
    with running_twin(name, database.url("dawdlers"), pool_size=2) as twin:
        seen = slow_senders(twin, clients=6)
        assert seen.ok(201), seen
        fill_with_wide_items(twin)
        seen = slow_readers(twin, clients=6)
        assert seen.ok(200), seen


def test_requests_in_flight_finish_when_told_to_stop(name: str, database: Database) -> None:
    database.make_schema("stopped", rows=1)
    with running_twin(name, database.url("stopped"), pool_size=POOL) as twin:
        seen = stop_in_flight(twin, database, "stopped", pool_size=POOL, waiting=3)
        assert seen.ok, seen
        assert seen.executing == POOL
        assert twin.log.read_text() == ""


def test_a_client_that_never_reads_cannot_hold_up_the_end(name: str, database: Database) -> None:
    """The limit on a graceful stop: without it uvicorn waits for ever."""
    database.make_schema("stuck", rows=1)
    with running_twin(name, database.url("stuck"), graceful_s=1) as twin:
        fill_with_wide_items(twin)
        with dial(twin.url, SO_RCVBUF=4096) as wire:
            wire.sendall(wide_pages())
            assert wire.recv(12).startswith(b"HTTP/1.1 200")
            twin.process.terminate()
            twin.process.wait(LIMIT_S)
