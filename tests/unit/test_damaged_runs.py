"""`bench report` of what is damaged, foreign or empty: a page that says so, or a clear error."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from loadtests.errors import StorageError
from loadtests.scenarios.catalogue import READ_ONE
from reports import words
from reports.samples import sample_file
from reports.write import write_report
from tests.support.run_builder import Columns, SimulatedArm, Trial, build_run

SMALL: dict[str, Any] = {"instances": 2, "rounds": 1, "block_s": 0.3}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_run(tmp_path_factory.mktemp("whole") / "run", **SMALL)


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "run")
    return tmp_path / "run"


def page_of(folder: Path) -> str:
    """The page and `summary.json` are whole and hold no number that does not exist."""
    write_report(folder)
    json.loads((folder / "summary.json").read_text(), parse_constant=_refuse)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.rstrip().endswith("</html>")
    assert re.findall(r"[^\n]*>[^<]*\b(?:nan|inf|NaN|Infinity)\b[^\n]*", page) == []
    return page


def _refuse(constant: str) -> None:
    raise AssertionError(constant)


def error_of(folder: Path) -> StorageError:
    with pytest.raises(StorageError) as raised:
        write_report(folder)
    assert raised.value.hint
    assert not (folder / "report.html").is_file()
    return raised.value


def edit_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def edit_journal(folder: Path, edit: Callable[[str], str]) -> None:
    path = folder / "journal.jsonl"
    path.write_text(edit(path.read_text()))


def edit_samples(folder: Path, edit: Callable[[dict[str, list[Any]]], None]) -> None:
    file = sample_file(folder, "read-one", "open-150", 0)
    table = pq.read_table(file, partitioning=None)
    columns = table.to_pydict()
    edit(columns)
    pq.write_table(pa.table(columns, schema=table.schema), file)


class TestFolders:
    def test_only_a_manifest(self, folder: Path) -> None:
        for each in (folder / "journal.jsonl", folder / "telemetry.parquet"):
            each.unlink()
        shutil.rmtree(folder / "samples")
        assert "journal.jsonl is missing" in page_of(folder)

    def test_a_journal_cut_in_half(self, folder: Path) -> None:
        edit_journal(folder, lambda text: text[: len(text) // 2])
        assert "Not finished" in page_of(folder)

    def test_a_newer_manifest(self, folder: Path) -> None:
        edit_manifest(folder, schema=2)
        error = error_of(folder)
        assert "schema 2; this version reads 1" in error.message
        assert "version that made it" in error.hint

    def test_a_spec_with_a_key_of_a_newer_version(self, folder: Path) -> None:
        spec = json.loads((folder / "manifest.json").read_text())["spec"]
        edit_manifest(folder, spec={**spec, "run": {**spec["run"], "holograms": 2}})
        error = error_of(folder)
        assert "run.holograms" in error.message
        assert "another version" in error.hint

    def test_a_manifest_of_other_shape(self, folder: Path) -> None:
        edit_manifest(folder, arms="two")
        assert "arms is not an object" in error_of(folder).message

    def test_trials_as_a_newer_version_writes_them(self, folder: Path) -> None:
        newer = '"state": {"name": "finished"}'
        edit_journal(folder, lambda text: text.replace('"state": "finished"', newer))
        page = page_of(folder)
        assert "trial event(s) of the journal are not as this version writes them" in page
        assert "The journal tells of no trial." in page

    def test_numbers_beyond_all_sizes(self, folder: Path) -> None:
        def edit(text: str) -> str:
            text = re.sub(
                r'"steady_start_ns": \d+', f'"steady_start_ns": {"9" * 30}', text, count=1
            )
            text = re.sub(r'"trial": \d+', f'"trial": {"9" * 30}', text, count=1)
            text = text.replace('"app_rss_mb": 80.0', f'"app_rss_mb": {"9" * 400}', 2)
            return re.sub(r'"app_cpu_s": [0-9.]+', '"app_cpu_s": NaN', text)

        edit_journal(folder, edit)
        assert "1 trial event(s)" in page_of(folder)

    def test_loads_of_another_shape(self, folder: Path) -> None:
        many = '"rate_per_s": "many"'
        edit_journal(folder, lambda text: text.replace('"rate_per_s": 150.0', many))
        assert "The loads of read-one are not as this version writes them." in page_of(folder)

    def test_an_arm_without_a_trial(self, folder: Path) -> None:
        def edit(text: str) -> str:
            lines = text.splitlines(keepends=True)
            kept = [x for x in lines if '"event": "trial"' not in x or '"arm": "async"' not in x]
            return "".join(kept)

        edit_journal(folder, edit)
        assert "The journal has no trial of async" in page_of(folder)

    def test_an_arm_that_the_manifest_does_not_name(self, folder: Path) -> None:
        spec = json.loads((folder / "manifest.json").read_text())["spec"]
        edit_manifest(folder, spec={**spec, "arm": spec["arm"][:1]})
        assert "Trials of async are left out" in page_of(folder)


class TestSamples:
    @pytest.mark.parametrize("keep", [0, 300])
    def test_a_truncated_file(self, folder: Path, keep: int) -> None:
        file = sample_file(folder, "read-one", "open-150", 0)
        file.write_bytes(file.read_bytes()[:keep])
        assert file.name in error_of(folder).message

    def test_a_file_with_a_hole_in_it(self, folder: Path) -> None:
        file = sample_file(folder, "read-one", "open-150", 0)
        data = file.read_bytes()
        file.write_bytes(data[:200] + bytes(2000) + data[2200:])
        assert file.name in error_of(folder).message

    @pytest.mark.parametrize("column", ["arrival_ns", "ok", "phase", "request", "status"])
    def test_rows_without_what_every_row_has(self, folder: Path, column: str) -> None:
        edit_samples(folder, lambda columns: columns[column].__setitem__(3, None))
        assert f"1 rows have no {column}" in error_of(folder).message

    def test_answers_before_their_requests(self, folder: Path) -> None:
        edit_samples(folder, lambda c: c.update(done_ns=[each - 1 for each in c["arrival_ns"]]))
        assert "answered before they were due" in error_of(folder).message

    def test_answers_that_took_no_time(self, folder: Path) -> None:
        edit_samples(folder, lambda c: c.update(sent_ns=c["arrival_ns"], done_ns=c["arrival_ns"]))
        page_of(folder)

    def test_absurd_times_told_by_an_app(self, folder: Path) -> None:
        def edit(columns: dict[str, list[Any]]) -> None:
            columns["total_ms"][3:7] = [1e308, 1e308, float("inf"), float("nan")]
            columns["db_ms"][3] = 1e300
            columns["pool_ms"][3] = -1e300

        edit_samples(folder, edit)
        page_of(folder)


def failing(arm: str | None) -> Callable[[Trial, Columns], Columns]:
    def edit(trial: Trial, columns: Columns) -> Columns:
        if arm not in (None, trial["arm"]):
            return columns
        n = len(columns["ok"])
        bad = {"ok": np.zeros(n, bool), "status": np.full(n, 500, "int16")}
        return {**columns, **bad, "error": ["HTTP 500"] * n}

    return edit


def slow_answers(_: Trial, columns: Columns) -> Columns:
    done_ns = np.array(columns["done_ns"])
    done_ns[::50] += 10**17
    return {**columns, "done_ns": done_ns}


class TestMeasured:
    @pytest.mark.parametrize("arm", [None, "async"])
    def test_no_success(self, tmp_path: Path, arm: str | None) -> None:
        page = page_of(build_run(tmp_path / "run", edit_samples=failing(arm), **SMALL))
        assert "invalid" in page

    def test_one_block(self, tmp_path: Path) -> None:
        page = page_of(build_run(tmp_path / "run", **{**SMALL, "instances": 1}))
        assert "This run cannot tell async from sync." in page
        assert "one unit (instance pair or block) only; an interval needs two" in page
        assert "95% interval:" not in page

    def test_answers_after_three_years(self, tmp_path: Path) -> None:
        page_of(build_run(tmp_path / "run", edit_samples=slow_answers, **SMALL))

    @pytest.mark.parametrize(
        "name",
        ["</script>", "]]>&<!--", "😀", "$x$ $\\frac{", "../a/b", "x" * 100, "\x1b[31m", "\u202eb"],
    )
    def test_odd_names(self, tmp_path: Path, name: str) -> None:
        request = READ_ONE.request[0].model_copy(update={"name": name})
        odd = READ_ONE.model_copy(update={"name": name, "request": (request,)})
        arms = {"sync": SimulatedArm(), "async": SimulatedArm("async", last_error=name)}
        page = page_of(build_run(tmp_path / "run", scenarios=[odd], arms=arms, **SMALL))
        told, _, made = page.partition('<section id="how">')
        shown = html.escape(words.tidy(name))
        assert f"<h3>{shown}</h3>" in told.replace("&#39;", "&#x27;")
        assert (name in _but_for_scripts(told)) is (shown == name)
        assert made


def _but_for_scripts(page: str) -> str:
    return re.sub("<script.*?</script>", "", page, flags=re.DOTALL)


class TestTargets:
    @pytest.mark.parametrize("name", ["charts", "tables"])
    def test_a_file_where_a_folder_is_to_be(self, folder: Path, name: str) -> None:
        (folder / name).write_text("")
        error = error_of(folder)
        assert f"{folder / name}" in error.message
        assert error.hint.endswith(f"bench report {folder}")

    def test_a_folder_where_a_file_is_to_be(self, folder: Path) -> None:
        (folder / "report.html").mkdir()
        assert error_of(folder).hint.endswith(f"bench report {folder}")

    def test_a_folder_among_the_charts(self, folder: Path) -> None:
        (folder / "charts" / "old.svg").mkdir(parents=True)
        assert "old.svg" in error_of(folder).message
