"""A selftest's table, text, page and chart."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from loadtests.selftest.cases import CASES
from loadtests.selftest.record import Measured
from reports.selftest.chart import LIMITS_SHOWN, draw, share_of_limit
from reports.selftest.judge import judge
from reports.selftest.model import Selftest
from reports.selftest.terminal import print_selftest
from reports.selftest.words import COLUMNS, number
from reports.selftest.write import write_selftest
from tests.support.selftest_trials import ideal, ideal_trial, without_sample


@pytest.fixture(scope="module")
def selftest() -> Selftest:
    cases = {case.name: case for case in CASES}
    measured = [
        ideal(cases["constant"]),
        ideal(cases["stall"], back_ns=600_000),
        Measured(cases["errors 30%"], (without_sample(ideal_trial(cases["errors 30%"]), 9),)),
    ]
    return judge(measured, created_utc="2026-01-01", facts={}, real_time=False, took_s=9.0)


def test_the_table_fits_80_columns_and_says_what_is_off(selftest, tmp_path) -> None:
    out = io.StringIO()
    print_selftest(selftest, tmp_path, Console(file=out, width=80, color_system=None))
    text = out.getvalue()
    table = text[: text.index("Times in ms")].splitlines()
    assert max(map(len, table)) <= 80
    assert all(column in table[1] for column in COLUMNS)
    assert "…" not in "".join(table)
    assert next(line for line in table if line.strip().startswith("stall")).rstrip().endswith("ok")
    assert "OFF  errors 30%, requests: 1 served but not recorded" in text
    assert "The instrument is off here: 2 of 16 checks" in text
    assert "Real-time priority was not allowed" in text


def test_every_file_tells_the_same(selftest, tmp_path) -> None:
    write_selftest(tmp_path, selftest)
    told = json.loads((tmp_path / "selftest.json").read_text())
    assert told["ok"] is False
    assert [case["case"] for case in told["cases"]] == ["constant", "stall", "errors 30%"]
    for name in ("selftest.md", "selftest.html"):
        text = (tmp_path / name).read_text()
        assert selftest.headline in text
        assert "1 served but not recorded" in text
    page = (tmp_path / "selftest.html").read_text()
    assert "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    again = tmp_path / "again"
    again.mkdir()
    write_selftest(again, selftest)
    for path in tmp_path.glob("selftest.*"):
        assert path.read_bytes() == (again / path.name).read_bytes()


def test_what_is_beyond_its_limit_is_drawn_beyond_it(selftest) -> None:
    shares = {check.quantity: share_of_limit(check) for check in selftest.cases[1].checks}
    assert shares["requests"] == 0
    assert 1 < shares["p50"] <= LIMITS_SHOWN
    [lost] = [check for check in selftest.off if check.quantity == "requests"]
    assert share_of_limit(lost) == LIMITS_SHOWN
    assert draw(selftest).files.png.startswith(b"\x89PNG")


def test_numbers_are_as_exact_as_they_need_be() -> None:
    assert number(20.0304, "ms") == "20.030"
    assert number(-0.0301, "ms", signed=True) == "−0.030"
    assert number(1801.26, "ms") == "1,801.3"
    assert number(0.0, "ms", signed=True) == "0.000"
    assert number(1390.0, "") == "1,390"
    assert number(799.24, "/s") == "799.2"
    assert number(None, "ms") == "–"
