"""The report of a run as one HTML file that needs no network, no font, and no script to be read."""

from __future__ import annotations

from reports import facts, tables
from reports.fairness import fairness
from reports.page import Page, render_page
from reports.parts import Parts
from reports.specimen_cases import specimen_cases
from reports.symbols import ARM_SYMBOLS, MARKS_MEAN, verdict_symbol
from reports.trust import why_to_believe


def render_html(parts: Parts) -> str:
    """The whole page. Everything that came from a spec, an arm or a server is escaped."""
    primary = tables.verdict_rows(parts.summary, parts.equivalence_pct, primary=True)
    return render_page(
        "report.html.j2",
        _page(parts),
        summary=parts.summary,
        notes=parts.summary.notes,
        charts=parts.charts,
        marks_mean=MARKS_MEAN,
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
        spec=facts.spec_text(parts.manifest),
        arm_class=lambda arm: _arm_class(parts.arms, arm),
        symbol=lambda row: verdict_symbol(parts.arms, row),
    )


def _page(parts: Parts) -> Page:
    database = facts.database_line(parts.manifest)
    return Page(
        title=parts.summary.headline,
        overline=(parts.summary.run, *([database] if database else [])),
        command=facts.command_to_repeat(parts.manifest),
        data_name="summary.json",
        data=parts.summary.to_json(),
        arms=parts.arms,
    )


def _arm_class(arms: tuple[str, ...], arm: str | None) -> str:
    return "" if arm not in arms else f"arm-{arms.index(arm) % len(ARM_SYMBOLS)}"
