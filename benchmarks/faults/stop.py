"""A twin told to stop while requests are in flight: do they finish, and does it end?"""

from __future__ import annotations

import signal
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.faults.twin import (
    LIMIT_S,
    connections,
    dial,
    read_all,
    request_bytes,
    sleeping,
    stats,
    status_of,
    wait_until,
)
from tests.support.twins import Database, RunningTwin

WAIT_MS = 1500


@dataclass(frozen=True, slots=True)
class Stop:
    """How the requests in flight were answered, and how the process ended."""

    twin: str
    executing: int
    """Requests whose statement was being executed when the signal came."""
    waiting: int
    """Requests that waited at the gate then."""
    answered: dict[int, int]
    exit_code: int
    connections_after: int
    """What the server still has of the twin's; it is asked until there are none."""

    @property
    def ok(self) -> bool:
        """Whether all finished, and nothing is left. Uvicorn ends by the signal it was sent."""
        everyone = {200: self.executing + self.waiting}
        ended = self.exit_code in (0, -signal.SIGTERM)
        return self.answered == everyone and ended and self.connections_after == 0


def stop_in_flight(
    twin: RunningTwin, database: Database, schema: str, *, pool_size: int, waiting: int
) -> Stop:
    """SIGTERM with the pool full of executing statements and `waiting` more at the gate."""
    many = pool_size + waiting
    with ExitStack() as stack:
        wires = [stack.enter_context(dial(twin.url)) for _ in range(many)]
        for wire in wires:
            wire.sendall(request_bytes("GET", f"/slow?ms={WAIT_MS}"))
        wait_until(lambda: sleeping(database, schema) == pool_size, "not all are executing")
        wait_until(lambda: stats(twin)["in_flight"] == many, "not all have arrived")
        executing = sleeping(database, schema)
        twin.process.terminate()
        answers = [status_of(read_all(wire)) for wire in wires]
    exit_code = twin.process.wait(LIMIT_S)
    by_status = {status: answers.count(status) for status in sorted(set(answers))}
    wait_until(lambda: connections(database, schema) == 0, "connections outlive the process")
    return Stop(
        twin.name, executing, many - executing, by_status, exit_code, connections(database, schema)
    )
