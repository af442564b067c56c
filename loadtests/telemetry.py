"""CPU, memory, threads and connections: at trial boundaries, and once a second in between."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from loadtests.testbed import Bed, Reading
from loadtests.trial_facts import share_pct
from loadtests.trials import Target, TrialOrder

TICK_S = 1.0


class Telemetry:
    """Collects telemetry rows in memory; `rows` fit `loadtests.store.TELEMETRY_SCHEMA` and begin
    with those of earlier sessions of the run.

    A thread reads the loaded instance once a second, from /proc.
    """

    def __init__(
        self, bed: Bed, *, tick_s: float = TICK_S, rows: Sequence[dict[str, Any]] = ()
    ) -> None:
        self.rows: list[dict[str, Any]] = list(rows)
        self._bed = bed
        self._order: TrialOrder | None = None
        self._last: dict[tuple[str, int], Reading] = {}
        self._before: Reading | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=self._tick, args=(tick_s,), name="telemetry", daemon=True
        )
        self._thread.start()

    def begin(self, order: TrialOrder) -> Reading:
        """Read the instance about to be loaded.

        The app's own count of requests is taken from the end of its last trial, since nobody else
        sends it any.
        """
        reading = self._bed.read(order.target, full=_key(order.target) not in self._last)
        with self._lock:
            self._order = order
        self._add(reading, "start", order)
        return reading

    def end(self, order: TrialOrder) -> tuple[Reading, Reading | None]:
        """Read the instance just loaded: this reading, and the last full one before the trial."""
        with self._lock:
            self._order = None
        before = self._last.get(_key(order.target))
        reading = self._bed.read(order.target, full=True)
        self._last[_key(order.target)] = reading
        self._add(reading, "end", order)
        return reading, before

    def prime(self, target: Target) -> None:
        """Take a first full reading of an instance."""
        self._last[_key(target)] = self._bed.read(target, full=True)

    def close(self) -> None:
        """Stop the clock."""
        self._ended.set()
        self._thread.join()

    def _tick(self, tick_s: float) -> None:
        while not self._ended.wait(tick_s):
            with self._lock:
                order = self._order
            if order is not None:
                self._add(self._bed.read(order.target, full=False), "tick", order)

    def _add(self, reading: Reading, at: str, order: TrialOrder) -> None:
        row = {
            "t_ns": reading.t_ns,
            "scenario": order.scenario,
            "load": order.load.name,
            "arm": order.target.arm,
            "instance": order.target.instance,
            "cpu_s": reading.cpu_s,
            "rss_mb": reading.rss_mb,
            "threads": reading.threads,
            "connections": reading.connections,
            "in_flight": reading.in_flight,
            "at": at,
            "trial": order.trial,
        }
        with self._lock:
            self.rows.append(row | _host_shares(self._before, reading))
            self._before = reading


def _key(target: Target) -> tuple[str, int]:
    return target.arm, target.instance


def _host_shares(before: Reading | None, now: Reading) -> dict[str, float | None]:
    """Steal and pressure in percent of the time since the reading before."""
    if before is None:
        return {"steal_pct": None, "pressure_pct": None}
    wall_s = (now.t_ns - before.t_ns) / 1e9
    return {
        "steal_pct": share_pct(before.steal_s, now.steal_s, wall_s),
        "pressure_pct": share_pct(before.pressure_s, now.pressure_s, wall_s),
    }
