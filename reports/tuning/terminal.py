"""What there is of a tune run's answer, in plain lines."""

from __future__ import annotations

from pathlib import Path

from reports.tuning.write import Taken


def print_tune(report: Taken, folder: Path) -> None:
    """Print what was taken of each arm to stdout."""
    for arm in report.record.arms:
        print(f"{arm.arm}: {arm.taken.words if arm.taken else 'nothing was taken'}")
    print(f"Report: {folder / 'tune.json'}")
