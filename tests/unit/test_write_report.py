"""Writing a report: every file, the same bytes again, whole or not at all."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from loadtests.errors import StorageError
from loadtests.trials import ClosedLoad, OpenLoad
from reports import write
from reports.write import write_report
from tests.support.command import BENCH
from tests.support.run_builder import build_run


def contents(folder: Path) -> dict[str, bytes]:
    files = [
        "summary.json",
        "report.html",
        "report.md",
        *(f"charts/{p.name}" for p in (folder / "charts").iterdir()),
        *(f"tables/{p.name}" for p in (folder / "tables").iterdir()),
    ]
    return {name: (folder / name).read_bytes() for name in sorted(files)}


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    loads = (ClosedLoad(16), OpenLoad(150.0), OpenLoad(75.0))
    folder = build_run(tmp_path_factory.mktemp("report") / "run", loads=loads)
    write_report(folder)
    return folder


def test_every_file_is_there_and_the_same_again(reported: Path) -> None:
    first = contents(reported)
    stale = reported / "charts" / "of-an-older-version.png"
    stale.write_bytes(b"")
    summary = write_report(reported)
    assert contents(reported) == first
    assert not stale.exists()
    assert json.loads(first["summary.json"]) == json.loads(json.dumps(summary.to_json()))
    stems = {Path(name).stem for name in first if name.startswith("charts/")}
    assert stems >= {
        "forest", "latency-1", "ecdf-1", "staircase-1", "heat-map-1", "capacity-1", "cost",
        "time-1", "pairs-1", "unseen",
    }  # fmt: skip
    assert all(f"charts/{stem}{form}" in first for stem in stems for form in (".png", ".svg"))


def test_another_process_in_other_surroundings_writes_the_same_bytes(
    reported: Path, tmp_path: Path
) -> None:
    first = contents(reported)
    assert {Path(name).suffix for name in first} == {
        ".json", ".html", ".md", ".png", ".svg", ".csv",
    }  # fmt: skip
    theirs = "font.size: 31\nlines.linewidth: 9\naxes.grid: True\nsvg.fonttype: path\n"
    (tmp_path / "matplotlibrc").write_text(theirs)
    for name in first:
        (reported / name).write_bytes(b"")
    surroundings = {"PYTHONHASHSEED": "4711", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    done = subprocess.run(
        [BENCH, "report", reported],
        env=os.environ | surroundings | {"MPLCONFIGDIR": str(tmp_path)},
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    again = contents(reported)
    assert [name for name in first if first[name] != again[name]] == []


def test_the_page_is_small_and_names_no_place_on_this_machine(reported: Path) -> None:
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert len(page) < 500_000
    assert str(reported) not in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "https://" not in page


def test_every_chart_the_markdown_shows_exists(reported: Path) -> None:
    text = (reported / "report.md").read_text(encoding="utf-8")
    shown = [
        line.rpartition("(")[2].rstrip(")") for line in text.splitlines() if line.startswith("![")
    ]
    assert len(shown) >= 5
    assert all((reported / path).is_file() for path in shown)


def test_a_full_disk_leaves_the_old_report_and_says_what_to_do(
    reported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(reported)

    def full(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left") as raised:
        write_report(reported)
    assert "bench report" in raised.value.hint
    monkeypatch.undo()
    assert contents(reported) == before
    assert not list(reported.glob(".*"))


def test_numbers_that_do_not_exist_are_null(tmp_path: Path) -> None:
    folder = build_run(tmp_path / "run", rounds=1, instances=1)
    write_report(folder)
    text = (folder / "summary.json").read_text(encoding="utf-8")
    assert "NaN" not in text
    assert "Infinity" not in text
    assert write.CHART_FORMS == (".png", ".svg")
