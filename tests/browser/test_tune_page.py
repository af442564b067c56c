"""The page of a tune run in a real browser: no request, no complaint, no sideways scroll."""

import pytest

from reports.tuning.charts import draw_tune_charts
from reports.tuning.html import render_html
from reports.tuning.judge import judge
from reports.tuning.parts import parts_of
from tests.browser.conftest import Show
from tests.browser.looks import CONTRAST, CUT_OFF, OPEN_ALL, SCROLL_WIDTH, SMALLEST_LABEL_PX
from tests.support import tuning_records

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    record = tuning_records.deadlock()
    report = judge(record)
    path = tmp_path_factory.mktemp("tune") / "tune.html"
    parts = parts_of(record, report, draw_tune_charts(record, report))
    path.write_text(render_html(parts), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_on_telephone_and_desk_by_day_and_night(
    show: Show, url: str, width: int, scheme: str
) -> None:
    seen = show(url, width=width, color_scheme=scheme)
    seen.value(OPEN_ALL)
    assert seen.value(SCROLL_WIDTH) <= width
    assert seen.value(CUT_OFF) == []
    assert seen.value(SMALLEST_LABEL_PX) >= 7
    assert seen.value(CONTRAST, "h1, h3, p, td, th, dd, li, .standing") >= 4.5
    assert seen.requested == [url]
    assert seen.complaints == []


def test_a_click_takes_a_whole_block_to_paste(show: Show, url: str) -> None:
    seen = show(url)
    assert seen.value(
        "[...document.querySelectorAll('pre.paste')]"
        ".every(e => getComputedStyle(e).userSelect === 'all')"
    )
    assert seen.value("document.querySelectorAll('pre.paste').length") >= 8
