"""Stored runs of one and the same thing against each other, every pair of them:
`python -m benchmarks.between_runs.stored DIR/01 DIR/02 …`."""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from reports.compare.ratio import ratio_of_ratios
from reports.model import Comparison
from reports.run_folder import load_run
from reports.statistics import Estimate
from reports.summarise import summarise

Estimates = dict[tuple[str, str], list[Estimate]]


def estimates_of(folders: list[Path]) -> Estimates:
    """Every valid primary with an interval, by scenario and metric."""
    found: Estimates = {}
    for folder in folders:
        for scenario, comparison in _primaries(folder):
            if comparison.verdict == "invalid" or comparison.change_pct is None:
                print(f"left out: {folder.name} {comparison.metric} ({comparison.verdict})")
                continue
            se, df = comparison.log_standard_error, comparison.degrees_of_freedom
            if comparison.ci95_pct is None or se is None or df is None:
                print(f"left out: {folder.name} {comparison.metric} (no interval)")
                continue
            log_ratio = math.log1p(comparison.change_pct / 100.0)
            found.setdefault((scenario, comparison.metric), []).append(Estimate(log_ratio, se, df))
    return found


def _primaries(folder: Path) -> Iterator[tuple[str, Comparison]]:
    for scenario in summarise(load_run(folder)).scenarios:
        for comparison in scenario.comparisons:
            if comparison.primary:
                yield scenario.name, comparison


def line(place: tuple[str, str], runs: list[Estimate]) -> str:
    """One row: how many pairs of runs differ by more than their 95% interval says."""
    pairs = [ratio_of_ratios(*pair) for pair in itertools.combinations(runs, 2)]
    outside = np.mean([abs(each.log_ratio) > each.half_width_log() for each in pairs])
    width = np.median([100.0 * math.expm1(each.half_width_log()) for each in pairs])
    told = f"{outside:.1%} of {len(pairs)}, ±{width:.0f}%"
    return f"| {place[0]}, {place[1]} | {len(runs)} | {told} | {spread_words(runs)} |"


def spread_words(runs: list[Estimate]) -> str:
    """Cochran's Q of the runs, and what it is expected to be if nothing varies between them.

    With t-distributed estimates each term's mean is df/(df − 2) instead of 1, so that Q is no χ²
    and its tail no p value.
    """
    weights = np.array([1.0 / each.standard_error**2 for each in runs])
    logs = np.array([each.log_ratio for each in runs])
    q = float(np.sum(weights * (logs - np.sum(weights * logs) / np.sum(weights)) ** 2))
    inflation = np.mean([each.df / (each.df - 2.0) if each.df > 2.0 else np.nan for each in runs])
    expected = (len(runs) - 1) * float(inflation)
    return f"Q {q:.1f}, about {expected:.1f} expected"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    found = estimates_of(parser.parse_args().runs)
    print("| primary | runs | pairs outside their 95% interval | spread of the runs |")
    print("|---|---|---|---|")
    for place, runs in found.items():
        print(line(place, runs))


if __name__ == "__main__":
    main()
