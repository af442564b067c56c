"""A decision as a comment on a pull request: the verdict first, the table, the rest folded away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reports import facts
from reports.markdown import fenced, markdown_table, prose
from reports.slowdown.model import Decision
from reports.slowdown.words import MEANING, headline, pair_words, reasons, table
from reports.tables import Table
from reports.terminal import shown


def render_comment(decision: Decision, manifest: Mapping[str, Any], folder: Path) -> str:
    """The comment. Names are escaped, so that they can be neither markup, HTML nor a mention."""
    return "\n".join(_lines(decision, manifest, folder)).rstrip() + "\n"


def _lines(decision: Decision, manifest: Mapping[str, Any], folder: Path) -> Iterator[str]:
    yield from (f"### {prose(headline(decision))}", "")
    yield from (f"{prose(pair_words(decision))}, in one run, block by block.", "")
    for note in decision.notes:
        yield from (f"> {prose(note)}", "")
    yield from markdown_table(table(decision))
    why = reasons(decision)
    if why:
        yield from (*(f"- {prose(reason)}" for reason in why), "")
    if decision.advice:
        yield from (prose(decision.advice), "")
    yield from ("<details>", "<summary>What this means, and how it was measured</summary>", "")
    yield from (prose(MEANING), "")
    yield from (f"Report: {prose(shown(folder / 'report.html'))}. The same again:", "")
    yield from fenced(facts.command_to_repeat(manifest), "sh")
    yield from markdown_table(Table(("What", "How"), tuple(facts.how_it_was_made(manifest))))
    yield "</details>"
