"""The CSV tables: RFC 4180, the numbers of `summary.json`, the same bytes again, no formulas."""

import csv
import io
import json
from pathlib import Path

import pytest

from reports.csv_tables import csv_files
from reports.model import Summary
from reports.write import write_report
from tests.support.run_builder import build_run
from tests.support.sample_summary import comparison, gate, result, scenario, summary

NASTY = 'a,"b"\r\nc; </script> é'


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def tables(answer: Summary) -> dict[str, list[dict[str, str]]]:
    return {name: read(content) for name, content in csv_files(answer).items()}


def test_every_row_of_the_summary_is_there_with_its_own_numbers() -> None:
    answer = summary()
    told = json.loads(json.dumps(answer.to_json()))
    for name, rows in tables(answer).items():
        key = name.removesuffix(".csv")
        expected = [(s["name"], each) for s in told["scenarios"] for each in s[key]]
        assert len(rows) == len(expected) > 0
        for row, (scenario_name, entry) in zip(rows, expected, strict=True):
            assert row["scenario"] == scenario_name
            assert {column.partition(".")[0] for column in row} == {"scenario", *entry}
    row, entry = tables(answer)["results.csv"][0], told["scenarios"][0]["results"][0]
    assert float(row["response_ms.p95"]) == entry["response_ms"]["p95"]
    assert row["response_ms.p99_9"] == ""
    assert int(row["requests"]) == entry["requests"]


def test_numbers_are_not_rounded() -> None:
    long = 1 / 3
    answer = summary(scenario(results=(result("sync", throughput_per_s=long),)))
    assert float(tables(answer)["results.csv"][0]["throughput_per_s"]) == long


def test_an_interval_has_two_columns_and_a_missing_one_two_empty_fields() -> None:
    answer = summary(
        scenario(
            comparisons=(
                comparison("capacity_per_s", "slower", -13.2, (-16.0, -10.3)),
                comparison("capacity_per_s", "invalid", None, None, reasons=("one", "two")),
            )
        )
    )
    first, second = tables(answer)["comparisons.csv"]
    assert (first["ci95_pct.low"], first["ci95_pct.high"]) == ("-16.0", "-10.3")
    assert (second["ci95_pct.low"], second["ci95_pct.high"], second["change_pct"]) == ("",) * 3
    assert (second["reasons"], first["primary"]) == ("one; two", "true")


def test_commas_quotes_and_line_ends_stay_in_their_field() -> None:
    answer = summary(scenario(NASTY, gates=(gate(detail=NASTY, ok=None),)))
    content = csv_files(answer)["gates.csv"]
    assert content.count(b"\r\n") == 2 + 2  # two lines, and two inside of quotes
    (row,) = read(content)
    assert (row["scenario"], row["detail"], row["ok"]) == (NASTY, NASTY, "")


@pytest.mark.parametrize("text", ["=1+1", "+x", "-x", "@SUM(A1)", "\tx"])
def test_no_text_is_a_formula_to_a_spreadsheet(text: str) -> None:
    answer = summary(scenario(text, gates=(gate(detail=text, value=-1.5),)))
    (row,) = tables(answer)["gates.csv"]
    assert row["scenario"] == row["detail"] == f"'{text}"
    assert row["value"] == "-1.5"


def test_a_table_without_rows_is_its_header(tmp_path: Path) -> None:
    full = csv_files(summary())
    empty = csv_files(summary(scenario(results=(), comparisons=(), gates=())))
    for name, content in empty.items():
        assert content == full[name].splitlines(keepends=True)[0]


def test_a_report_writes_them_and_the_same_bytes_again(tmp_path: Path) -> None:
    folder = build_run(tmp_path / "run")
    answer = write_report(folder)
    names = {path.name for path in (folder / "tables").iterdir()}
    assert names == {"results.csv", "comparisons.csv", "gates.csv"}
    assert {name: (folder / "tables" / name).read_bytes() for name in names} == csv_files(answer)
