"""The distance between arms and database: a relay that makes it, and what is measured of it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.environment.arm_database import Database
from loadtests.environment.launch import PROJECT
from loadtests.environment.pings import DIRECT_VARIABLE, RELAYED_VARIABLE
from loadtests.environment.placement import Placement
from loadtests.environment.processes import spawn
from loadtests.environment.relay import Relay, running_relay
from loadtests.errors import EnvironmentNotReady

MEASURE_S = 1.5
END_LIMIT_S = 120.0
POLL_S = 0.02

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Distance:
    """A relay in front of the database, and the round trips that were measured through it."""

    relay: Relay
    measured: dict[str, Any]
    """`direct_ms`, `measured_ms`, `added_ms` (each `p50` and `p99`) and `round_trips`."""

    def facts(self) -> dict[str, Any]:
        """As manifest and journal have it."""
        return {
            "asked_ms": self.relay.rtt_ms,
            **self.measured,
            "real_time": self.relay.real_time,
        }

    def words(self) -> str:
        """The same for a person."""
        added, direct = self.measured["added_ms"], self.measured["direct_ms"]
        return (
            f"Distance to the database: {self.relay.rtt_ms:g} ms asked, {added['p50']:.2f} ms added"
            f" (p99 {added['p99']:.2f}) to {direct['p50']:.2f} ms, measured where the apps run."
        )


@contextlib.contextmanager
def distant_database(
    database: Database, rtt_ms: float, *, placement: Placement, log_folder: Path, say: Say
) -> Iterator[Distance | None]:
    """Put `rtt_ms` between arms and database for the length of the block; None where that is 0.

    Arms that are told the database's URL in the block get that of the relay. Raises
    EnvironmentNotReady when the relay does not start or the way through it cannot be measured.
    """
    if not rtt_ms:
        yield None
        return
    with running_relay(
        database.address, rtt_ms, cores=placement.relay, log_folder=log_folder
    ) as relay:
        direct_url = database.url_for("")
        database.lead_arms_to(relay.port)
        try:
            measured = _measured(database, direct_url, placement, log_folder / "distance.log")
            relay.check()
            distance = Distance(relay, measured)
            say(distance.words())
            yield distance
        finally:
            database.lead_arms_to(None)


def _measured(
    database: Database, direct_url: str, placement: Placement, log_path: Path
) -> dict[str, Any]:
    """Ping by both ways from a process on the apps' cores."""
    urls = {DIRECT_VARIABLE: direct_url, RELAYED_VARIABLE: database.url_for("")}
    child = spawn(
        [sys.executable, "-m", "loadtests.environment.pings", str(MEASURE_S)],
        env={**os.environ, **urls},
        cwd=PROJECT,
        cores=placement.apps,
        log_path=log_path,
        name="The measurement of the distance",
    )
    deadline_s = time.monotonic() + END_LIMIT_S
    while child.alive() and time.monotonic() < deadline_s:
        time.sleep(POLL_S)
    child.stop()
    if child.returncode != 0:
        raise EnvironmentNotReady(
            "The distance to the database could not be measured:\n"
            f"{database.mask(child.log_tail(4))}",
            hint=f"Its log: {log_path}. The relay's: {log_path.with_name('relay.log')}.",
        )
    return dict(json.loads(child.log_tail(1)))
