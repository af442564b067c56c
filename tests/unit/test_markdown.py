"""The Markdown report: tables that hold, names that stay text, charts that are there."""

import re

import pytest
from markdown_it import MarkdownIt

from reports.charts import ChartSet
from reports.charts.chart import chart_style
from reports.charts.forest import forest_charts
from reports.charts.style import marks_of
from reports.markdown import escaped, prose, render_markdown
from reports.parts import Parts
from reports.symbols import MARKS_MEAN
from tests.support.proofs import proof
from tests.support.sample_summary import manifest, scenario, summary


def report_of(answer=None, proofs=(), **kept) -> str:
    answer = answer or summary()
    with chart_style():
        charts = tuple(forest_charts(answer, marks_of(["sync", "async"]), 5.0))
    sections = ChartSet(charts, (), (), (), ())
    told = {**manifest(), **kept}
    return render_markdown(Parts(answer, told, sections, ("sync", "async"), 5.0, proofs))


def rendered(text: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(text)


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    page = rendered(report_of(summary(scenario("a|b"), valid=False)))
    tables = re.findall(r"<table>.*?</table>", page, re.S)
    assert len(tables) == 4
    for table in tables:
        rows = [
            len(re.findall(r"<t[hd]\b", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.S)
        ]
        assert len(set(rows)) == 1
    assert "<td>a|b</td>" in page


@pytest.mark.parametrize(
    "name", ["<img src=x>", "*bold*", "[a](b)", "`code`", "# head", "a_b_c", "&amp;", "\\|"]
)
def test_names_stay_text(name: str) -> None:
    page = rendered(report_of(summary(scenario(name))))
    shown = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"<strong>{shown}</strong>" in page
    assert "<img src=x" not in page
    assert "<em>" not in page
    assert rendered(escaped(name)).strip() == f"<p>{shown}</p>"


@pytest.mark.parametrize(
    "text", ["0.22/s of 994/s", "12) twelve", "+3.2%", "- no", "a. b", "1.5", "3 + 4"]
)
def test_a_number_or_sign_at_the_start_begins_no_list(text: str) -> None:
    assert rendered(prose(text)).strip() == f"<p>{text}</p>"


def test_what_marks_mean_is_said_once_before_the_first_chart() -> None:
    arms, one = ("sync", "async"), summary()
    with chart_style():
        drawn = tuple(forest_charts(one, marks_of(arms), 5.0))
    text = render_markdown(Parts(one, manifest(), ChartSet(drawn[:1], time=drawn[1:]), arms, 5.0))
    assert text.count(MARKS_MEAN) == 1
    assert text.index(MARKS_MEAN) < text.index("![")


def test_charts_are_shown_from_beside_the_report() -> None:
    page = rendered(report_of())
    assert re.findall(r'<img src="([^"]+)"', page)[0] == "charts/forest.png"
    assert 'alt="Of 6 primary comparisons' in page


def test_a_code_host_needs_neither_html_nor_another_address() -> None:
    name = "<b>|</b> $x$ <!-- http://example.org/a.png -->"
    text = report_of(summary(scenario(name), valid=False), proofs=(proof(("sync", "async")),))
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    every = [each for token in tokens for each in (token, *(token.children or ()))]
    assert not [each for each in every if each.type in ("html_block", "html_inline")]
    shown = [str(each.attrs["src"]) for each in every if each.type == "image"]
    assert shown
    assert all(re.fullmatch(r"charts/[a-z0-9-]+\.png", address) for address in shown)
    assert not [each for each in every if each.type == "link_open"]


def test_what_is_invalid_stands_before_the_answer() -> None:
    text = report_of(summary(valid=False))
    assert text.index("not valid") < text.index("2.1%") < text.index("## The answer")
    assert "not valid" not in report_of()


def test_a_command_cannot_leave_its_block() -> None:
    page = rendered(report_of(command="bench run '```\n# head'"))
    assert "<h1>head" not in page


def test_why_the_comparison_is_fair_has_its_tables_with_whatever_names() -> None:
    text = report_of(proofs=(proof(("a|b", "*c*", "<d>")),))
    page = rendered(text[text.index("## Why this comparison is fair") :])
    sides, work = re.findall(r"<table>.*?</table>", page, re.S)[:2]
    assert "<th>Against a|b</th>" in sides
    assert "<td>*c*</td>" in sides
    assert "<td>1 / 1 / 1</td>" in work
    assert "a|b sends SET NAMES ? ×2" in page
    assert "Why this comparison is fair" not in report_of()
