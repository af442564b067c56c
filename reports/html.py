"""The report as one HTML file that needs no network, no script and no font."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import facts, tables, words
from reports.charts import Chart
from reports.charts.inline import inline_svg
from reports.fairness import fairness
from reports.parts import Parts
from reports.specimen_cases import specimen_cases
from reports.trust import why_to_believe

TEMPLATES = Path(__file__).parent / "templates"
ARM_SYMBOLS = "●■▲◆▼✚"
"""In the order of `charts.style.MARKS`, with the same shapes."""
OTHER_SYMBOLS = {"equivalent": "◆", "inconclusive": "○", "invalid": "✕"}
NUMBER_STARTS = frozenset("0123456789+–" + words.MINUS)


def render_html(parts: Parts) -> str:
    """The whole page. Everything that came from a spec, an arm or a server is escaped."""
    primary = tables.verdict_rows(parts.summary, parts.equivalence_pct, primary=True)
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            summary=parts.summary,
            notes=parts.summary.notes,
            charts=parts.charts,
            equivalence=f"{parts.equivalence_pct:g}%",
            trust=why_to_believe(parts.summary, parts.manifest),
            alone=parts.is_alone,
            answers=tables.answers(parts.summary, parts.equivalence_pct),
            specimens=specimen_cases(parts.summary, parts.manifest, parts.equivalence_pct),
            primary=primary,
            failed=tables.failed_gates(parts.summary),
            gates=tables.gate_rows(parts.summary),
            every_gate=tables.gate_table(parts.summary),
            evidence=tables.evidence_table(primary),
            results=tables.result_table(parts.summary),
            fair=fairness(parts.proofs),
            facts=facts.how_it_was_made(parts.manifest),
            database=facts.database_line(parts.manifest),
            command=facts.command_to_repeat(parts.manifest),
            spec=facts.spec_text(parts.manifest),
            arm_class=lambda arm: _arm_class(parts.arms, arm),
            symbol=lambda row: _symbol(parts.arms, row),
        )
    )


@cache
def environment() -> Environment:
    """The templates of every page, with what they share."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["tidy"] = words.tidy
    made.globals["drawing"] = _drawing
    made.globals["numeric_columns"] = numeric_columns
    return made


def _drawing(chart: Chart) -> Markup:
    """The one thing that is not escaped here: `inline_svg` writes XML and escapes by itself."""
    return Markup(inline_svg(chart))


def _arm_class(arms: tuple[str, ...], arm: str | None) -> str:
    return "" if arm not in arms else f"arm-{arms.index(arm) % len(ARM_SYMBOLS)}"


def _symbol(arms: tuple[str, ...], row: tables.VerdictRow) -> str:
    if row.winner in arms:
        return ARM_SYMBOLS[arms.index(row.winner) % len(ARM_SYMBOLS)]
    return OTHER_SYMBOLS.get(row.verdict, "●")


def numeric_columns(rows: Any) -> list[bool]:
    """Which columns hold numbers only, and are set flush right."""
    return [all(cell[:1] in NUMBER_STARTS for cell in column) for column in zip(*rows, strict=True)]
