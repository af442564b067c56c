"""The report's section on specimens: the run's own words and factors, and nothing hard-coded."""

from __future__ import annotations

import re

import pytest

from reports.charts import ChartSet
from reports.html import render_html
from reports.markdown import render_markdown
from reports.model import Summary
from reports.parts import Parts
from reports.specimen_cases import Case, cost, specimen_cases
from reports.specimens import ALL, SPECIMENS
from tests.support.sample_summary import CLOSED, OPEN, comparison, manifest, result, scenario
from tests.support.sample_summary import summary as summary_of

SAID = 'lib.TimeoutError: <limit> of size "5" reached & `gone`'
APPS = {"spec": {"arm": [{"name": "good", "app": "sync"}, {"name": "bad", "app": "sync-ungated"}]}}
PAIR = {"baseline": "good", "candidate": "bad"}


def told(**kept: object) -> Summary:
    found = comparison("capacity_per_s", "slower", -96.0, (-97.5, -95.0), CLOSED, **PAIR)
    results = (
        result("good", CLOSED),
        result("bad", CLOSED, requests=1000, ok=400, errors=590, timeouts=10, last_error=SAID),
        result("bad", CLOSED, request="read", errors=5),
    )
    values = {"loads": (CLOSED,), "comparisons": (found,), "results": results, "gates": ()}
    return summary_of(scenario("crowd", **{**values, **kept}))


def only_case(summary: Summary) -> Case:
    [case] = specimen_cases(summary, APPS, 5.0)
    return case


def parts(summary: Summary, **kept: object) -> Parts:
    charts = ChartSet((), (), (), (), ())
    return Parts(summary, {**manifest(), **kept}, charts, ("good", "bad"), 5.0)


def test_a_case_says_what_the_run_measured_and_the_app_wrote() -> None:
    case = only_case(told())
    assert (case.specimen.app, case.scenario, case.arm, case.twin) == (
        "sync-ungated", "crowd", "bad", "good"
    )  # fmt: skip
    assert case.costs == (
        "With 16\u00a0users at once, good serves 25 times as many requests as bad "
        "(95% interval: 20 to 40 times).",
    )
    assert (case.failed, case.said) == ("600 of 1,000 requests failed", SAID)


def test_nothing_is_said_where_nothing_failed() -> None:
    case = only_case(told(results=(result("good", CLOSED), result("bad", CLOSED))))
    assert (case.failed, case.said) == (None, None)
    assert "nothing: no request failed" in render_markdown(
        parts(told(results=(result("bad", CLOSED),)), **APPS)
    )


@pytest.mark.parametrize(
    ("change_pct", "ci", "verdict", "expected"),
    [
        (200.0, (100.0, 300.0), "slower", "the p95 response time of read is 3.0 times as long "
         "with bad as with good (95% interval: 2.0 to 4.0 times)"),
        (-50.0, (-60.0, -20.0), "faster", "the p95 response time of read is 2.0 times as long "
         "with good as with bad (95% interval: 1.2 to 2.5 times)"),
        (1.0, (-9.0, 12.0), "inconclusive", "one cannot tell"),
        (None, None, "invalid", "there is no verdict on p95 response time of read"),
    ],
)  # fmt: skip
def test_a_cost_is_a_factor_only_where_there_is_a_verdict(change_pct, ci, verdict, expected):
    kept = {**PAIR, "request": "read"}
    found = comparison("response_ms.p95", verdict, change_pct, ci, OPEN, **kept)
    assert expected in cost(found, OPEN, 5.0)


def test_the_page_has_a_section_for_each_specimen_and_escapes_what_an_app_wrote() -> None:
    page = render_html(parts(told(), **APPS))
    assert page.count('<article class="specimen"') == 1
    assert "&lt;limit&gt; of size &#34;5&#34; reached &amp; `gone`" in page
    for words in ("25 times as many", "600 of 1,000 requests failed", "fastapi#3205"):
        assert words in page
    assert 'id="specimens"' not in render_html(parts(told()))


def test_markdown_has_the_same_and_stays_text() -> None:
    text = render_markdown(parts(told(), **APPS))
    assert "## The mistakes, one by one" in text
    assert "\\<limit\\> of size" in text
    assert "25 times as many" in text
    assert f"```python\n{SPECIMENS['sync-ungated'].code}\n```" in text
    assert "The mistakes" not in render_markdown(parts(told()))


def test_the_data_hold_no_measured_figure_and_no_error_text_of_a_pool() -> None:
    for specimen in ALL:
        prose = " ".join((specimen.symptom, specimen.mechanism, specimen.cure))
        assert not re.search(r"\d+(\.\d+)?\s*(times|%|ms|/s)", prose)
        assert "QueuePool limit of size" not in prose
        assert specimen.mechanism.count(". ") == 1, "two sentences"
        assert all(link.url.startswith("https://") for link in specimen.links)
