"""The report in a real browser, looked at: no request, no complaint; widths, schemes, paper."""

import shutil
from pathlib import Path

import pytest

from loadtests.scenarios.model import Request, Scenario
from reports.write import write_report
from tests.browser.conftest import Show
from tests.browser.looks import CONTRAST, OPEN_ALL, SCROLL_WIDTH, SMALLEST_LABEL_PX
from tests.support.run_builder import TWINS, SimulatedArm, build_run

pytestmark = pytest.mark.browser

NASTY = "</script><script>document.title='owned'</script>"
BOXES = """
  ['nav.contents', 'main'].map(each => document.querySelector(each).getBoundingClientRect())
    .map(({ left, right, top, bottom }) => ({ left, right, top, bottom }))
"""

DASHES = """
  [0, 1].map(arm => [...document.querySelectorAll(`#latency-1 g[data-arm="${arm}"] > path`)]
    .map(e => getComputedStyle(e).strokeDasharray))
"""
SHAPES = """
  [0, 1].map(arm => [...document.querySelectorAll(`#latency-1 g[data-arm="${arm}"] use`)]
    .map(e => document.querySelector(e.getAttribute('href')).getAttribute('d')))
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    nasty = Scenario(name=NASTY, request=(Request(name="<b>", method="POST", path="/x"),))
    mistake = SimulatedArm(app="sync-ungated", error_share=0.1, last_error=f"{NASTY} " * 9)
    arms = {**TWINS, "sync-ungated": mistake}
    folder = tmp_path_factory.mktemp("page") / "run"
    build_run(folder, arms=arms, scenarios=("crud-mix", nasty))
    write_report(folder)
    return (folder / "report.html").as_uri()


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_never_scrolls_sideways(show: Show, url: str, width: int) -> None:
    seen = show(url, width=width)
    seen.value(OPEN_ALL)
    assert seen.value(SCROLL_WIDTH) <= width
    assert seen.value("document.querySelectorAll('figure svg').length") >= 6
    widths = seen.value("[...document.querySelectorAll('.chart svg')].map(e => e.clientWidth)")
    assert min(widths) > 0.75 * min(width, 600)


def test_labels_are_readable_on_a_telephone(show: Show, url: str) -> None:
    assert show(url, width=390).value(SMALLEST_LABEL_PX) >= 7


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_the_ground(show: Show, url: str, scheme: str) -> None:
    seen = show(url, color_scheme=scheme)
    assert seen.value(CONTRAST, "h1, p, td, th, dd, summary, a, button, label, small") >= 4.5
    assert seen.value(CONTRAST, "svg text") >= 4.5
    ground = seen.value("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(18, 20, 23)" if scheme == "dark" else "rgb(255, 255, 255)")


def test_nothing_is_fetched_or_complained_about_and_names_run_nothing(show: Show, url: str) -> None:
    seen = show(url)
    assert seen.requested == [url]
    assert seen.complaints == []
    assert seen.page.title() != "owned"
    assert seen.value("document.scripts.length") == 2, "the data and ours"
    assert NASTY in seen.page.inner_text("body")
    assert NASTY in seen.value("JSON.parse(document.getElementById('data').textContent).scenarios"
                               ".map(each => each.name)")  # fmt: skip


def test_the_policy_stops_every_other_script_and_address(show: Show, url: str) -> None:
    seen = show(url)
    seen.value("""() => {
        const script = document.createElement('script');
        script.textContent = 'document.title = "owned"';
        document.body.append(script);
        document.body.append(Object.assign(new Image(), {src: 'file:///elsewhere.png'}));
        document.body.insertAdjacentHTML('beforeend', '<b onclick="document.title = 1">b</b>');
    }""")
    seen.page.click("body > b")
    assert seen.page.title() != "owned"
    refused = [each for each in seen.complaints if "Content Security Policy" in each]
    assert sorted(" ".join(each.split()[:3]) for each in refused) == [
        "Executing inline event",
        "Executing inline script",
        "Loading the image",
    ]


@pytest.mark.parametrize("width", [900, 1279, 1280, 1920])
def test_the_contents_never_lie_over_the_page(show: Show, url: str, width: int) -> None:
    seen = show(url, width=width, reduced_motion="reduce")
    seen.page.locator("nav.contents a", has_text="How it was made").click()
    nav, main = seen.value(BOXES)
    assert nav["right"] <= main["left"] or nav["bottom"] <= main["top"]
    assert (nav["top"] >= 0) is (width >= 1280), "it stays in view where there is room"


def test_motion_is_for_those_who_want_it(show: Show, url: str) -> None:
    behaviour = "getComputedStyle(document.documentElement).scrollBehavior"
    assert show(url, reduced_motion="no-preference").value(behaviour) == "smooth"
    assert show(url, reduced_motion="reduce").value(behaviour) == "auto"


def test_the_list_of_runs_is_linked_only_from_where_the_page_was_written(
    show: Show, url: str, tmp_path: Path
) -> None:
    written = Path(url.removeprefix("file://"))
    for place, linked in (("results/run", True), ("results", False), ("elsewhere/run", False)):
        folder = tmp_path / place
        folder.mkdir(parents=True, exist_ok=True)
        links = show(Path(shutil.copy(written, folder)).as_uri()).page.locator("header a")
        assert links.count() == linked
        assert not linked or links.get_attribute("href") == "../index.html"


def test_it_prints_in_black_on_white_even_from_a_dark_screen(show: Show, url: str) -> None:
    seen = show(url, width=800, color_scheme="dark", media="print")
    assert seen.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.value("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_paper_has_every_chart_and_no_control(show: Show, url: str) -> None:
    seen = show(url, media="print")
    assert seen.value("document.querySelectorAll('button, input').length") > 10
    visible = (
        "selector => [...document.querySelectorAll(selector)].filter(e => e.checkVisibility())"
    )
    assert seen.value(f"({visible})('button, input, nav').length") == 0
    charts = seen.value("document.querySelectorAll('.chart svg').length")
    assert seen.value(f"({visible})('.chart svg').length") == charts
    assert "Tables that were closed are not printed" in seen.page.inner_text("footer")


def test_paper_has_margins_whoever_prints(show: Show, url: str) -> None:
    """A program that prints leaves none by itself, and tables would end at the paper's edge."""
    seen = show(url, media="print")
    rules = "[...document.styleSheets].flatMap(sheet => [...sheet.cssRules])"
    pages = f"{rules}.filter(rule => rule instanceof CSSPageRule).map(rule => rule.style.margin)"
    assert seen.value(pages) == ["15mm"]


def test_arms_differ_by_shape_and_dash_for_who_sees_no_colour(show: Show, url: str) -> None:
    seen = show(url)
    dashes, shapes = seen.value(DASHES), seen.value(SHAPES)
    for one, other in (dashes, shapes):
        assert one
        assert other
        assert not set(one) & set(other)
