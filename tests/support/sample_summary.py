"""A summary made by hand, with every kind of verdict, for tests of what people read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from loadtests.environment.machine import package_versions
from reports.model import (
    Comparison,
    GateResult,
    LatencyMs,
    LoadFacts,
    Result,
    ScenarioSummary,
    SplitMs,
    Summary,
    VerdictWord,
)

CLOSED = LoadFacts("closed-16", "closed", users=16)
OPEN = LoadFacts("open-150", "open", rate_per_s=150.0)


def latency(p50: float | None, scale: float = 1.0) -> LatencyMs:
    if p50 is None:
        return LatencyMs(None, None, None, None, None, None, None)
    p50 *= scale
    return LatencyMs(p50 * 1.1, p50, p50 * 1.5, p50 * 1.8, p50 * 2.6, None, p50 * 5)


def result(
    arm: str, load: LoadFacts = OPEN, request: str | None = None, scale: float = 1.0, **kept: Any
) -> Result:
    values: dict[str, Any] = {
        "load": load.load,
        "arm": arm,
        "request": request,
        "requests": 3000,
        "ok": 3000,
        "errors": 0,
        "timeouts": 0,
        "throughput_per_s": 300.0 / scale,
        "goodput_pct": 100.0,
        "response_ms": latency(4.0, scale),
        "service_ms": latency(3.9, scale),
        "split_ms": SplitMs(0.5 * scale, 0.4, 1.5, 1.4 * scale, 3.8 * scale),
        "cpu_ms_per_request": 2.5 * scale,
        "rss_mb_peak": 84.0,
        "threads_peak": 44,
        "connections_peak": 10,
    }
    return Result(**{**values, **kept})


def comparison(
    metric: str,
    verdict: VerdictWord,
    change_pct: float | None,
    ci95_pct: tuple[float, float] | None,
    load: LoadFacts = OPEN,
    **kept: Any,
) -> Comparison:
    values: dict[str, Any] = {
        "load": load.load,
        "metric": metric,
        "request": None,
        "primary": True,
        "baseline": "sync",
        "candidate": "async",
        "change_pct": change_pct,
        "ci95_pct": ci95_pct,
        "mde_pct": 4.0,
        "instances": 12,
        "rounds": 4,
        "blocks": 48,
        "scope": "program",
        "verdict": verdict,
        "reasons": (),
    }
    return Comparison(**{**values, **kept})


def gate(name: str = "send-lag", ok: bool | None = True, **kept: Any) -> GateResult:
    values: dict[str, Any] = {
        "name": name,
        "load": OPEN.load,
        "arm": "sync",
        "ok": ok,
        "value": 0.21,
        "limit": 1.0,
        "detail": "99 of 100 requests left within 0.21 ms of their plan",
    }
    return GateResult(**{**values, **kept})


def scenario(name: str = "read-one", **kept: Any) -> ScenarioSummary:
    values: dict[str, Any] = {
        "name": name,
        "loads": (CLOSED, OPEN),
        "results": tuple(
            result(arm, load, scale=scale)
            for load in (CLOSED, OPEN)
            for arm, scale in (("sync", 1.0), ("async", 1.15))
        ),
        "comparisons": (
            comparison("capacity_per_s", "slower", -13.2, (-16.0, -10.3), CLOSED),
            comparison("response_ms.p95", "equivalent", 1.2, (-1.9, 4.4), request="read"),
            comparison("response_ms.p50", "slower", 9.0, (5.1, 13.0), primary=False),
            comparison("response_ms.p99", "inconclusive", 3.0, (-12.0, 19.0), primary=False),
            comparison("cpu_ms_per_request", "slower", 15.0, (12, 18.0), CLOSED, primary=False),
        ),
        "gates": (gate(), gate(arm="async", value=0.34)),
    }
    return ScenarioSummary(**{**values, **kept})


def summary(*scenarios: ScenarioSummary, **kept: Any) -> Summary:
    values: dict[str, Any] = {
        "schema": 1,
        "run": "20261101-120000-quick",
        "status": "complete",
        "valid": True,
        "headline": "sync has 13% more capacity than async when reading one item; "
        "both answer equally fast.",
        "scenarios": scenarios or (scenario(), faster(), broken()),
    }
    return Summary(**{**values, **kept})


def faster() -> ScenarioSummary:
    """The candidate is better, or the run cannot tell."""
    return scenario(
        "fast-beside-slow",
        comparisons=(
            comparison("capacity_per_s", "faster", 38.0, (31.0, 45.5), CLOSED),
            comparison(
                "response_ms.p95", "inconclusive", -3.4, (-9.0, 2.6), request="fast", mde_pct=8.3
            ),
            comparison("response_ms.p50", "faster", -9.0, (-13.0, -5.1), primary=False),
        ),
    )


def broken() -> ScenarioSummary:
    """One primary result is invalid and a gate says why."""
    reason = "async answered 2.1% of its requests with an error (limit 0.1%)"
    return scenario(
        "crud-mix",
        comparisons=(
            comparison("capacity_per_s", "invalid", 4.0, (1.0, 7.1), CLOSED, reasons=(reason,)),
            comparison("response_ms.p95", "faster", -22.0, (-27.0, -16.4), request="read"),
        ),
        gates=(
            gate(
                "errors",
                ok=False,
                arm="async",
                load=CLOSED.load,
                value=2.1,
                limit=0.1,
                detail=reason,
            ),
            gate(),
            gate("server-count", ok=None, value=None, limit=None, detail="this arm tells no count"),
        ),
    )


def manifest(**kept: Any) -> Mapping[str, Any]:
    values: dict[str, Any] = {
        "schema": 1,
        "run": "20261101-120000-quick",
        "created_utc": "2026-11-01T12:00:00Z",
        "command": "bench run quick",
        "spec": {"run": {"seed": 1, "equivalence_pct": 5.0}, "arm": [], "scenario": []},
        "seed": 7,
        "versions": package_versions(),
        "host": {
            "cpu": "Example CPU",
            "cores": 2,
            "memory_mb": 8000,
            "python": {"version": "3.11.7", "gil": True},
        },
        "placement": {"generator": [0], "apps": [1], "database": [0], "why": "two cores"},
        "database": {
            "kind": "docker",
            "flavour": "mysql",
            "version": "8.4.3",
            "max_connections": 400,
        },
        "durability": {
            "profile": "durable",
            "innodb_flush_log_at_trx_commit": 1,
            "sync_binlog": 1,
            "log_bin": True,
        },
        "commit": {"sha": "0123456789abcdef0123456789abcdef01234567", "dirty": True},
        "instances": 12,
        "arms": {"sync": {"kind": "app", "settings": {"pool_size": 10, "threads": 40}}},
        "baseline": "sync",
    }
    return {**values, **kept}
