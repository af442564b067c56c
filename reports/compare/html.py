"""A comparison of runs as one HTML page of the reports' family."""

from __future__ import annotations

from reports.compare import sentences
from reports.compare.parts import CompareParts
from reports.compare.tables import SOURCES
from reports.html import environment

SYMBOLS = {"changed": "●", "equivalent": "◆", "inconclusive": "○", "invalid": "✕", "no claim": "–"}


def render_html(parts: CompareParts) -> str:
    """The whole page, everything escaped."""
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            parts=parts,
            compared=parts.compared,
            sentences=sentences,
            symbols=SYMBOLS,
            sources=SOURCES,
        )
    )
