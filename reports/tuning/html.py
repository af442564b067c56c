"""A tune run as one HTML page of the reports' family: no network, no script."""

from __future__ import annotations

from reports.page import environment
from reports.tuning.parts import TuneParts


def render_html(parts: TuneParts) -> str:
    """The whole page, everything escaped."""
    arms = [each.report.arm for each in parts.arms]
    return (
        environment()
        .get_template("tune.html.j2")
        .render(parts=parts, report=parts.report, number=arms.index)
    )
