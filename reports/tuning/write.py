"""Writes every report file of a tune run, each whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from loadtests.store import write_atomically
from reports.tuning.charts import draw_tune_charts
from reports.tuning.html import render_html
from reports.tuning.judge import judge
from reports.tuning.load import load_tune
from reports.tuning.markdown import render_markdown
from reports.tuning.model import TuneReport
from reports.tuning.parts import parts_of
from reports.tuning.record import TuneRecord
from reports.write import write_charts


def write_tune_report(folder: Path) -> TuneReport:
    """Rebuild `tune.json`, `tune.html`, `tune.md` and `charts/` from a tune run's folder.

    The same samples and journal give the same bytes. Raises StorageError when the run cannot be
    read or the report cannot be written.
    """
    record = load_tune(folder)
    report = judge(record)
    write_files(folder, record, report)
    return report


def write_files(folder: Path, record: TuneRecord, report: TuneReport) -> None:
    """All files of a report; raises StorageError."""
    parts = parts_of(record, report, draw_tune_charts(record, report))
    text = json.dumps(report.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    write_atomically(folder / "tune.json", f"{text}\n".encode())
    write_charts(folder / "charts", parts.charts.all)
    write_atomically(folder / "tune.md", render_markdown(parts).encode())
    write_atomically(folder / "tune.html", render_html(parts).encode())
