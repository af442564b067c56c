"""`bench doctor` and `bench selftest` as commands: exit code, stdout, stderr and files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import bench

ONE_SHORT_CASE = """
import sys
if any(word.endswith("/bench") for word in sys.orig_argv):
    from dataclasses import replace
    from loadtests.selftest import cases
    cases.CASES = tuple(replace(c, steady_s=0.5) for c in cases.CASES if c.name == "constant")
"""
"""Loaded by Python itself as the command starts; all cases take two and a half minutes."""


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_a_doctor_who_finds_something_says_so_and_leaves_with_4(url: str) -> None:
    """Twenty connections each are more than the server has, so that nothing else is measured."""
    done = bench("doctor", "smoke", "--set", f"run.database={url}", "--set", "run.instances=100")
    assert done.returncode == 4, done.stderr
    found = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert [line.split()[1] for line in found] == [
        *("drivers:", "cores:", "memory:", "quiet:", "database:", "A/A:")
    ]
    assert found[4].startswith("UNFIT  database: ")
    assert "100 instances" in found[4]
    assert found[5] == "UNFIT  A/A: not measured, for want of a database that is fit"
    assert "Traceback" not in done.stderr
    assert url.split(":")[2].split("@", maxsplit=1)[0] not in done.stdout + done.stderr


@pytest.mark.usefixtures("nothing_left")
def test_a_selftest_says_what_it_found_and_leaves_it_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(ONE_SHORT_CASE)
    out = tmp_path / "selftest"
    done = bench("selftest", "--out", str(out), PYTHONPATH=str(tmp_path))
    facts = json.loads((out / "selftest.json").read_text())
    assert done.returncode == (0 if facts["ok"] else 4), done.stderr
    assert [case["case"] for case in facts["cases"]] == ["constant"]
    checks = {check["quantity"]: check for check in facts["cases"][0]["checks"]}
    assert checks["requests"]["ok"], "counts agree on a busy machine, too"
    assert facts["headline"] in done.stdout
    assert "1 cases, about " in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in out.iterdir()} == {
        *("logs", "selftest.json", "selftest.md", "selftest.html", "selftest.png", "selftest.svg")
    }


@pytest.mark.parametrize("command", [("doctor", "nonsense"), ("selftest", "quick")])
def test_wrong_words_are_usage_errors(typed: Callable[..., Any], command: tuple[str, ...]) -> None:
    done = typed(*command)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr
