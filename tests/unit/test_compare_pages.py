"""The files of a comparison: whole, the same again, escaped; and `bench compare` as typed."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from rich.console import Console

from loadtests.scenarios.catalogue import BUILT_IN
from reports.compare.judge import compared
from reports.compare.read import read_run
from reports.compare.terminal import print_compared
from scripts import cli
from scripts.compare import compare_command
from tests.support.compared_runs import arms, made
from tests.unit.test_html import Reader, read

NASTY = "</script><img src=x onerror=alert(1)>{0}"
FILES = {"compare.json", "compare.html", "compare.md", "charts"}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def runs(here: Path) -> tuple[Path, Path]:
    """Two runs with a scenario of an evil name, and an arm that fails in the second."""
    evil = BUILT_IN["read-one"].model_copy(update={"name": NASTY})
    scenarios = ["read-one", evil]
    failing = arms(async_={"error_share": 0.05})
    return (
        made(here / "one", instances=3, scenarios=scenarios),
        made(here / "two", seed=2, instances=3, scenarios=scenarios, arms=failing),
    )


@pytest.fixture(scope="module")
def out(runs: tuple[Path, Path], here: Path) -> Path:
    assert compare_command(runs, here / "out", json=False) == 0
    return here / "out"


def typed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object
) -> CompletedProcess[str]:
    monkeypatch.setattr(sys, "argv", ["bench", "compare", *map(str, words)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    told = capsys.readouterr()
    return CompletedProcess(words, int(left.value.code or 0), told.out, told.err)


@pytest.fixture
def bench(monkeypatch, capsys):
    return lambda *words: typed(monkeypatch, capsys, *words)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_every_file_is_made_and_the_same_again(bench, out, runs, here: Path) -> None:
    assert {path.name for path in out.iterdir()} == FILES
    first = contents(out)
    again = bench(*runs, "--out", out, "--json")
    assert again.returncode == 0
    assert contents(out) == first
    assert json.loads(again.stdout) == json.loads((out / "compare.json").read_text())


def test_the_same_again_is_the_command_that_was_typed(
    bench, runs, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed where the runs are called otherwise than they call themselves."""
    monkeypatch.chdir(here)
    moved = Path(shutil.copytree(runs[1], "another place"))
    for words in ((runs[0].name, moved, "--out", "a folder"), (runs[0].name, moved)):
        assert bench(*words).returncode == 0
        folder = Path("a folder") if "--out" in words else next(Path("results").glob("compare-*"))
        command = shlex.join(["bench", "compare", *map(str, words)])
        said = " ".join(read((folder / "compare.html").read_text()).text.split())
        assert f"The same again: {command}" in said
        assert f"```sh\n{command}\n```" in (folder / "compare.md").read_text()


def test_the_terminal_says_what_differs_and_what_is_claimed(out, runs, capsys) -> None:
    records = [read_run(each) for each in runs]
    print_compared(compared(records), out, Console(width=80, highlight=False))
    printed = capsys.readouterr().out
    assert max(len(line) for line in printed.splitlines()[:-1]) <= 80
    said = " ".join(printed.split())
    for words in ("Between runs, through the common arm", "B : A", "invalid", "compare.html"):
        assert words in said


def test_the_page_is_whole_escaped_and_needs_nothing_from_outside(out: Path) -> None:
    page = (out / "compare.html").read_text(encoding="utf-8")
    reader: Reader = read(page)
    scripts = [kept for name, kept in reader.elements if name == "script"]
    assert len(scripts) == 2, "the data and the page's own script, nothing of the runs"
    assert not [1 for name, kept in reader.elements if name == "img" or "onerror" in kept]
    assert NASTY in reader.text
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page
    assert len(page) < 500_000
    at = [page.index(f'id="{name}"') for name in ("setup", "answer", "changes", "absolute")]
    assert at == sorted(at), "what changed in the set-up comes first"
    text = " ".join(reader.text.split())
    assert "invalid in B" in text
    assert "It does not say which run is faster" in text


def test_every_chart_of_the_markdown_is_there(out: Path) -> None:
    text = (out / "compare.md").read_text(encoding="utf-8")
    shown = [line.rpartition("(")[2].rstrip(")") for line in text.splitlines() if line[:2] == "!["]
    assert len(shown) >= 4
    assert all((out / path).is_file() for path in shown)
    assert text.index("## What changed in the set-up") < text.index("## What changed in the answer")


def test_a_folder_of_somebody_else_is_left_alone(bench, out, runs, tmp_path: Path) -> None:
    picture = tmp_path / "theirs" / "charts" / "holiday.png"
    picture.parent.mkdir(parents=True)
    picture.write_bytes(b"sea")
    (tmp_path / "theirs" / "compare.json").write_text('{"kind": "prices"}')
    done = bench(*runs, "--out", tmp_path / "theirs")
    assert done.returncode == 2
    assert "is not empty (charts)" in done.stderr
    assert picture.read_bytes() == b"sea"
    assert bench(*runs, "--out", shutil.copytree(out, tmp_path / "ours")).returncode == 0


def test_one_run_or_the_same_run_twice_is_a_usage_error(bench, runs, here: Path) -> None:
    alone = bench(runs[0])
    assert alone.returncode == 2
    assert "2 to 26 runs" in alone.stderr
    copy = shutil.copytree(runs[0], here / "copy")
    twice = bench(runs[0], copy, "--out", here / "twice")
    assert twice.returncode == 2
    assert "are the same run" in twice.stderr
    assert not (here / "twice").exists()


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        ({}, 2, "holds no run"),
        ({"selftest.json": "{}"}, 2, "was made by bench selftest"),
        ({"compare.json": "{}"}, 2, "was made by bench compare"),
        ({"manifest.json": "{}"}, 3, "no readable run"),
        ({"manifest.json": '{"schema": 2}'}, 3, "schema 2; this version reads 1"),
    ],
)
def test_what_is_no_run_is_named(
    bench, runs, tmp_path: Path, content: dict[str, str], code: int, said: str
) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    for name, text in content.items():
        (folder / name).write_text(text)
    done = bench(runs[0], folder, "--out", tmp_path / "out", "--json")
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert str(folder) in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_tune_run_is_refused(bench, runs, tmp_path: Path) -> None:
    tune = Path(shutil.copytree(runs[1], tmp_path / "tune"))
    manifest = json.loads((tune / "manifest.json").read_text())
    (tune / "manifest.json").write_text(json.dumps({**manifest, "kind": "tune"}))
    done = bench(runs[0], tune, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "made by bench tune" in done.stderr


def test_damaged_samples_are_named(bench, runs, tmp_path: Path) -> None:
    torn = Path(shutil.copytree(runs[1], tmp_path / "torn"))
    file = next((torn / "samples").rglob("*.parquet"))
    file.write_bytes(file.read_bytes()[:100])
    done = bench(runs[0], torn, "--out", tmp_path / "out")
    assert done.returncode == 3
    assert file.name in done.stderr
    assert "Restore it" in done.stderr


def test_where_nothing_can_be_written_is_told(bench, runs, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = bench(*runs, "--out", tmp_path / "file" / "out")
    assert done.returncode == 3
    assert "--out" in done.stderr
    into_a_run = bench(*runs, "--out", runs[0])
    assert into_a_run.returncode == 2
    assert "already holds a run" in into_a_run.stderr
