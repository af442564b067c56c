"""Turns the benchmark's results into README.md; run alone, it rewrites it from results.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TEXT = """# How exactly does the relay keep its distance?

COM_PINGs to a private database over {connections} connections at a fixed rate, in turn for
{block_s:g} s without and {block_s:g} s with the relay, {pairs} times. Client on the apps' core,
database and relay on the other. *Added* is each round trip through the relay less the median of the
block without it just before. Made with

    .venv/bin/python -m benchmarks.relay.measure

on {cpu}, {cores} cores, kernel {kernel}; load average {before} before and {after} after; real-time
priority for the relay: {real_time}. The client waits by a timerfd and has it where that is allowed;
the database has none: what disturbs it stands in p99, with and without a relay.

{tables}

The relay's own account of how late chunks left, against the kernel's time of their arrival plus
half of the distance (all rates together, 10 µs classes; early counts as 0):

| asked | p50 | p99 |
|---|---|---|
{told}

What is off in the first table and not in this one was added by client, database and scheduler.

The naive proxy (`naive_proxy.py`) calls `loop.call_later` for each chunk. asyncio's waits are
rounded up to whole milliseconds, and it has no priority over the database on their core.
"""

HEAD = """## {name}

All times in ms; CPU of the relay in µs per round trip.

| asked | round trips/s | reached | without: p50 | p99 | added: p50 | p99 | off at p50 | CPU |
|---|---|---|---|---|---|---|---|---|
"""


def write_report(results: dict[str, Any], path: Path) -> None:
    """Write the README for `results`."""
    names = dict.fromkeys(cell["relay"] for cell in results["cells"])
    tables = [
        HEAD.format(name=name)
        + "\n".join(_row(cell) for cell in results["cells"] if cell["relay"] == name)
        for name in names
    ]
    host = results["host"]
    path.write_text(
        TEXT.format(
            **{key: results[key] for key in ("connections", "block_s", "pairs")},
            **{key: host[key] for key in ("cpu", "cores", "kernel")},
            before=results["load_1min_before"],
            after=results["load_1min_after"],
            real_time="yes" if results["real_time"] else "not allowed here",
            told="\n".join(
                f"| {asked} | {told['late_p50_ms']:.2f} | {told['late_p99_ms']:.2f} |"
                for asked, told in results["told"].items()
            ),
            tables="\n\n".join(tables),
        )
    )


def _row(cell: dict[str, Any]) -> str:
    direct, added = cell["direct_ms"], cell["added_ms"]
    return (
        f"| {cell['asked_ms']:g} | {cell['rate_per_s']:,} | {cell['reached_per_s']:,.0f} "
        f"| {direct['p50']:.2f} | {direct['p99']:.2f} | {added['p50']:.2f} | {added['p99']:.2f} "
        f"| {added['p50'] - cell['asked_ms']:+.2f} | {cell['cpu_us_per_round_trip']:.0f} |"
    )


if __name__ == "__main__":
    here = Path(__file__).parent
    write_report(json.loads((here / "results.json").read_text()), here / "README.md")
