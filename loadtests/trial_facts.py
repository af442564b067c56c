"""PURE: a trial's order, outcome and readings as facts for the journal; what stood still in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.testbed import Reading, Stop
from loadtests.trials import TrialOrder, TrialOutcome

STILL_LIMIT_S = 0.25
"""A choice, well above what was seen: in 1,104 trials of good runs, most beside builds and tests,
the generator (with real-time priority) stood still for 33 ms at most, p99 5 ms."""


def order_facts(order: TrialOrder, position: int) -> dict[str, Any]:
    """What was to be measured."""
    return {
        "trial": order.trial,
        "round": order.round,
        "block": order.block,
        "scenario": order.scenario,
        "load": order.load.name,
        "arm": order.target.arm,
        "instance": order.target.instance,
        "position": position,
    }


def outcome_facts(outcome: TrialOutcome) -> dict[str, Any]:
    """What the generator saw, but for its samples."""
    return {
        field.name: getattr(outcome, field.name)
        for field in dataclasses.fields(outcome)
        if field.name != "samples"
    }


def reading_facts(before: Reading, after: Reading) -> dict[str, Any]:
    """What instance, database and host used between the readings around a trial."""
    wall_s = (after.t_ns - before.t_ns) / 1e9
    return {
        "app_cpu_s": _difference(before.cpu_s, after.cpu_s),
        "app_rss_mb": after.rss_mb,
        "app_threads": after.threads,
        "connections": after.connections,
        "database_cpu_s": _difference(before.database_cpu_s, after.database_cpu_s),
        "relay_cpu_s": _difference(before.relay_cpu_s, after.relay_cpu_s),
        "apps_busy_s": _difference(before.apps_busy_s, after.apps_busy_s),
        "watched_s": wall_s,
        "steal_pct": share_pct(before.steal_s, after.steal_s, wall_s),
        "pressure_pct": share_pct(before.pressure_s, after.pressure_s, wall_s),
    }


def app_facts(before: Reading | None, after: Reading) -> dict[str, Any]:
    """What the app itself counted since its last trial; None where it does not tell."""
    requests = _difference(before.server_requests if before else None, after.server_requests)
    arrivals_ns = _difference(before.arrivals_ns if before else None, after.arrivals_ns)
    told = requests is not None and arrivals_ns is not None and requests > 0
    return {
        "server_requests": requests,
        "server_in_flight_s": _difference(
            before.in_flight_s if before else None, after.in_flight_s
        ),
        "server_arrival_ns": arrivals_ns // requests if told else None,
    }


def counter_facts(
    before: Mapping[str, float] | None, after: Mapping[str, float] | None
) -> dict[str, float] | None:
    """By how much the database server's own counters rose; None where it does not tell."""
    if before is None or after is None:
        return None
    return {name: after[name] - before[name] for name in after if name in before}


def disturbances(outcome: TrialOutcome, stops: Sequence[Stop]) -> list[str]:
    """What makes a trial count for nothing, whatever it measured: something stood still in it."""
    seen = [f"{stop.what} was stopped for {stop.seconds:.2f} s" for stop in stops]
    still_s = outcome.generator_still_s or 0.0
    if still_s > STILL_LIMIT_S:
        seen.append(f"the load generator stood still for {still_s:.2f} s")
    return seen


def _difference(before: Any, after: Any) -> Any:
    return None if before is None or after is None else after - before


def share_pct(before_s: float | None, after_s: float | None, wall_s: float) -> float | None:
    """What a counter of seconds grew by, in percent of the time between its two readings."""
    used_s = _difference(before_s, after_s)
    return None if used_s is None or wall_s <= 0 else 100.0 * used_s / wall_s
