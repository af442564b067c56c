"""A database that is killed and started again under writes: what was acknowledged must be there."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from benchmarks.faults.twin import LIMIT_S, wait_until
from loadtests.environment.server_settings import durability_facts
from tests.support.restartable import RestartableServer
from tests.support.twins import RunningTwin

WRITERS = 4
WRITES_BETWEEN = 50
"""Acknowledged writes between one kill and the next."""


@dataclass(frozen=True, slots=True)
class Restarts:
    """`healed_s`: per kill, from the start of the server's process to the first good write."""

    twin: str
    kills: int
    acknowledged: int
    missing: int
    """Acknowledged writes that are not in the table."""
    answered: dict[int, int]
    """Answers by status code; 0: none within the client's patience."""
    healed_s: tuple[float, ...]
    same_process: bool
    """Whether the app is still the process it was."""
    durability: str
    """What the server says of itself after the last restart."""

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, and no answer was anything but 201 or 503."""
        return (
            self.missing == 0
            and set(self.answered) <= {201, 503}
            and self.same_process
            and self.durability == "durable"
        )


@dataclass
class Writers:
    """Clients that write one item after the other, each with a name of its own."""

    url: str
    acknowledged: list[str] = field(default_factory=list)
    answered: Counter[int] = field(default_factory=Counter)
    last_good_sent_s: float = 0.0
    """When the latest request was sent that was answered well."""

    def write(self, writer: int, stop: threading.Event) -> None:
        """Write until told to stop."""
        with httpx.Client(base_url=self.url, timeout=LIMIT_S, trust_env=False) as client:
            number = 0
            while not stop.is_set():
                number += 1
                name = f"w{writer}-{number}"
                sent_s = time.monotonic()
                status = client.post("/objects/items", json={"name": name, "price": 1}).status_code
                self.answered[status] += 1
                if status == 201:
                    self.acknowledged.append(name)
                    self.last_good_sent_s = max(self.last_good_sent_s, sent_s)
                else:
                    stop.wait(0.01)  # as a client that was asked to come back, only sooner

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All writers at work for the length of the block."""
        stop = threading.Event()
        threads = [
            threading.Thread(target=self.write, args=(number, stop)) for number in range(WRITERS)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(LIMIT_S)


def kill_under_writes(
    twin: RunningTwin, server: RestartableServer, schema: str, *, kills: int
) -> Restarts:
    """Kill the server `kills` times while writers write, and count afterwards what is there."""
    writers, healed_s = Writers(twin.url), []
    pid = httpx.get(f"{twin.url}/stats").json()["pid"]
    with writers.writing():
        for _ in range(kills):
            enough = len(writers.acknowledged) + WRITES_BETWEEN
            wait_until(lambda n=enough: len(writers.acknowledged) >= n, "no writes get through")
            server.kill()
            server.start_again()
            healed_s.append(_first_good_s(writers, time.monotonic()))
        enough = len(writers.acknowledged) + WRITES_BETWEEN
        wait_until(lambda: len(writers.acknowledged) >= enough, "no writes get through")
    server.await_answer()
    stored = {row["name"] for row in server.database.query("SELECT name FROM items", schema)}
    return Restarts(
        twin.name,
        kills,
        len(writers.acknowledged),
        len(set(writers.acknowledged) - stored),
        dict(sorted(writers.answered.items())),
        tuple(healed_s),
        twin.process.poll() is None and httpx.get(f"{twin.url}/stats").json()["pid"] == pid,
        _durability(server),
    )


def _durability(server: RestartableServer) -> str:
    rows = server.database.query("SHOW GLOBAL VARIABLES")
    variables = {row["Variable_name"]: row["Value"] for row in rows}
    profile: str = durability_facts(variables)["profile"]
    return profile


def _first_good_s(writers: Writers, started_s: float) -> float:
    """Seconds from `started_s` until a write sent after it has been answered well."""
    wait_until(lambda: writers.last_good_sent_s > started_s, "the app does not heal")
    return time.monotonic() - started_s
