"""A comparison of runs as one HTML page of the reports' family."""

from __future__ import annotations

from reports.compare import sentences
from reports.compare.parts import CompareParts
from reports.compare.tables import SOURCES
from reports.page import Page, render_page

SYMBOLS = {"changed": "●", "equivalent": "◆", "inconclusive": "○", "invalid": "✕", "no claim": "–"}


def render_html(parts: CompareParts) -> str:
    """The whole page, everything escaped."""
    compared = parts.compared
    names = ", ".join(f"{run.letter} = {run.run}" for run in compared.runs)
    return render_page(
        "compare.html.j2",
        Page(
            title=compared.headline,
            overline=("bench compare", names),
            command=parts.command,
            data_name="compare.json",
            data=compared.to_json(),
            arms=tuple(run.letter for run in compared.runs),
        ),
        parts=parts,
        compared=compared,
        sentences=sentences,
        symbols=SYMBOLS,
        sources=SOURCES,
    )
