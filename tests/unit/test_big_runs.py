"""A report does not grow with the samples of a run, and says the same however much it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.trials import ClosedLoad, OpenLoad
from reports import run_folder
from reports.run_folder import load_run
from reports.write import write_report
from tests.support.run_builder import SimulatedArm, build_run


def test_a_page_does_not_grow_with_the_number_of_samples(tmp_path: Path) -> None:
    def size(per_s: float) -> int:
        arms = {name: SimulatedArm(app=name, capacity_per_s=per_s) for name in ("sync", "async")}
        folder = tmp_path / f"{per_s:g}"
        loads = (ClosedLoad(16), OpenLoad(150.0 if per_s < 1000 else 1500.0))
        build_run(folder, arms=arms, loads=loads)
        write_report(folder)
        return (folder / "report.html").stat().st_size

    assert size(3000.0) < 1.2 * size(300.0)


def test_what_is_not_kept_is_read_again_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = build_run(tmp_path / "run", block_s=0.3)
    write_report(folder)
    kept = {name: (folder / name).read_bytes() for name in ("summary.json", "report.html")}
    monkeypatch.setattr(run_folder, "MOST_KEPT", 0)
    write_report(folder)
    assert kept == {name: (folder / name).read_bytes() for name in kept}


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = load_run(build_run(tmp_path / "run", block_s=0.3))
    first, second = run.loads("read-one")
    monkeypatch.setattr(run_folder, "MOST_KEPT", len(run.measured("read-one", first).row))
    again = run.measured("read-one", first)
    assert run.measured("read-one", first) is again
    assert run.measured("read-one", second) is not run.measured("read-one", second)
