"""A selftest as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from reports.selftest import words
from reports.selftest.model import Selftest

TEXT_COLUMNS = {"Case", "What", "Aim", "Ok"}


def render_markdown(selftest: Selftest, chart_file: str) -> str:
    """The whole report as one text."""
    parts = [
        f"# {selftest.headline}",
        f"{selftest.aims} {words.priority_words(selftest)}",
        _list(words.off_lines(selftest)),
        f"![Expected against measured]({chart_file})",
        table(words.COLUMNS, words.rows(selftest)),
        words.LEGEND,
        _list(words.disturbances(selftest)),
        "## Where the time beyond the known answer goes",
        words.SPLIT_LEGEND,
        table(words.SPLIT_COLUMNS, words.split_rows(selftest)),
        "## The cases",
        table(("Case", "Load", "Requests", "What is known"), case_rows(selftest)),
        f"Made {selftest.created_utc}, in {selftest.took_s:.0f} s.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def case_rows(selftest: Selftest) -> list[tuple[str, ...]]:
    """What each case is."""
    return [(case.case, case.load, f"{case.requests:,}", case.says) for case in selftest.cases]


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; columns of numbers are set flush right."""
    rules = ["---" if column in TEXT_COLUMNS else "--:" for column in columns]
    lines = [columns, rules, *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)
