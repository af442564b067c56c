"""The report used as a person would: pointer, finger, keys, switches, copies and downloads."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reports.write import write_report
from tests.browser.conftest import Show
from tests.browser.looks import OPEN_ALL, SCROLL_WIDTH
from tests.support.run_builder import TWINS, SimulatedArm, build_run

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

CELLS = """table => [...table.rows].map(row => [...row.cells].map(cell => cell.innerText.trim()))"""
FOCUSED = """() => {
  const at = document.activeElement;
  const number = [...document.querySelectorAll('*')].indexOf(at);
  return [number, getComputedStyle(at).outlineStyle, at.tagName];
}"""
CAN_BE_FOCUSED = """() => [...document.querySelectorAll(
  'a, button, input, summary, .scroll, .chart[tabindex]')].filter(e => e.checkVisibility())
  .map(e => [...document.querySelectorAll('*')].indexOf(e))"""

DRAWN = """arm => [...document.querySelectorAll(`[data-arm='${arm}']`)]
  .map(each => getComputedStyle(each).display !== 'none')"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page") / "run"
    slow = SimulatedArm(app="async", capacity_per_s=375.0, response_ms=6.4, cpu_ms=3.0)
    build_run(folder, arms={**TWINS, "async": slow})
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def url(folder: Path) -> str:
    return (folder / "report.html").as_uri()


def spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def latency(page: Page) -> tuple[Locator, dict[str, dict[str, str]]]:
    """The first figure of response times, and its table by row and column."""
    figure = page.locator("#latency-1")
    figure.locator("summary").click()
    head, *rows = figure.locator("table").evaluate(CELLS)
    table = {row[0]: dict(zip(head[1:], map(spaced, row[1:]), strict=True)) for row in rows}
    return figure, table


def mark(figure: Locator, arm: int, says: str) -> Locator:
    return figure.locator(f'[data-arm="{arm}"] use[data-tip*="{says}"]')


def test_the_value_under_the_pointer_is_that_of_the_table(show: Show, url: str) -> None:
    page = show(url).page
    figure, table = latency(page)
    tip = page.locator(".tip")
    assert tip.count() == 0
    for arm, name in enumerate(("sync", "async")):
        mark(figure, arm, " 95% ").hover()
        assert spaced(tip.inner_text()) == f"{name}: 95% within {table['95%'][name]}"
    page.keyboard.press("Escape")
    assert tip.count() == 0
    mark(figure, 0, " 50% ").hover()
    assert table["50%"]["sync"] in spaced(tip.inner_text())
    page.mouse.move(5, 5)
    assert tip.count() == 0


def test_of_marks_that_lie_on_each_other_both_are_told(show: Show, url: str) -> None:
    page = show(url).page
    figure, _ = latency(page)
    ours, theirs = (mark(figure, arm, " 95% ") for arm in (0, 1))
    theirs.evaluate("(e, y) => e.setAttribute('y', y)", ours.get_attribute("y"))
    theirs.hover()
    told = page.locator(".tip").inner_text().splitlines()
    assert sorted(each.split(":")[0] for each in told) == ["async", "sync"]


def test_a_finger_beside_a_mark_is_enough(show: Show, url: str) -> None:
    seen = show(url, width=390, has_touch=True)
    figure, table = latency(seen.page)
    for says in ("50%", "95%"):
        point = mark(figure, 1, f" {says} ")
        point.scroll_into_view_if_needed()
        box = point.bounding_box()
        assert box is not None
        seen.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] - 4)
        assert table[says]["async"] in spaced(seen.page.locator(".tip").inner_text())
        assert seen.value(SCROLL_WIDTH) <= 390
    seen.page.touchscreen.tap(195, 5)
    assert seen.page.locator(".tip").count() == 0


def test_arrow_keys_walk_every_value(show: Show, url: str) -> None:
    page = show(url).page
    figure, table = latency(page)
    figure.locator("button").first.focus()
    page.keyboard.press("Shift+Tab")
    tip = page.locator(".tip")
    assert "read the values" in tip.inner_text()
    told = []
    for _ in range(figure.locator("[data-tip]").count()):
        page.keyboard.press("ArrowRight")
        told.append(spaced(tip.inner_text()))
    for name in ("sync", "async"):
        assert f"{name}: 95% within {table['95%'][name]}" in told[:12], "marks before faint lines"
    page.keyboard.press("Home")
    assert spaced(tip.inner_text()) == told[0]
    page.keyboard.press("ArrowLeft")
    assert spaced(tip.inner_text()) == told[-1]
    page.keyboard.press("Escape")
    assert tip.count() == 0


def test_an_arm_is_switched_off_and_on_in_every_chart_but_not_on_paper(
    show: Show, url: str
) -> None:
    seen = show(url)
    chips = seen.page.get_by_role("checkbox", name="async", exact=True)
    assert chips.count() >= 1
    chips.first.click()
    assert not any(seen.value(DRAWN, 1))
    assert all(seen.value(DRAWN, 0))
    assert not any(chips.nth(each).is_checked() for each in range(chips.count()))
    seen.page.emulate_media(media="print")
    assert all(seen.value(DRAWN, 1))
    seen.page.emulate_media(media="screen")
    chips.last.press(" ")
    assert all(seen.value(DRAWN, 1))


@pytest.mark.parametrize("clipboard", [True, False])
def test_the_answer_is_copied_as_markdown(show: Show, url: str, clipboard: bool) -> None:
    seen = show(url)
    page = seen.page
    if not clipboard:  # as on a page that came over plain HTTP
        seen.value("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy the answer as Markdown").click()
    page.locator(".toast", has_text="Copied as Markdown: the answer").wait_for()
    text = pasted(seen)
    assert text.startswith(f"# {spaced(page.locator('h1').inner_text())}\n")
    assert "### read-one" in text
    for sentence in page.locator(".verdicts li > span:not(.mark)").all_inner_texts():
        assert spaced(sentence.split("\n")[0]).replace("~", "\\~") in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[0].startswith("| Scenario | Measure | load | Change | 95% interval | Verdict |")
    assert len({line.count("|") for line in rows}) == 1
    assert len(rows) == 2 + page.locator("table.main tbody tr").count()
    assert "What the words mean" not in text
    assert "Copied as Markdown" in page.get_by_role("status").all_inner_texts()[0]


def pasted(seen) -> str:
    """What a person finds in the clipboard."""
    seen.value("document.body.append(Object.assign(document.createElement('textarea'), {id: 'p'}))")
    seen.page.focus("#p")
    seen.page.keyboard.press("Control+V")
    return str(seen.page.input_value("#p"))


def test_a_figure_is_copied_with_its_words_and_numbers(show: Show, url: str) -> None:
    seen = show(url)
    figure, table = latency(seen.page)
    figure.get_by_role("button", name="Copy as Markdown").click()
    text = pasted(seen)
    assert text.startswith(f"### {spaced(figure.locator('h3').inner_text())}")
    assert f"| 95% | {table['95%']['sync']} | {table['95%']['async']} |" in text


def test_what_is_downloaded_is_what_the_table_shows(show: Show, url: str, tmp_path: Path) -> None:
    page = show(url).page
    page.evaluate(OPEN_ALL)
    for region in ("#latency-1", "#forest"):
        figure = page.locator(region)
        with page.expect_download() as handed:
            figure.get_by_role("button", name="Download CSV").click()
        path = tmp_path / handed.value.suggested_filename
        handed.value.save_as(path)
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
        shown = figure.locator("table").evaluate(CELLS)
        assert rows == [[re.sub(r"−(?=\d)", "-", spaced(cell)) for cell in row] for row in shown]


AS_CSV = {
    "-2+3+cmd|' /C calc'!A0": "'-2+3+cmd|' /C calc'!A0",
    "+1+HYPERLINK(A1)": "'+1+HYPERLINK(A1)",
    "\u22121+SUM(A1)": "'-1+SUM(A1)",
    "=1": "'=1",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1+1": "'=1+1",
    "+1,292%": "+1,292%",
    "\u22124.1% to +3.7%": "-4.1% to +3.7%",
}


def test_no_cell_of_a_csv_file_is_a_formula(show: Show, url: str, tmp_path: Path) -> None:
    figure, _ = latency(show(url).page)
    cells = figure.locator("tbody td, tbody th")
    for number, cell in enumerate(AS_CSV):
        cells.nth(number).evaluate("(cell, text) => { cell.textContent = text; }", cell)
    assert csv_of(figure, tmp_path)[: len(AS_CSV)] == list(AS_CSV.values())


def csv_of(figure: Locator, folder: Path) -> list[str]:
    """The cells of the file that a figure hands out, without its head."""
    with figure.page.expect_download() as handed:
        figure.get_by_role("button", name="Download CSV").click()
    handed.value.save_as(folder / "it.csv")
    text = (folder / "it.csv").read_text(encoding="utf-8")
    _, *rows = csv.reader(io.StringIO(text, newline=""))
    return [cell for row in rows for cell in row]


def test_the_summary_is_handed_out_whole(
    show: Show, url: str, folder: Path, tmp_path: Path
) -> None:
    page = show(url).page
    with page.expect_download() as handed:
        page.get_by_role("button", name="Download summary.json").click()
    assert handed.value.suggested_filename == "summary.json"
    handed.value.save_as(tmp_path / "summary.json")
    told = json.loads((tmp_path / "summary.json").read_text())
    assert told == json.loads((folder / "summary.json").read_text())


def test_keys_reach_everything_and_show_where_they_are(show: Show, url: str) -> None:
    seen = show(url)
    wanted = set(seen.value(CAN_BE_FOCUSED))
    assert len(wanted) > 20
    reached, outlines = set(), set()
    for _ in range(3 * len(wanted)):
        seen.page.keyboard.press("Tab")
        number, outline, tag = seen.value(FOCUSED)
        if tag == "BODY" or (reached and wanted <= reached):
            break
        reached.add(number)
        outlines.add(outline)
    assert wanted <= reached
    assert "none" not in outlines


def test_every_control_has_a_name_of_its_own(show: Show, url: str) -> None:
    seen = show(url)
    seen.value(OPEN_ALL)
    names = [
        button.get_attribute("aria-label") or button.inner_text()
        for button in seen.page.get_by_role("button").all()
    ]
    assert len(names) > 10
    assert len(names) == len(set(names))


def test_all_tables_open_and_close_at_once(show: Show, url: str) -> None:
    seen = show(url)
    closed = "document.querySelectorAll('details:not([open])').length"
    before = seen.value(closed)
    seen.page.get_by_role("button", name="Open every table").click()
    assert (before > 3, seen.value(closed)) == (True, 0)
    seen.page.get_by_role("button", name="Close every table").click()
    assert seen.value(closed) == before


def test_without_script_all_is_there_and_nothing_is_dead(show: Show, url: str) -> None:
    with_script, without = show(url), show(url, java_script_enabled=False)
    page = without.page
    assert (
        page.locator("button, input, fieldset, [tabindex='0']:not(.scroll):not(pre)").count() == 0
    )
    assert page.locator(".chart svg").count() == with_script.page.locator(".chart svg").count() > 3
    assert page.locator("table").count() == with_script.page.locator("table").count()
    assert page.locator("use > title").count() > 5, "a pointer that rests shows values"
    page.locator("#latency-1 summary").click()
    assert page.locator("#latency-1 table").is_visible()
    assert page.locator("nav.contents a").count() == page.locator("main section").count()
    assert without.complaints == []
