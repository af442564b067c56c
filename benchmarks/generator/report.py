"""Turns the benchmark's results into README.md; run alone, it rewrites it from results.json."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
STOCK = "stock FastHttpUser"

TEXT = """# How fast is the generator?

Closed load of {users} users on one core, against a server that does next to nothing on another.
{repeats} repetitions of {seconds:g} s, contenders interleaved in random order; ratios are geometric
means of each repetition's ratio with 95% t intervals. Real-time priority while measuring, for
every contender: {real_time}. Made with

    .venv/bin/python -m benchmarks.generator.measure

| | requests/s on one core | per CPU second | × stock Locust | per CPU second × stock Locust |
|---|---|---|---|---|
{rows}

Where "per CPU second" lies far above the rate, the server was the limit, not the generator.

## Open load

Poisson arrivals on the same core, the rate raised by 15% a step until the send lag (sent − planned)
exceeded {limit:g} ms at p99 in two steps running; each step may be tried three times.

**Highest rate with a send lag p99 ≤ {limit:g} ms: {best}**

| rate | lag p50, ms | lag p99, ms | generator's CPU | within the limit |
|---|---|---|---|---|
{stairs}

(medians over repetitions; the last column says in how many repetitions)

## Why it is faster than stock

- Requests are rendered once to bytes with a hole for the key; nothing builds headers per request.
- A connection's readiness watcher stays armed for its life (gevent arms and disarms one for each
  wait), and its callback feeds geventhttpclient's C parser directly in the hub: one `send`, one
  `recv`, two greenlet switches per request.
- A row is one tuple; Server-Timing is parsed, and the table built, after the trial has drained.
- Under open load a user that becomes free takes what is due at once; the timerfd only wakes users
  when nothing is due, and its watcher is served before all others.
"""


def write_report(results: dict[str, Any], path: Path) -> None:
    """Write the README for `results`."""
    counts = results["counts"]
    path.write_text(
        TEXT.format(
            users=results["users"],
            seconds=results["seconds"],
            repeats=len(counts[STOCK]),
            rows="\n".join(_row(name, counts) for name in counts),
            real_time="yes" if results["real_time"] else "not allowed here",
            limit=results["lag_limit_ms"],
            best=_best(results["stairs"], results["lag_limit_ms"]),
            stairs="\n".join(_stairs(results["stairs"], results["lag_limit_ms"])),
        )
    )


def _row(name: str, counts: dict[str, Any]) -> str:
    rate, per_cpu = _rates(counts[name], "wall_s"), _rates(counts[name], "cpu_s")
    stock_rate, stock_per_cpu = _rates(counts[STOCK], "wall_s"), _rates(counts[STOCK], "cpu_s")
    return (
        f"| {name} | {np.median(rate):,.0f} | {np.median(per_cpu):,.0f} "
        f"| {_ratio(rate / stock_rate)} | {_ratio(per_cpu / stock_per_cpu)} |"
    )


def _rates(counts: Sequence[dict[str, float]], per: str) -> np.ndarray:
    return np.array([count["requests"] / count[per] for count in counts])


def _ratio(ratios: np.ndarray) -> str:
    logs = np.log(ratios)
    if len(logs) < 2 or not logs.any():
        return f"{np.exp(logs.mean()):.2f}"
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(logs) - 1) * stats.sem(logs)
    low, high = np.exp(logs.mean() - half), np.exp(logs.mean() + half)
    return f"{np.exp(logs.mean()):.2f} [{low:.2f}, {high:.2f}]"


def _best(stairs: Sequence[Sequence[dict[str, float]]], limit_ms: float) -> str:
    best = [
        max((s["rate_per_s"] for s in one if s["lag_p99_ms"] <= limit_ms), default=0.0)
        for one in stairs
    ]
    each = ", ".join(f"{rate:,.0f}" if rate else "none" for rate in sorted(best))
    told = f"{np.median(best):,.0f}/s, the median of {len(best)} repetitions ({each})"
    if min(best) == 0:
        first = min(step["rate_per_s"] for one in stairs for step in one)
        told += f"; “none” was late at {first:,.0f}/s and the step after it already"
    return told


def _stairs(stairs: Sequence[Sequence[dict[str, float]]], limit_ms: float) -> list[str]:
    lines = []
    for rate in sorted({stair["rate_per_s"] for one in stairs for stair in one}):
        at_rate = [stair for one in stairs for stair in one if stair["rate_per_s"] == rate]
        p50, p99, cpu = (
            np.median([stair[key] for stair in at_rate])
            for key in ("lag_p50_ms", "lag_p99_ms", "cpu_share")
        )
        within = sum(stair["lag_p99_ms"] <= limit_ms for stair in at_rate)
        of = len(at_rate)
        lines.append(f"| {rate:,.0f}/s | {p50:.3f} | {p99:.3f} | {cpu:.0%} | {within} of {of} |")
    return lines


if __name__ == "__main__":
    here = Path(__file__).parent
    write_report(json.loads((here / "results.json").read_text()), here / "README.md")
