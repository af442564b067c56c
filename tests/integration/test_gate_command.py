"""`bench gate` for real: the example in docs, on two revisions of a small service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.busy_machine import OF_A_BUSY_MACHINE
from tests.support.command import bench
from tests.support.documents import block

SERVICE = """
import asyncio

async def app(scope, receive, send):
    if scope["type"] == "http":
        if scope["path"] != "/health":
            await asyncio.sleep({delay_s})
        await send({{"type": "http.response.start", "status": 200, "headers": []}})
        await send({{"type": "http.response.body", "body": b"{{}}"}})
"""
SMALL = ["run.instances=3", "run.rounds=2", "run.block_s=0.3"]
PATHS = f"{Path(sys.executable).parent}:{os.environ['PATH']}"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository whose main is fast, and whose branch takes three times as long."""
    top = tmp_path / "shop-repository"
    (top / "shop").mkdir(parents=True)
    (top / "gate.toml").write_text(block("continuous-integration.md", "toml"))

    def commit(delay_s: float, branch: str) -> None:
        (top / "shop" / "main.py").write_text(SERVICE.format(delay_s=delay_s))
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        for words in (["add", "."], ["commit", "-qm", branch], ["branch", branch]):
            subprocess.run(["git", "-C", str(top), *identity, *words], check=True)

    subprocess.run(["git", "init", "-q", str(top)], check=True)
    commit(0.03, "before")
    commit(0.1, "slower")
    return top


@pytest.fixture
def decided(
    shop: Path, url: str, tmp_path: Path, nothing_left: None
) -> Callable[[str, str], tuple[int, dict]]:
    """Exit code and JSON of the gate on a run of two revisions."""

    def decide(base: str, head: str) -> tuple[int, dict]:
        folder = tmp_path / f"{base}-{head}"
        settings = [*SMALL, f"arm.base.git_ref={base}", f"arm.head.git_ref={head}"]
        typed = [word for each in settings for word in ("--set", each)]
        run = ["run", str(shop / "gate.toml"), "--out", str(folder), *typed]
        measured = bench(*run, BENCH_DATABASE_URL=url, PATH=PATHS)
        assert measured.returncode in (0, 4), measured.stderr
        done = bench("gate", str(folder), "--json", "--out", str(tmp_path / "comment.md"))
        return done.returncode, json.loads(done.stdout)

    return decide


def too_busy(decision: dict) -> bool:
    """Whether the machine was too busy to measure, and nothing else."""
    reasons = [why for each in decision["comparisons"] for why in each["reasons"]]
    named = {gate for gate in OF_A_BUSY_MACHINE if any(gate in why for why in reasons)}
    return decision["outcome"] == "invalid" and bool(named)


@pytest.mark.database
def test_a_slower_revision_fails_and_the_same_one_does_not(
    decided: Callable[[str, str], tuple[int, dict]], tmp_path: Path
) -> None:
    code, same = decided("before", "before")
    assert code in (0, 4), same
    assert all(each["outcome"] != "failed" for each in same["comparisons"])
    assert code == same["exit_code"]

    assert set(same["commits"]) == {"base", "head"}
    assert same["commits"]["base"] == same["commits"]["head"]

    code, slower = decided("before", "slower")
    assert slower["commits"]["base"] != slower["commits"]["head"]
    assert code == 5 or too_busy(slower), slower
    if code == 5:
        assert (tmp_path / "comment.md").read_text().startswith("### Failed: head is slower")
