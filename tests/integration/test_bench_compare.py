"""`bench compare` of two real runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command import SHORT, bench


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_two_real_runs_that_differ_in_seed_and_distance(tmp_path: Path, url: str) -> None:
    near, far = tmp_path / "near", tmp_path / "far"
    for folder, words in (
        (near, ("--seed", "1")),
        (far, ("--seed", "2", "--set", "run.database_rtt_ms=1.0")),
    ):
        done = bench("run", "smoke", "--out", str(folder), *words, *SHORT, BENCH_DATABASE_URL=url)
        assert done.returncode in (0, 4), done.stderr  # invalid on a machine too busy to measure
    done = bench("compare", str(near), str(far), "--out", str(tmp_path / "out"), "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert [run["answer_from"] for run in answer["runs"]] == ["summary.json", "summary.json"]
    groups = {group["title"]: group["differences"] for group in answer["setup"]}
    assert [each["values"] for each in groups["Seed"]] == [["1", "2"]]
    assert groups["Distance to the database"]
    assert not groups["Machine"]
    assert not groups["Python and packages"]
    asked = [each for each in answer["questions"] if each["primary"]]
    assert {each["claims"][0]["through"] for each in asked} == {"sync"}
    assert (tmp_path / "out" / "compare.html").is_file()
