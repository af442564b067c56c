"""The answer on a terminal: headline, verdict table, what is invalid, where the report is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import tables, words
from reports.model import Summary

STYLES = {"faster": "bold", "slower": "bold", "equivalent": "", "inconclusive": "dim"}
INVALID_STYLE = "bold red"
NARROW = 100


def print_summary(summary: Summary, folder: Path, console: Console | None = None) -> None:
    """Print the answer to stdout. Readable at 80 columns; NO_COLOR is honoured (by rich)."""
    console = console or Console(highlight=False)
    console.print(Text(words.tidy(summary.headline), style="bold"))
    for line in _warnings(summary):
        console.print(line)
    rows = tables.verdict_rows(summary, 0.0, primary=True)
    for pair in dict.fromkeys((row.candidate, row.baseline) for row in rows):
        own = [row for row in rows if (row.candidate, row.baseline) == pair]
        console.print(_table(own, wide=console.width >= NARROW))
    if summary.second_opinion is not None:
        console.print(Text(words.tidy(summary.second_opinion.detail)))
    console.print(Text(f"Report: {shown(folder / 'report.html')}"), soft_wrap=True)


def _warnings(summary: Summary) -> list[Text]:
    lines = []
    if summary.status == "interrupted":
        lines.append(Text("The run was interrupted; this is what there is.", style="yellow"))
    lines += [Text(f"Note: {words.tidy(note)}") for note in summary.notes]
    if not summary.valid:
        lines.append(Text("Part of this result is not valid:", style=INVALID_STYLE))
        lines += [Text(f"  {words.tidy(each)}") for each in tables.failed_gates(summary)]
    return lines


def _table(rows: Sequence[tables.VerdictRow], *, wide: bool) -> Table:
    """The comparisons of one candidate with one baseline."""
    pair = f"{words.tidy(rows[0].candidate)} against {words.tidy(rows[0].baseline)}"
    table = Table(
        title=Text(pair),
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
        collapse_padding=True,
    )
    longest = max(len(words.tidy(row.scenario)) for row in rows)
    table.add_column("Scenario", overflow="fold", min_width=min(longest, 18), max_width=30)
    table.add_column("Load", no_wrap=True)
    table.add_column("Measure", overflow="fold")
    if wide:
        table.add_column("Baseline", justify="right")
        table.add_column("Candidate", justify="right")
    table.add_column("Change", justify="right", no_wrap=True)
    table.add_column("95% interval", justify="right", no_wrap=True)
    table.add_column("Verdict", overflow="fold", min_width=11)
    before = None
    for row in rows:
        name = "" if row.scenario == before else words.tidy(row.scenario)
        values = [row.baseline_value, row.candidate_value] if wide else []
        interval = row.interval.replace(" to ", "…")
        cells = [name, row.load, row.measure.replace(" response time", ""), *values]
        style = STYLES.get(row.verdict, INVALID_STYLE)
        table.add_row(*map(Text, (*cells, row.change, interval)), Text(row.brief, style=style))
        before = row.scenario
    return table


def shown(path: Path) -> str:
    """A path as short as it can be typed here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
