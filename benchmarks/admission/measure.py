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
MEDIANS = ("per_s", "p50_ms", "p99_ms")
RATIOS = ("per_s", "cpu_ms", "p99_ms")


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
    """Markdown: one row per twin, number of clients and form, and one over all clients.

    The ratios are against the gate in the middleware.
    """
    lines = [
        "| twin | clients | gate in | req/s | p50 ms | p99 ms | req/s ratio | CPU ratio "
        "| p99 ratio | errors |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for twin in TWINS:
        for clients in (*CLIENTS, None):
            lines += [_row(blocks, twin, clients, form) for form in FORMS]
    return "\n".join(lines)


def _row(blocks: Sequence[Block], twin: str, clients: int | None, form: str) -> str:
    name, base = f"{twin} {form}", f"{twin} middleware"
    mine = [block for block in blocks if block.variant == name and clients in (None, block.clients)]
    measured = (median(getattr(block, what) for block in mine) for what in MEDIANS)
    compared = (ratio(blocks, name, base, clients, what) for what in RATIOS)
    cells = [
        twin,
        "all" if clients is None else str(clients),
        form,
        *("" if clients is None else f"{value:.0f}" for value in measured),
        *("1" if name == base else str(value) for value in compared),
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
