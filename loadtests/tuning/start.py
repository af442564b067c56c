"""PURE: how many connections a throughput needs, by Little's law, before anything is searched."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """Connections in use at a throughput, and how many to start the search with."""

    throughput_per_s: float
    holding_ms: float

    @property
    def in_use(self) -> float:
        """On average: throughput × holding time (Little 1961, "A proof for the queuing formula
        L = λW")."""
        return self.throughput_per_s * self.holding_ms / 1e3

    @property
    def with_headroom(self) -> int:
        """Enough for random arrivals: L + 2√L (square-root staffing; Halfin & Whitt 1981,
        "Heavy-traffic limits for queues with many exponential servers")."""
        return max(1, math.ceil(self.in_use + 2.0 * math.sqrt(self.in_use)))

    def words(self) -> str:
        """The arithmetic, written out."""
        return (
            f"{self.throughput_per_s:.0f} requests/s × {self.holding_ms:.1f} ms with a connection "
            f"= {self.in_use:.1f} connections in use; {self.with_headroom} with room for bursts "
            "(L + 2√L)"
        )
