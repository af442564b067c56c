"""A selftest as one HTML page of the reports' family."""

from __future__ import annotations

from reports.charts import Chart
from reports.page import Page, render_page
from reports.selftest import words
from reports.selftest.markdown import case_rows
from reports.selftest.model import Selftest


def render_html(selftest: Selftest, chart: Chart) -> str:
    """The whole page, everything escaped."""
    return render_page(
        "selftest.html.j2",
        Page(
            title=selftest.headline,
            overline=("bench selftest", selftest.created_utc),
            command="bench selftest",
            data_name="selftest.json",
            data=selftest.to_json(),
        ),
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
