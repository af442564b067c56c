"""Writes a selftest's files, each whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

from loadtests.store import SELFTEST_FILE, write_atomically
from reports.selftest.chart import draw
from reports.selftest.html import render_html
from reports.selftest.markdown import render_markdown
from reports.selftest.model import Selftest


def write_selftest(folder: Path, selftest: Selftest) -> None:
    """`selftest.json`, `selftest.md`, `selftest.html` and the chart as PNG and SVG.

    Raises StorageError when one cannot be written.
    """
    chart = draw(selftest)
    text = json.dumps(selftest.to_json(), indent=2, ensure_ascii=False, allow_nan=False)
    files = {
        SELFTEST_FILE: f"{text}\n".encode(),
        "selftest.md": render_markdown(selftest, "selftest.png").encode(),
        "selftest.html": render_html(selftest, chart).encode(),
        "selftest.png": chart.files.png,
        "selftest.svg": chart.files.svg,
    }
    for name, content in files.items():
        write_atomically(folder / name, content)
