"""A comparison of runs on a terminal: what differs, what is claimed, where the page is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reports import words
from reports.compare.model import Compared, Question
from reports.compare.sentences import BRIEF, ONE_RUN_EACH, ground_words
from reports.compare.tables import difference_table, obstacle_lines
from reports.terminal import shown

STYLES = {"changed": "bold", "invalid": "bold red", "no claim": "dim", "inconclusive": "dim"}
MOST_DIFFERENCES = 16


def _table(title: str) -> Table:
    return Table(
        title=Text(title), title_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1),
        collapse_padding=True,
    )  # fmt: skip


def print_compared(compared: Compared, folder: Path, console: Console | None = None) -> None:
    """Print the answer to stdout. Readable at 80 columns; NO_COLOR is honoured (by rich)."""
    console = console or Console(highlight=False)
    console.print(Text(words.tidy(compared.headline), style="bold"))
    for run in compared.runs:
        console.print(Text(f"  {run.letter}  {words.tidy(run.run)}  {words.tidy(run.what)}"))
        for remark in run.remarks:
            console.print(Padding(Text(words.tidy(remark), style="yellow"), (0, 0, 0, 5)))
    _print_differences(compared, console)
    for line in obstacle_lines(compared):
        console.print(Text(f"Not comparable: {line}", style="yellow"))
    console.print(Text(ground_words(compared.setup, compared.doubts)))
    console.print(_claims(compared))
    console.print(Text(ONE_RUN_EACH))
    console.print(Text(f"Page: {shown(folder / 'compare.html')}"), soft_wrap=True)


def _print_differences(compared: Compared, console: Console) -> None:
    told = difference_table(compared)
    if not told.rows:
        return
    table = _table("What changed in the set-up")
    for number, column in enumerate(told.columns[1:]):
        table.add_column(Text(column), overflow="fold", max_width=34 if number else 30)
    for row in told.rows[:MOST_DIFFERENCES]:
        table.add_row(*(Text(words.tidy(cell)) for cell in (f"{row[0]}: {row[1]}", *row[2:])))
    console.print(table)
    if (left := len(told.rows) - MOST_DIFFERENCES) > 0:
        console.print(Text(f"{left} more differences stand on the page."))


def _claims(compared: Compared) -> Table:
    table = _table("Between runs, through the common arm")
    for name in ("Scenario", "Measure", "Runs"):
        table.add_column(name, overflow="fold")
    table.add_column("Change", justify="right", no_wrap=True)
    table.add_column("95% interval", justify="right", no_wrap=True)
    table.add_column("Says", overflow="fold", min_width=9)
    before = None
    for question in compared.questions:
        if question.primary:
            for row, style in _rows(question):
                name = "" if question.scenario == before else words.tidy(question.scenario)
                table.add_row(*map(Text, (name, *row[:-1])), Text(row[-1], style=style))
                before = question.scenario
    return table


def _rows(question: Question) -> Iterator[tuple[tuple[str, ...], str]]:
    measure = words.metric_name(question.metric, question.request).replace(" response time", "")
    for claim in question.claims:
        interval = words.interval(claim.ci95_pct).replace(" to ", "…")
        runs = f"{claim.other} : {claim.reference}"
        row = (measure, runs, words.change(claim.change_pct), interval, BRIEF[claim.verdict])
        yield row, STYLES.get(claim.verdict, "")
