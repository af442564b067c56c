"""What telemetry costs each twin: instrumented and bare instances in interleaved blocks."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean

from benchmarks.blocks import Block, Ratio, Variant, load, measure, paired_logs, ratio, store
from benchmarks.blocks import interval as interval_of

TWINS = ("sync", "async")


def variants(database_url: str) -> list[Variant]:
    """Both twins, with and without telemetry."""
    return [
        Variant(
            f"{twin} {word}",
            f"apps.{twin}_app.main:app",
            {"TWIN_DATABASE_URL": database_url, "TWIN_TELEMETRY": flag, "TWIN_POOL_SIZE": "10"},
        )
        for twin in TWINS
        for word, flag in (("instrumented", "1"), ("bare", "0"))
    ]


def difference(blocks: Sequence[Block]) -> Ratio:
    """The async twin's ratio over the sync twin's: 1 means that telemetry is fair.

    Paired by instance and round, as all four variants were loaded next to each other.
    """
    logs = {twin: paired_logs(blocks, f"{twin} instrumented", f"{twin} bare") for twin in TWINS}
    return interval_of([logs["async"][key] - logs["sync"][key] for key in logs["sync"]])


def report(blocks: Sequence[Block]) -> str:
    """Markdown: throughput, ratio and interval per twin, then the difference between them."""
    lines = [
        "| twin | bare req/s | instrumented req/s | instrumented / bare |",
        "|---|---|---|---|",
    ]
    for twin in TWINS:
        names = [f"{twin} bare", f"{twin} instrumented"]
        speeds = [
            geometric_mean(block.per_s for block in blocks if block.variant == name)
            for name in names
        ]
        change = ratio(blocks, names[1], names[0])
        lines.append(f"| {twin} | {speeds[0]:.0f} | {speeds[1]:.0f} | {change} |")
    fair = difference(blocks)
    half_pct = (math.log(fair.high) - math.log(fair.low)) * 50
    lines += [
        "",
        f"async's ratio over sync's: {fair} ({(fair.middle - 1) * 100:+.2f}% ± {half_pct:.2f})",
        f"errors: {sum(block.errors for block in blocks)}",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, or with --table show again what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=72)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("blocks.jsonl"))
    parser.add_argument("--table", action="store_true", help="only print the table of --out")
    chosen = parser.parse_args()
    if not chosen.table:
        blocks = measure(
            variants(os.environ["BENCH_DATABASE_URL"]),
            clients=[chosen.clients],
            instances=chosen.instances,
            rounds=chosen.rounds,
        )
        store(blocks, chosen.out)
    print(report(load(chosen.out)))


if __name__ == "__main__":
    main()
