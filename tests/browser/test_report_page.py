"""The report in a real browser: no request, no complaint, no sideways scroll, both schemes."""

from collections.abc import Iterator

import pytest

from loadtests.scenarios.model import Request, Scenario
from reports.write import write_report
from tests.support.chromium import Page, chromium, find_chromium
from tests.support.run_builder import TWINS, SimulatedArm, build_run

pytestmark = pytest.mark.browser

NASTY = "</script><script>document.title='owned'</script>"
CONTRAST = """
(() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const ratio = c => { const l = light(c);
    return (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05); };
  const texts = [...document.querySelectorAll('h1, p, td, th, dd, summary')]
    .filter(e => !e.closest('.notice')).map(e => ratio(getComputedStyle(e).color));
  const labels = [...document.querySelectorAll('svg text')].filter(e => !e.closest('#time'))
    .map(e => ratio(getComputedStyle(e).fill));
  return [Math.min(...texts), Math.min(...labels)];
})()
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


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with chromium(path, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_page_never_scrolls_sideways(page: Page, url: str, width: int) -> None:
    page.show(url, width=width)
    page.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.value("document.documentElement.scrollWidth") <= width
    assert page.value("document.querySelectorAll('figure svg').length") >= 6
    widths = page.value("[...document.querySelectorAll('.chart svg')].map(e => e.clientWidth)")
    assert min(widths) > 0.75 * min(width, 600)


def test_labels_are_readable_on_a_telephone(page: Page, url: str) -> None:
    page.show(url, width=390)
    heights = page.value(
        "[...document.querySelectorAll('.chart svg text')].map(e => ({at: e.getCTM(), e}))"
        ".map(x => parseFloat(getComputedStyle(x.e).fontSize) * Math.hypot(x.at.c, x.at.d))"
    )
    assert min(heights) >= 7


@pytest.mark.parametrize("dark", [False, True])
def test_words_stand_out_from_the_ground(page: Page, url: str, dark: bool) -> None:
    page.show(url, width=1280, dark=dark)
    texts, labels = page.value(CONTRAST)
    assert texts >= 4.5
    assert labels >= 4.5
    ground = page.value("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(18, 20, 23)" if dark else "rgb(255, 255, 255)")


def test_nothing_is_fetched_run_or_complained_about(page: Page, url: str) -> None:
    page.show(url, width=1280)
    assert [each for each in page.requested() if each != url] == []
    assert page.complaints() == []
    assert page.value("document.title") != "owned"
    assert page.value("document.scripts.length") == 0
    assert NASTY in page.value("document.body.innerText")


def test_it_prints_in_black_on_white_even_from_a_dark_screen(page: Page, url: str) -> None:
    page.show(url, width=800, dark=True, media="print")
    assert page.value("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.value("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
