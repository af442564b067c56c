"""Writes every file of a comparison of runs, each whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from loadtests.journal import storage_error
from loadtests.store import write_atomically
from reports.compare.html import render_html
from reports.compare.markdown import render_markdown
from reports.compare.model import Compared
from reports.compare.parts import parts_of
from reports.compare.record import RunRecord
from reports.write import write_charts

PAGE = "compare.html"


def write_comparison(
    folder: Path,
    compared: Compared,
    records: Sequence[RunRecord],
    runs: Sequence[Path],
    command: str,
) -> None:
    """`compare.json`, `compare.html`, `compare.md` and `charts/`; the same command gives the same
    bytes. `runs`: the runs' folders. Raises StorageError when one cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error) from error
    parts = parts_of(compared, records, pages_of(folder, compared, runs), command)
    text = json.dumps(compared.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    write_charts(folder / "charts", parts.charts.all)
    write_atomically(folder / "compare.json", f"{text}\n".encode())
    write_atomically(folder / "compare.md", render_markdown(parts).encode())
    write_atomically(folder / PAGE, render_html(parts).encode())


def pages_of(folder: Path, compared: Compared, runs: Sequence[Path]) -> Mapping[str, str]:
    """Links to the runs' own reports by letter, relative to `folder`, where there is one."""
    found = {}
    for run, path in zip(compared.runs, runs, strict=True):
        page = path / "report.html"
        if page.is_file():
            found[run.letter] = quote(Path(os.path.relpath(page, folder)).as_posix())
    return found
