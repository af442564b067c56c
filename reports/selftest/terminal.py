"""A selftest on a terminal of 80 columns."""

from __future__ import annotations

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports.selftest import words
from reports.selftest.model import Selftest

OFF_STYLE = "bold red"


def print_selftest(selftest: Selftest, folder: Path, console: Console | None = None) -> None:
    """Print table, remarks and headline to stdout; NO_COLOR is honoured (by rich)."""
    console = console or Console(highlight=False)
    console.print(_table(selftest))
    console.print(Text(words.LEGEND, style="dim"))
    for line in words.disturbances(selftest):
        console.print(Text(f"Note: {line}."))
    console.print(Text(words.priority_words(selftest)))
    for line in words.off_lines(selftest):
        console.print(Text(f"OFF  {line}", style=OFF_STYLE))
    console.print(Text(selftest.headline, style="bold" if selftest.ok else OFF_STYLE))
    console.print(Text(selftest.aims))
    console.print(Text(f"Report: {folder / 'selftest.html'}"), soft_wrap=True)


def _table(selftest: Selftest) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=0)
    for column in words.COLUMNS:
        textual = column in {"Case", "What", "Aim", "Ok"}
        table.add_column(column, justify="left" if textual else "right", no_wrap=True)
    for row in words.rows(selftest):
        style = OFF_STYLE if row[-1] == "OFF" else ""
        table.add_row(*(Text(cell) for cell in row), style=style)
    return table
