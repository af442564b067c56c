"""The page: one file, no outside source, everything escaped, valid nesting, doubt shown first."""

import json
import re
from html.parser import HTMLParser

import pytest

from reports.charts import ChartSet
from reports.charts.chart import chart_style
from reports.charts.forest import forest_charts
from reports.charts.style import marks_of
from reports.html import render_html
from reports.page import TEMPLATES, numeric_columns, source_hash
from reports.parts import Parts
from reports.symbols import MARKS_MEAN
from tests.support.proofs import DIFFERENT_WORK, proof
from tests.support.sample_summary import comparison, gate, manifest, result, scenario, summary

VOID = {"meta", "br", "hr", "img", "link", "input"}
NASTY = '</script><img src=x onerror="alert(1)">\x1b'


def page_of(answer=None, proofs=(), **kept) -> str:
    answer = answer or summary()
    arms = ("sync", "async")
    with chart_style():
        charts = ChartSet(tuple(forest_charts(answer, marks_of(arms), 5.0)), (), (), (), ())
    return render_html(Parts(answer, {**manifest(), **kept}, charts, arms, 5.0, proofs))


class Reader(HTMLParser):
    """Elements in order, with a check that every one is closed by its own end tag."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "svg", "script"} & set(self.open):
            self.text += f" {data}"


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_is_well_formed_and_has_every_section() -> None:
    reader = read(page_of())
    ids = [attributes.get("id") for tag, attributes in reader.elements if tag == "section"]
    assert {"answer", "changes", "trust", "how"} <= set(ids)
    everything = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(everything) == len(set(everything))


def test_nothing_comes_from_outside_and_only_our_script_may_run() -> None:
    reader = read(page_of())
    tags = {tag for tag, _ in reader.elements}
    assert not tags & {"link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in reader.elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "xlink:href", "action", "srcset"}:
                assert (value or "").startswith(("#", "data:"))
    policy = next(a["content"] for _, a in reader.elements if a.get("http-equiv"))
    assert policy is not None
    assert "default-src 'none'" in policy
    [script] = re.findall(r"<script>(.*?)</script>", page_of(), re.S)
    assert script == (TEMPLATES / "page.js").read_text()
    assert f"script-src '{source_hash(script)}';" in policy
    assert "@import" not in page_of()
    assert not re.findall(r"url\((?!#)", page_of())


def test_the_script_is_small_and_asks_nobody() -> None:
    script = (TEMPLATES / "page.js").read_text()
    assert len(script.encode()) < 12_288
    assert not re.findall(r"fetch\(|XMLHttpRequest|WebSocket|import\b|eval\(|innerHTML", script)
    assert "</" not in script


def test_the_data_of_the_page_is_the_summary_whatever_it_is_called() -> None:
    answer = summary(scenario(NASTY), headline=NASTY)
    [data] = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page_of(answer))
    assert json.loads(data) == json.loads(json.dumps(answer.to_json()))


def test_the_contents_name_every_section() -> None:
    page = page_of()
    [contents] = re.findall(r'<nav class="contents".*?</nav>', page, re.S)
    sections = re.findall(r'<section id="([\w-]+)"', page)
    assert re.findall(r'href="#([\w-]+)"', contents) == sections
    assert len(sections) >= 4


@pytest.mark.parametrize(
    "place", ["scenario", "headline", "reason", "gate", "manifest", "request", "note"]
)
def test_whatever_a_spec_or_a_server_says_stays_text(place: str) -> None:
    reason = NASTY if place == "reason" else "errors"
    rows = (
        comparison(
            "capacity_per_s", "invalid", 1.0, (0.5, 2.0), scenario().loads[0], reasons=(reason,)
        ),
    )
    one = scenario(
        NASTY if place == "scenario" else "read-one",
        comparisons=rows,
        results=(result("sync", request=NASTY if place == "request" else None),),
        gates=(gate(ok=False, detail=NASTY if place == "gate" else "late"),),
    )  # fmt: skip
    answer = summary(
        one,
        valid=False,
        headline=NASTY if place == "headline" else "so",
        notes=(NASTY,) if place == "note" else (),
    )
    page = page_of(answer, command=NASTY if place == "manifest" else "bench run")
    reader = read(page)
    assert page.count("</script>") == 2, "the data and ours"
    assert "onerror=&#34;" in page
    assert "img" not in {tag for tag, _ in reader.elements}


def test_what_is_invalid_stands_before_every_answer() -> None:
    text = read(page_of(summary(valid=False))).text
    assert text.index("not valid") < text.index("The answer")
    assert "async answered 2.1% of its requests with an error" in text[: text.index("The answer")]
    assert "not valid" not in read(page_of()).text


def test_an_interrupted_run_says_so() -> None:
    answer = summary(status="interrupted", notes=("3 trials are left out.",))
    text = read(page_of(answer)).text
    assert "interrupted" in text
    assert "3 trials are left out." in text


def test_the_answer_stands_in_plain_words_with_load_and_interval() -> None:
    text = " ".join(read(page_of()).text.replace("\u00a0", " ").split())
    assert "With 16 users at once, async serves 13% fewer requests than sync (95% interval" in text
    assert "2.1% 0.1%" in text, "the failed gate with value and limit"
    assert "bench run quick --seed 7" in text
    assert "MySQL 8.4.3" in text
    assert "0123456789ab with changes that were not committed" in text


def test_the_seed_is_not_said_twice() -> None:
    assert "bench run quick --seed=3<" in page_of(command="bench run quick --seed=3").replace(
        "</pre>", "<"
    )


def test_every_chart_has_words_and_numbers_beside_it() -> None:
    page = page_of()
    figures = re.findall(r"<figure.*?</figure>", page, re.S)
    assert len(figures) == 3
    for figure in figures:
        for needed in (
            "<h3>",
            'role="img"',
            "<title",
            "<desc",
            'class="caption"',
            "<details>",
            "<table>",
        ):
            assert needed in figure


def test_what_marks_mean_is_said_once_before_the_first_chart() -> None:
    arms = ("sync", "async")
    with chart_style():
        drawn = tuple(forest_charts(summary(), marks_of(arms), 5.0))
    charts = ChartSet(drawn[:1], (), (), drawn[1:], ())
    page = render_html(Parts(summary(), manifest(), charts, arms, 5.0))
    assert page.count(MARKS_MEAN) == 1
    assert page.index(MARKS_MEAN) < page.index("<figure")


def test_an_empty_run_still_makes_a_page() -> None:
    empty = summary(status="interrupted", headline="Nothing was measured.")
    read(render_html(Parts(
        summary(scenario(comparisons=(), results=(), gates=()), headline=empty.headline),
        {}, ChartSet((), (), (), (), ()), ("sync",), 5.0,
    )))  # fmt: skip


@pytest.mark.parametrize(("arms", "alone"), [(("sync",), True), (("sync", "async"), False)])
def test_two_arms_without_a_comparison_are_not_one_arm_alone(
    arms: tuple[str, ...], alone: bool
) -> None:
    answer = summary(scenario(comparisons=()), status="interrupted")
    page = render_html(Parts(answer, manifest(), ChartSet((), (), (), (), ()), arms, 5.0))
    assert ("One arm alone" in page) is alone
    assert ("the run ended before" in page) is not alone


def test_timeouts_are_shown_apart_from_errors() -> None:
    one = scenario(results=(result("sync", errors=3, timeouts=71),))
    text = " ".join(read(page_of(summary(one))).text.split())
    assert "Errors Timeouts Good answers" in text
    assert " 3 71 " in text


def test_columns_of_numbers_are_found() -> None:
    assert numeric_columns([("a", "1", "–"), ("b", "−2%", "x")]) == [False, True, False]
    assert numeric_columns([]) == []


def test_why_the_comparison_is_fair_stands_before_why_to_believe_it() -> None:
    text = read(page_of(proofs=(proof(),))).text
    assert text.index("Why this comparison is fair") < text.index("Why to believe it")
    assert "✓ the same" in text
    assert "Every statement (2)" in text
    assert "Why this comparison is fair" not in read(page_of()).text


def test_what_twins_and_servers_say_stays_text() -> None:
    named = proof((NASTY, "async"), work=DIFFERENT_WORK.model_copy(update={"detail": NASTY}))
    page = page_of(proofs=(named,))
    read(page)
    assert page.count("</script>") == 2, "the data and ours"
    assert "✕ different" in page
