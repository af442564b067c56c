"""The page of a tune run in a real browser: no request, no complaint, no sideways scroll."""

from collections.abc import Iterator

import pytest

from reports.tuning.charts import draw_tune_charts
from reports.tuning.html import render_html
from reports.tuning.judge import judge
from reports.tuning.parts import parts_of
from tests.support import tuning_records
from tests.support.chromium import Page, chromium, find_chromium

pytestmark = pytest.mark.browser

SMALLEST_LABEL = """
  Math.min(...[...document.querySelectorAll('.chart svg text')].map(e => {
    const at = e.getCTM();
    return parseFloat(getComputedStyle(e).fontSize) * Math.hypot(at.c, at.d); }))
"""
SMALLEST_CONTRAST = """
(() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  return Math.min(...[...document.querySelectorAll('h1, h3, p, td, th, dd, li, .standing')]
    .map(e => light(getComputedStyle(e).color))
    .map(l => (Math.max(l, ground) + 0.05) / (Math.min(l, ground) + 0.05)));
})()
"""
CUT_OFF = """
  [...document.querySelectorAll('.chart svg')].flatMap(svg => {
    const frame = svg.getBoundingClientRect();
    return [...svg.querySelectorAll('text')].filter(e => {
      const box = e.getBoundingClientRect();
      return box.left < frame.left - 1 || box.right > frame.right + 1; })
      .map(e => e.textContent); })
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    record = tuning_records.deadlock()
    report = judge(record)
    path = tmp_path_factory.mktemp("tune") / "tune.html"
    parts = parts_of(record, report, draw_tune_charts(record, report))
    path.write_text(render_html(parts), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with chromium(path, tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_it_can_be_read_on_telephone_and_desk_by_day_and_night(
    page: Page, url: str, width: int, dark: bool
) -> None:
    page.show(url, width=width, dark=dark)
    page.value("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert page.value("document.documentElement.scrollWidth") <= width
    assert page.value(CUT_OFF) == []
    assert page.value(SMALLEST_LABEL) >= 7
    assert page.value(SMALLEST_CONTRAST) >= 4.5
    assert [each for each in page.requested() if each != url] == []
    assert page.complaints() == []


def test_a_click_takes_a_whole_block_to_paste(page: Page, url: str) -> None:
    page.show(url, width=1280)
    assert page.value(
        "[...document.querySelectorAll('pre.paste')]"
        ".every(e => getComputedStyle(e).userSelect === 'all')"
    )
    assert page.value("document.querySelectorAll('pre.paste').length") >= 8
