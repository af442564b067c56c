"""What telemetry costs each twin: instrumented and bare instances in interleaved blocks."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.blocks import (
    Block,
    Ratio,
    Variant,
    interval,
    load,
    measure,
    paired_logs,
    ratio,
    store,
)

TWINS = ("sync", "async")
MEASURES = ("per_s", "cpu_ms")


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


def difference(blocks: Sequence[Block], what: str) -> Ratio:
    """The async twin's ratio over the sync twin's: 1 means that telemetry is fair.

    Paired by instance and round, as all four variants were loaded next to each other.
    """
    logs = {
        twin: paired_logs(blocks, f"{twin} instrumented", f"{twin} bare", what) for twin in TWINS
    }
    return interval([logs["async"][key] - logs["sync"][key] for key in logs["sync"]])


def report(blocks: Sequence[Block]) -> str:
    """Markdown: ratio and interval per twin, by throughput and by CPU, then the difference."""
    lines = [
        "| instrumented / bare | requests per second | CPU per request |",
        "|---|---|---|",
    ]
    for twin in TWINS:
        cells = [ratio(blocks, f"{twin} instrumented", f"{twin} bare", None, w) for w in MEASURES]
        lines.append(f"| {twin} | {cells[0]} | {cells[1]} |")
    cells = [difference(blocks, what) for what in MEASURES]
    lines += [f"| async's over sync's | {cells[0]} | {cells[1]} |", ""]
    for variant in sorted({block.variant for block in blocks}):
        mine = [block for block in blocks if block.variant == variant]
        per_s, cpu_ms = median(b.per_s for b in mine), median(b.cpu_ms for b in mine)
        lines.append(f"{variant}: {per_s:.0f} requests/s, {cpu_ms:.3f} ms CPU per request")
    lines.append(f"blocks: {len(blocks)}, errors: {sum(block.errors for block in blocks)}")
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
