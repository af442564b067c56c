"""A selftest as one HTML page of the reports' family: no network, no script."""

from __future__ import annotations

from reports.charts import Chart
from reports.html import environment
from reports.selftest import words
from reports.selftest.markdown import case_rows
from reports.selftest.model import Selftest


def render_html(selftest: Selftest, chart: Chart) -> str:
    """The whole page, everything escaped."""
    return (
        environment()
        .get_template("selftest.html.j2")
        .render(
            selftest=selftest,
            chart=chart,
            columns=words.COLUMNS,
            rows=words.rows(selftest),
            legend=words.LEGEND,
            off=words.off_lines(selftest),
            remarks=words.disturbances(selftest),
            priority=words.priority_words(selftest),
            split_columns=words.SPLIT_COLUMNS,
            split_legend=words.SPLIT_LEGEND,
            split=words.split_rows(selftest),
            cases=case_rows(selftest),
        )
    )
