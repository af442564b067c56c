"""A decision on a terminal of 80 columns: the sentence first, then a short table."""

from __future__ import annotations

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import words
from reports.slowdown.model import Decision
from reports.slowdown.words import SAID, headline, pair_words, reasons, table
from reports.terminal import shown

STYLES = {
    SAID["failed"]: "bold red",
    SAID["invalid"]: "bold red",
    SAID["not enough data"]: "yellow",
}


def print_decision(decision: Decision, folder: Path, console: Console | None = None) -> None:
    """Print the decision to stdout; NO_COLOR is honoured (by rich)."""
    console = console or Console(highlight=False)
    bad = decision.outcome != "passed"
    console.print(Text(headline(decision), style="bold red" if bad else "bold"))
    for note in decision.notes:
        console.print(Text(f"Note: {words.tidy(note)}"))
    console.print(_table(decision))
    for reason in reasons(decision):
        console.print(Text(reason))
    if decision.advice:
        console.print(Text(decision.advice))
    console.print(Text(f"Report: {shown(folder / 'report.html')}"), soft_wrap=True)


def _table(decision: Decision) -> Table:
    rows = table(decision)
    made = Table(
        title=Text(pair_words(decision)),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,
    )
    for column in rows.columns:
        numeric = column in ("Change", "95% interval")
        made.add_column(
            column,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=numeric or column == "Gate",
        )
    for row in rows.rows:
        cells = (cell.replace(" response time", "").replace(" to ", "…") for cell in row[:-1])
        made.add_row(*map(Text, cells), Text(row[-1], style=STYLES.get(row[-1], "")))
    return made
