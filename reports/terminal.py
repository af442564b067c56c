"""The answer on a terminal: headline, verdict table, what is invalid, where the report is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import tables, words
from reports.headline import lines
from reports.model import Summary
from reports.symbols import verdict_symbol
from reports.tables import VerdictRow

ARM_STYLES = ("bold blue", "bold yellow", "bold green", "bold magenta", "bold cyan", "bold")
"""Near the colours of the charts; the sign says the same without colour."""
STYLES = {"equivalent": "", "inconclusive": "dim", "invalid": "bold red"}
NARROW = 100
GAP, EDGES = 2, 2
"""Between columns, and at both ends of a line."""
FOLDED = 11
"""What may be folded is never narrower than this."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the verdict table."""

    head: str
    cell: Callable[[VerdictRow], str]
    right: bool = False
    folds: bool = False
    """Whether it may be narrower than its longest cell."""


def print_summary(summary: Summary, folder: Path, console: Console | None = None) -> None:
    """Print the answer to stdout. Readable at 80 columns; NO_COLOR is honoured (by rich)."""
    console = console or Console(highlight=False)
    for line in lines(words.tidy(summary.headline)):
        console.print(Text(line, style="bold"))
    for remark in _warnings(summary):
        console.print(remark)
    rows = tables.verdict_rows(summary, 0.0, primary=True)
    arms = list(dict.fromkeys([*(row.baseline for row in rows), *(row.candidate for row in rows)]))
    columns = _columns(arms, wide=console.width >= NARROW)
    widths = _widths(columns, rows, console.width)
    for pair in dict.fromkeys((row.candidate, row.baseline) for row in rows):
        own = [row for row in rows if (row.candidate, row.baseline) == pair]
        console.print(_table(own, columns, widths, arms))
    if summary.second_opinion is not None:
        console.print(Text(words.tidy(summary.second_opinion.detail)))
    console.print(Text(f"Report: {shown(folder / 'report.html')}"), soft_wrap=True)


def _warnings(summary: Summary) -> list[Text]:
    said = []
    if summary.status == "interrupted":
        said.append(Text("The run was interrupted; this is what there is.", style="yellow"))
    said += [Text(f"Note: {words.tidy(note)}") for note in summary.notes]
    if not summary.valid:
        said.append(Text("Part of this result is not valid:", style=STYLES["invalid"]))
        said += [Text(f"  {words.tidy(each)}") for each in tables.failed_gates(summary)]
    return said


def _columns(arms: Sequence[str], *, wide: bool) -> list[Column]:
    """What is told of a comparison; a wide terminal has room for both arms' values."""
    values = [
        Column("Baseline", lambda row: row.baseline_value, right=True),
        Column("Candidate", lambda row: row.candidate_value, right=True),
    ]
    return [
        Column("Scenario", lambda row: words.tidy(row.scenario), folds=True),
        Column("Load", lambda row: row.load),
        Column("Measure", lambda row: row.measure.replace(" response time", ""), folds=True),
        *(values if wide else ()),
        Column("Change", lambda row: row.change, right=True),
        Column("95% interval", lambda row: row.interval.replace(" to ", "…"), right=True),
        Column("Verdict", lambda row: _verdict(arms, row), folds=True),
    ]


def _widths(columns: Sequence[Column], rows: Sequence[VerdictRow], room: int) -> list[int]:
    """The same for all tables of an answer, so that they are aligned alike; too much is folded."""
    widths = [max(len(each) for each in (c.head, *map(c.cell, rows))) for c in columns]
    room -= EDGES + GAP * (len(columns) - 1)
    folding = [number for number, column in enumerate(columns) if column.folds]
    while sum(widths) > room:
        widest = max(folding, key=lambda number: widths[number])
        if widths[widest] <= FOLDED:
            break
        widths[widest] -= 1
    return widths


def _verdict(arms: Sequence[str], row: VerdictRow) -> str:
    said = row.brief.replace(" is better", " better").replace(" that matters", "")
    return f"{verdict_symbol(arms, row)} {said}"


def _style(arms: Sequence[str], row: VerdictRow) -> str:
    if row.winner in arms:
        return ARM_STYLES[arms.index(row.winner) % len(ARM_STYLES)]
    return STYLES.get(row.verdict, "bold")


def _table(
    rows: Sequence[VerdictRow],
    columns: Sequence[Column],
    widths: Sequence[int],
    arms: Sequence[str],
) -> Table:
    """The comparisons of one candidate with one baseline."""
    table = Table(
        title=Text(f"{words.tidy(rows[0].candidate)} against {words.tidy(rows[0].baseline)}"),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,
    )
    for column, width in zip(columns, widths, strict=True):
        table.add_column(
            column.head,
            justify="right" if column.right else "left",
            overflow="fold",
            width=width,
        )
    before = None
    for row in rows:
        name, *cells = (column.cell(row) for column in columns)
        style = _style(arms, row)
        first = Text("" if row.scenario == before else name)
        table.add_row(first, *map(Text, cells[:-1]), Text(cells[-1], style=style))
        before = row.scenario
    return table


def shown(path: Path) -> str:
    """A path as short as it can be typed here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
