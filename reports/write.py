"""Writes every report file of a run, each whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from loadtests.errors import StorageError
from loadtests.store import whole_or_absent
from reports.charts import Chart, draw_charts
from reports.charts.rendering import Ahead, as_drawn, rendering_ahead
from reports.csv_tables import csv_files
from reports.html import render_html
from reports.markdown import render_markdown
from reports.model import Summary
from reports.parts import Parts
from reports.run_folder import StoredRun, load_run
from reports.summarise import summarise

CHART_FORMS = (".png", ".svg")


def write_report(folder: Path, helpers: int = 0) -> Summary:
    """Rebuild `summary.json`, `report.html`, `report.md`, `tables/` and `charts/` from the stored
    samples; `helpers` processes beside this one turn drawings into files.

    The same samples give the same bytes. Raises StorageError when the run cannot be read or the
    report cannot be written.
    """
    with rendering_ahead(helpers) as ahead:
        stored = load_run(folder)
        summary = summarise(stored)
        write_json(folder / "summary.json", summary)
        for name, content in csv_files(summary).items():
            write_whole(folder / "tables" / name, content)
        parts = parts_of(stored, summary, ahead)
        write_charts(folder / "charts", parts.charts.all)
        write_whole(folder / "report.md", render_markdown(parts).encode())
        write_whole(folder / "report.html", render_html(parts).encode())
    return summary


def parts_of(stored: StoredRun, summary: Summary, ahead: Ahead = as_drawn) -> Parts:
    """Everything a report shows, charts drawn."""
    return Parts(
        summary=summary,
        manifest=stored.manifest,
        charts=draw_charts(stored, summary, ahead),
        arms=stored.arms,
        equivalence_pct=stored.spec.run.equivalence_pct,
        proofs=stored.proofs,
    )


def write_json(path: Path, summary: Summary) -> None:
    """The summary as the contract has it."""
    text = json.dumps(summary.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    write_whole(path, f"{text}\n".encode())


def write_charts(folder: Path, charts: tuple[Chart, ...]) -> None:
    """Every chart as PNG and SVG, and no other chart; raises StorageError.

    From the last to the first: where other processes are at them, they come from the other end.
    """
    written = set()
    for chart in reversed(charts):
        for form, content in zip(CHART_FORMS, (chart.files.png, chart.files.svg), strict=True):
            path = folder / f"{chart.name}{form}"
            write_whole(path, content)
            written.add(path)
    for path in folder.glob("*"):
        if path.suffix in CHART_FORMS and path not in written:
            _remove(path)  # of an earlier, different report


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritten(path, error) from error


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, and its folder, as `whole_or_absent` does; raises StorageError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_or_absent(path) as beside:
            beside.write_bytes(content)
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> StorageError:
    run = next((each for each in path.parents if (each / "manifest.json").exists()), path.parent)
    return StorageError(
        f"{path} could not be written: {error.strerror or error}.",
        hint=f"Free space, fix permissions or move away what is there, then: bench report {run}",
    )
