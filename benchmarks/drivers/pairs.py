"""Prints a stored run's ratios driver against driver, not only against the run's baseline.

.venv/bin/python -m benchmarks.drivers.pairs RUN
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from reports.model import CAPACITY, COST, Comparison, Summary
from reports.run_folder import StoredRun, load_run
from reports.summarise import summarise

PAIRS = (
    ("sync-mysqldb", "sync-pymysql"),
    ("async-asyncmy", "async-aiomysql"),
    ("async-aiomysql", "sync-pymysql"),
    ("async-asyncmy", "sync-mysqldb"),
)
"""Numerator and denominator: the driver's share first, then the twin's."""


def main(folder: Path) -> None:
    """Print two tables in Markdown: what each arm did, and the ratios with their intervals."""
    run = load_run(folder)
    print("| scenario | arm | answers/s | CPU ms per request |\n|---|---|---|---|")
    print("\n".join(_levels(summarise(run))))
    print("\n| scenario | ratio of | capacity | CPU per request |\n|---|---|---|---|")
    for numerator, denominator in PAIRS:
        print("\n".join(_ratios(run, numerator, denominator)))


def _levels(summary: Summary) -> Iterator[str]:
    for scenario in summary.scenarios:
        for result in scenario.results:
            if result.request is None:
                yield (
                    f"| {scenario.name} | {result.arm} | {result.throughput_per_s:.0f} "
                    f"| {result.cpu_ms_per_request:.2f} |"
                )


def _ratios(run: StoredRun, numerator: str, denominator: str) -> Iterator[str]:
    seen_from = replace(run, manifest={**run.manifest, "baseline": denominator})
    for scenario in summarise(seen_from).scenarios:
        found = {c.metric: c for c in scenario.comparisons if c.candidate == numerator}
        yield (
            f"| {scenario.name} | {numerator} / {denominator} "
            f"| {_ratio(found[CAPACITY])} | {_ratio(found[COST])} |"
        )


def _ratio(comparison: Comparison) -> str:
    if comparison.change_pct is None or comparison.ci95_pct is None:
        return "; ".join(comparison.reasons)
    values = (comparison.change_pct, *comparison.ci95_pct)
    middle, low, high = (1 + value / 100 for value in values)
    invalid = " (invalid)" if comparison.verdict == "invalid" else ""
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]{invalid}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
