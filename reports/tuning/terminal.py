"""The answer of a tune run on a terminal of 80 columns."""

from __future__ import annotations

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reports import words
from reports.terminal import shown
from reports.tuning import numbers, say, sentences
from reports.tuning.findings import Change
from reports.tuning.model import ArmReport, TuneReport
from reports.tuning.terms import METRICS, STAGES

BAD_STYLE = "bold red"
STYLES = {"better": "bold", "worse": BAD_STYLE, "not measured": "dim"}


def print_tune(report: TuneReport, folder: Path, console: Console | None = None) -> None:
    """Print the answer to stdout. Readable at 80 columns; NO_COLOR is honoured (by rich)."""
    console = console or Console(highlight=False)
    console.print(Text(sentences.title(report), style="bold"))
    console.print(Text(sentences.overline(report), style="dim"))
    if report.status == "interrupted":
        console.print(Text("The run was interrupted; this is what there is.", style="yellow"))
    for note in report.notes:
        console.print(Text(f"Note: {words.tidy(note)}"))
    for arm in report.arms:
        _print_arm(arm, report, console)
    for fair in report.fair:
        for change in fair.changes:
            if change.stage == "confirm":
                console.print(Text(_fair_line(fair.kind, change)))
    console.print(Text(f"Report: {shown(folder / 'tune.html')}"), soft_wrap=True)


def _print_arm(arm: ArmReport, report: TuneReport, console: Console) -> None:
    standing = sentences.standing(arm)
    console.print()
    heading = Text(f"{words.tidy(arm.arm)}: ", style="bold")
    heading.append(standing, style="" if arm.confirmed else BAD_STYLE)
    console.print(heading)
    console.print(Text(sentences.answer(arm, report.objective)))
    if told := [each for each in arm.comparisons if _is_told(each)]:
        console.print(_table(told))
    for line in arm.verdict:
        console.print(Text(f"  {words.tidy(line)}"))
    _print_hazards(arm, console)


def _is_told(change: Change) -> bool:
    """Here stand default and present only, p99 in the report."""
    known = numbers.change(change) != words.NOTHING and change.against in ("default", "present")
    return known and change.metric != "p99_ms"


def _print_hazards(arm: ArmReport, console: Console) -> None:
    """Those of the recommended setting, and what a burst showed; the rest is in the report."""
    told = [each for each in arm.hazards if each.confirmed or each.setting == arm.recommended]
    for hazard in told:
        console.print(Text(f"Hazard: {words.tidy(hazard.words)}"))
    if left := len(arm.hazards) - len(told):
        console.print(Text(f"{left} more by arithmetic only, in the report.", style="dim"))


def _table(changes: list[Change]) -> Table:
    """The comparisons, a line each; the setting is named above."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    table.add_column("Against", no_wrap=True)
    table.add_column("Measure", no_wrap=True)
    table.add_column("Change [95%]", justify="right", no_wrap=True)
    table.add_column("Verdict", no_wrap=True, min_width=11)
    before = None
    for each in sorted(changes, key=lambda each: each.against):
        other = f"{each.against} {say.labelled(each.baseline, each.candidate)}"
        first = "" if other == before else other
        before = other
        measure = f"{METRICS[each.metric].short} {STAGES[each.stage].short}"
        cells = (first, measure, numbers.change(each))
        word = "cannot tell" if each.word == "cannot be told apart" else each.word
        table.add_row(*map(Text, cells), Text(word, style=STYLES.get(each.word, "")))
    return table


def _fair_line(kind: str, change: Change) -> str:
    pair = f"{words.tidy(change.candidate_arm)} against {words.tidy(change.baseline_arm)}"
    return f"{kind}: {pair} {numbers.change(change)}, {change.word}"
