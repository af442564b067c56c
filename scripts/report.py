"""`bench report`: rebuild every report file from the stored samples."""

from __future__ import annotations

import gc
import json as json_module
from collections.abc import Callable
from pathlib import Path

from loadtests.manifest import kind_of, read_manifest
from reports.charts.rendering import spare_cores
from reports.model import Summary
from reports.terminal import print_summary
from reports.write import write_report
from scripts.console import say
from scripts.ending import R
from scripts.results_index import relist


def report_command(folder: Path, *, json: bool) -> int:
    """Rebuild the report of a run's folder; returns the exit code."""
    if kind_of(read_manifest(folder)) == "tune":
        # What judges a tune run takes a second to import.
        from reports.tuning.terminal import print_tune
        from reports.tuning.write import write_tune_report

        return _rebuilt(folder, write_tune_report, print_tune, json=json)
    return _rebuilt(folder, write_quickly, print_summary, json=json)


def write_quickly(folder: Path) -> Summary:
    """The report of a run, written with every core that there is.

    Nobody looks for garbage meanwhile: drawings are thousands of objects that refer to each other,
    and all of them are needed to the end (`benchmarks/report_size`).
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return write_report(folder, spare_cores())
    finally:
        if collects:
            gc.enable()


def _rebuilt(
    folder: Path, write: Callable[[Path], R], speak: Callable[[R, Path], None], *, json: bool
) -> int:
    report = write(folder)
    relist(folder, say)
    if json:
        print(json_module.dumps(report.to_json(), ensure_ascii=False, allow_nan=False))
    else:
        speak(report, folder)
    return 0
