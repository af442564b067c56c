"""With the gate, one limit on all that a request waits for: gate, thread, connection, a silent
database. Without it nobody bounds the wait for a thread, and the pool's own limit on the wait for a
pooled connection comes on top."""

from __future__ import annotations

from time import perf_counter

from apps.common.request_times import current

FLOOR_S = 1.0
"""Left for connecting and for statements, however short the limit and whatever was waited before:
under overload everybody who is let in has waited for long, and cutting them would serve nobody."""


def at_gate_s(limit_s: float) -> float:
    """How long to wait at the gate, so that FLOOR_S is left after it; half of a short limit."""
    return max(limit_s - FLOOR_S, limit_s / 2)


def left_s(limit_s: float) -> float:
    """What is left of the limit of the present request; all of it outside of requests."""
    times = current.get()
    waited_s = perf_counter() - times.asked_s if times is not None else 0.0
    return max(limit_s - waited_s, FLOOR_S)
