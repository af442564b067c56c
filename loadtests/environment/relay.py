"""Starts the relay between arms and database, watches it, and ends it. It is never restarted."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from loadtests.environment.launch import PROJECT
from loadtests.environment.mysql import Address
from loadtests.environment.probes import cpu_clock_s
from loadtests.environment.processes import Child, free_port, raise_file_limit, spawn
from loadtests.environment.proctree import listens
from loadtests.errors import EnvironmentNotReady
from loadtests.priority import has_priority

READY_LIMIT_S = 20.0
STOP_GRACE_S = 3.0
POLL_S = 0.02
ATTEMPTS = 3
PORT_TAKEN = "address already in use"
LOG_LINES = 12


class Relay:
    """A running relay process."""

    def __init__(self, child: Child, port: int, rtt_ms: float) -> None:
        self.port = port
        """Where arms connect, on 127.0.0.1."""
        self.rtt_ms = rtt_ms
        """What it adds to every round trip."""
        self.child = child

    def check(self) -> None:
        """Raise EnvironmentNotReady when it has ended: every connection through it is lost."""
        if not self.child.alive():
            raise EnvironmentNotReady(
                f"The relay to the database has ended (exit code {self.child.returncode})."
                f"\n{self.child.log_tail(LOG_LINES)}".rstrip(),
                hint=f"Its log: {self.child.log_path}. Run again; database_rtt_ms = 0 needs none.",
            )

    def cpu_s(self) -> float | None:
        """CPU seconds it has used since it started."""
        return cpu_clock_s(self.child.pid)

    @property
    def real_time(self) -> bool:
        """Whether it has real-time priority."""
        return self.child.alive() and has_priority(self.child.pid)

    def end(self) -> None:
        """Stop it; connections through it are reset."""
        self.child.stop(STOP_GRACE_S)

    def told(self) -> dict[str, Any]:
        """What it says of its work once it has ended: `connections`, `passed_on` (chunks, ends of
        streams), `late_p50_ms`, `late_p99_ms`; empty when it could not say anything."""
        try:
            told = json.loads(self.child.log_tail(1))
        except ValueError:
            return {}
        return dict(told) if isinstance(told, dict) else {}


@contextlib.contextmanager
def running_relay(
    address: Address, rtt_ms: float, *, cores: Sequence[int], log_folder: Path
) -> Iterator[Relay]:
    """A relay to `address` that adds `rtt_ms` to every round trip, for the length of the block.

    Raises EnvironmentNotReady with the end of its log when it does not start.
    """
    if sys.platform != "linux":
        raise EnvironmentNotReady(
            "database_rtt_ms needs Linux: the relay stands on epoll and timerfd.",
            hint="Leave it at 0 here, or measure in a Linux machine.",
        )
    raise_file_limit()  # two descriptors for every connection
    relay = _start(address, rtt_ms, cores, log_folder / "relay.log")
    try:
        yield relay
    finally:
        relay.end()


def _start(address: Address, rtt_ms: float, cores: Sequence[int], log_path: Path) -> Relay:
    """Start it; on another port if somebody was faster."""
    one_way_ns = str(round(rtt_ms * 1e6 / 2))
    for _ in range(ATTEMPTS):
        port = free_port()
        words = [str(port), address.host, str(address.port), one_way_ns]
        child = spawn(
            [sys.executable, "-m", "loadtests.relay.process", *words],
            env=dict(os.environ),
            cwd=PROJECT,
            cores=cores,
            log_path=log_path,
            name="The relay to the database",
        )
        try:
            if _wait(child, port):
                return Relay(child, port, rtt_ms)
        except BaseException:
            child.kill()
            raise
        child.kill()
        if PORT_TAKEN not in child.log_tail(LOG_LINES).lower():
            break
    raise EnvironmentNotReady(
        f"The relay to the database did not start. The end of its log:\n"
        f"{child.log_tail(LOG_LINES)}",
        hint=f"The whole log is {log_path}. database_rtt_ms = 0 needs no relay.",
    )


def _wait(child: Child, port: int) -> bool:
    """Whether it came to listen. Nobody connects to see: the server would count a broken handshake
    and may block a host for some of those."""
    deadline_s = time.monotonic() + READY_LIMIT_S
    while child.alive() and time.monotonic() < deadline_s:
        if listens(child.pid, port):
            return True
        time.sleep(POLL_S)
    return False
