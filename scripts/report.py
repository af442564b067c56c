"""`bench report`: rebuild every report file from the stored samples."""

from __future__ import annotations

import json as json_module
from pathlib import Path

from reports.terminal import print_summary
from reports.write import write_report


def report_command(folder: Path, *, json: bool) -> int:
    """Rebuild the report of a run's folder; returns the exit code."""
    summary = write_report(folder)
    if json:
        print(json_module.dumps(summary.to_json(), ensure_ascii=False, allow_nan=False))
    else:
        print_summary(summary, folder)
    return 0
