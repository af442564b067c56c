"""A tune run as one HTML page of the reports' family."""

from __future__ import annotations

from reports.page import Page, render_page
from reports.tuning.parts import TuneParts


def render_html(parts: TuneParts) -> str:
    """The whole page, everything escaped."""
    arms = tuple(each.report.arm for each in parts.arms)
    return render_page(
        "tune.html.j2",
        Page(
            title=parts.title,
            overline=(parts.report.run, parts.asked),
            command=parts.command,
            data_name="tune.json",
            data=parts.report.to_json(),
            arms=arms,
        ),
        parts=parts,
        report=parts.report,
        number=arms.index,
    )
