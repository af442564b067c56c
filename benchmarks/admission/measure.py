"""Compares the places where the admission gate could stand: throughput and p99 under a crowd."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.blocks import Block, Variant, load, measure, ratio, store

FORMS = ("none", "middleware", "route", "dependency", "max_concurrency")
TWINS = ("sync", "async")
CLIENTS = (16, 64, 200)
POOL = 10


def variants(database_url: str) -> list[Variant]:
    """Every form of both twins."""
    return [
        Variant(
            f"{twin} {form}",
            "benchmarks.admission.forms:app",
            {
                "FORM": form,
                "TWIN": twin,
                "TWIN_DATABASE_URL": database_url,
                "TWIN_POOL_SIZE": str(POOL),
                "TWIN_POOL_TIMEOUT_S": "5",
            },
        )
        for twin in TWINS
        for form in FORMS
    ]


def table(blocks: Sequence[Block]) -> str:
    """Markdown: one row per twin, number of clients and form; ratios against the route's gate."""
    lines = [
        "| twin | clients | gate in | req/s | req/s against route | CPU against route | p50 ms "
        "| p99 ms | p99 against route | errors |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for twin in TWINS:
        for clients in CLIENTS:
            lines += [_row(blocks, twin, clients, form) for form in FORMS]
    return "\n".join(lines)


def _row(blocks: Sequence[Block], twin: str, clients: int, form: str) -> str:
    name, base = f"{twin} {form}", f"{twin} route"
    mine = [block for block in blocks if (block.variant, block.clients) == (name, clients)]
    cells = [
        twin,
        str(clients),
        form,
        f"{median(block.per_s for block in mine):.0f}",
        *(str(ratio(blocks, name, base, clients, what)) for what in ("per_s", "cpu_ms")),
        f"{median(block.p50_ms for block in mine):.0f}",
        f"{median(block.p99_ms for block in mine):.0f}",
        str(ratio(blocks, name, base, clients, "p99_ms")),
        str(sum(block.errors for block in mine)),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure, or with --table show again what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("blocks.jsonl"))
    parser.add_argument("--table", action="store_true", help="only print the table of --out")
    chosen = parser.parse_args()
    if not chosen.table:
        blocks = measure(
            variants(os.environ["BENCH_DATABASE_URL"]),
            clients=CLIENTS,
            instances=chosen.instances,
            rounds=chosen.rounds,
        )
        store(blocks, chosen.out)
    print(table(load(chosen.out)))


if __name__ == "__main__":
    main()
