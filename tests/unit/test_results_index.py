"""`results/index.html`: everything in a results folder, damaged or not, and nowhere else."""

import json
import re
from pathlib import Path

import pytest

from loadtests.errors import StorageError
from reports.index import write as index_write
from reports.index.entries import entries
from reports.index.write import INDEX, is_listed, write_index
from reports.write import write_report
from scripts.report import report_command
from scripts.results_index import relist
from tests.support.run_builder import SimulatedArm, build_run

NASTY = "<b>&'\"\n"


@pytest.fixture(scope="module")
def a_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build_run(tmp_path_factory.mktemp("elsewhere") / "20261102-120000-run")
    write_report(folder)
    return folder


@pytest.fixture
def results(tmp_path: Path, a_run: Path) -> Path:
    """A results folder with a run in it, without its samples."""
    folder = tmp_path / "results"
    copy(a_run, folder / a_run.name)
    return folder


def copy(run: Path, to: Path) -> Path:
    to.mkdir(parents=True)
    for name in ("manifest.json", "summary.json", "report.html"):
        (to / name).write_bytes((run / name).read_bytes())
    return to


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def page(results: Path) -> str:
    write_index(results)
    return (results / INDEX).read_text(encoding="utf-8")


def test_a_run_is_told_with_its_answer_and_a_link(results: Path, a_run: Path) -> None:
    (entry,) = entries(results)
    summary = json.loads((a_run / "summary.json").read_text())
    assert (entry.kind, entry.standing, entry.sound) == ("run", "valid", True)
    assert entry.headline == summary["headline"]
    assert entry.counts == "2 inconclusive"
    assert entry.when == "2026-11-01 12:00 UTC"
    assert f'href="./{a_run.name}/report.html"' in page(results)
    assert entry.commit in page(results)


def test_the_newest_come_first_whatever_their_kind(results: Path, a_run: Path) -> None:
    (results / "selftest-20261105-090000").mkdir()
    selftest = {
        "schema": 1,
        "created_utc": "2026-11-05T09:00:00+00:00",
        "ok": False,
        "headline": "x",
    }
    (results / "selftest-20261105-090000" / "selftest.json").write_text(json.dumps(selftest))
    (results / "compare-20261104-090000").mkdir()
    compare = {"schema": 1, "kind": "compare", "headline": "what changed"}
    (results / "compare-20261104-090000" / "compare.json").write_text(json.dumps(compare))
    tune = copy(a_run, results / "tuned")
    change(tune / "manifest.json", kind="tune", created_utc="2026-11-03T00:00:00Z")
    (tune / "tune.json").write_text(json.dumps({"schema": 1, "valid": False, "headline": "pool"}))
    found = entries(results)
    assert [each.kind for each in found] == ["selftest", "compare", "tune", "run"]
    assert [each.standing for each in found] == ["off", "", "not confirmed", "valid"]
    assert [each.headline for each in found[:3]] == ["x", "what changed", "pool"]
    assert "no tune.html" in found[2].problem.replace("there is ", "")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("manifest.json", "{", "manifest.json is damaged"),
        ("manifest.json", "[]", "no JSON object"),
        ("manifest.json", '{"schema": 2}', "schema 2; this version reads 1"),
        ("manifest.json", "[" * 100_000, "manifest.json is damaged"),
        ("summary.json", '{"schema": 1, "scen', "summary.json is damaged"),
    ],
)
def test_a_damaged_folder_is_listed_with_the_reason(
    results: Path, a_run: Path, file: str, content: str, words: str
) -> None:
    broken = copy(a_run, results / "20261201-000000-broken")
    (broken / file).write_text(content)
    first, second = entries(results)
    assert words in first.problem
    assert not second.problem
    assert words in page(results)


def test_odd_values_in_a_manifest_break_nothing(results: Path, a_run: Path) -> None:
    odd = copy(a_run, results / "odd")
    change(odd / "manifest.json", created_utc=5, database=[1], commit="x", host=None, kind="run")
    change(odd / "summary.json", headline=7, scenarios=[3, {"comparisons": {}}], valid="yes")
    (entry,) = (each for each in entries(results) if each.folder == "odd")
    assert (entry.headline, entry.counts, entry.standing) == ("", "", "")
    assert "odd" in page(results)


def test_folders_that_are_none_of_ours_are_passed_over(results: Path) -> None:
    (results / "notes").mkdir()
    (results / "notes" / "a.txt").write_text("x")
    (results / "file.txt").write_text("x")
    (results / "begun").mkdir()
    (results / "begun" / "journal.jsonl").write_text("")
    assert {each.folder for each in entries(results)} == {"begun", "20261102-120000-run"}
    assert "before it measured anything" in entries(results)[-1].problem


def test_a_run_without_a_report_says_so(results: Path, a_run: Path) -> None:
    bare = copy(a_run, results / "bare")
    (bare / "summary.json").unlink()
    (bare / "report.html").unlink()
    assert "no report yet" in page(results)
    assert "bare/report.html" not in page(results)


def test_nothing_in_a_name_or_a_headline_is_markup_or_an_address(
    results: Path, a_run: Path
) -> None:
    nasty = copy(a_run, results / f"javascript:x{NASTY}")
    change(nasty / "summary.json", headline=f"</script><img src=x>{NASTY}")
    text = page(results)
    assert "<img" not in text
    assert "<b>" not in text
    assert 'href="./javascript%3Ax%3Cb%3E%26%27%22%0A/report.html"' in text
    assert all(found.startswith("./") for found in re.findall(r'href="([^#"][^"]*)"', text))


def test_the_same_folders_give_the_same_bytes(results: Path) -> None:
    assert page(results) == page(results)


def test_no_command_is_said_to_make_a_list_that_every_command_renews(results: Path) -> None:
    text = page(results)
    assert "The same again" not in text
    assert "written anew by every command" in text


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    assert "make bench" in page(tmp_path)


# Where it is written


def test_only_our_own_folder_is_listed_and_no_other_index_written_over(tmp_path: Path) -> None:
    ours, other, foreign = (tmp_path / name for name in ("results", "other", "x"))
    for folder in (ours, other, foreign):
        folder.mkdir()
    assert is_listed(ours)
    assert not is_listed(other)
    write_index(other)
    assert is_listed(other), "it has our index"
    (ours / INDEX).write_text("<title>somebody else's</title>")
    assert not is_listed(ours)


def test_a_report_renews_the_list_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = build_run(tmp_path / "results" / "one", arms={"only": SimulatedArm()})
    elsewhere = build_run(tmp_path / "tmp" / "two", arms={"only": SimulatedArm()})
    assert report_command(first, json=False) == report_command(elsewhere, json=False) == 0
    assert "./one/report.html" in (tmp_path / "results" / INDEX).read_text()
    assert not (tmp_path / "tmp" / INDEX).exists()
    assert capsys.readouterr().err == ""


def test_a_list_that_cannot_be_written_is_a_note(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, _: bytes) -> None:
        raise StorageError(f"{path} could not be written: No space left on device.")

    monkeypatch.setattr(index_write, "write_whole", full)
    said: list[str] = []
    relist(next(results.iterdir()), said.append)
    assert len(said) == 1
    assert said[0].startswith("Note: ")
    assert "No space left" in said[0]
