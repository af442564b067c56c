"""Runs that are stopped, or whose parts die: what was measured is kept, and they can go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtests.environment.mysql import address_from_url
from loadtests.spec import PROFILES_DIR
from tests.support.command import SHORT, bench, started, until_journal_has

TOO_MUCH = ["--set", "run.instances=2", "--set", "run.block_s=0.5"]
"""For a file system of 64 kB, but not at once."""
FAR = ["--set", "run.database_rtt_ms=2.0"]
SECRETS = ("hunter2", "hunter3", "hunter4", "hunter5")


def secret_spec(folder: Path) -> str:
    """The smoke profile with a header of its request; returns its name within `folder`."""
    text = (PROFILES_DIR / "smoke.toml").read_text(encoding="utf-8")
    request = """
[[scenario.request]]
name = "read"
path = "/items/{key}?token=hunter3"
keys = { from = 1, to = 10000 }
headers = { X-Mine = "hunter4", X-Shop = "env:SHOP_TOKEN" }
"""
    (folder / "mine.toml").write_text(text + request, encoding="utf-8")
    return "mine.toml"


def files_with(secrets: tuple[str, ...], folder: Path) -> list[str]:
    return [
        f"{path.name}: {secret}"
        for path in folder.rglob("*")
        if path.is_file()
        for secret in secrets
        if secret.encode() in path.read_bytes()
    ]


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_ctrl_c_keeps_what_was_measured_and_the_run_can_go_on(
    tmp_path: Path, url: str, typed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    overrides = [f"run.database={url}", "arm.sync.headers.X-Token=hunter2"]
    sets = [word for override in overrides for word in ("--set", override)]
    words = ["run", secret_spec(tmp_path), "--out", folder, *SHORT, *sets]
    said = []
    with started(*words, cwd=tmp_path, SHOP_TOKEN="hunter5") as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if line.startswith("Round 1 of"):
                process.send_signal(signal.SIGINT)
        assert process.wait() == 130, "".join(said)
    assert f"bench run --resume {folder}" in said[-1]
    assert "--set run.database=… --set arm.sync.headers.X-Token=…" in said[-1]
    assert "Traceback" not in "".join(said)
    assert '"status": "interrupted"' in (folder / "journal.jsonl").read_text()
    password = address_from_url(url).password
    assert not files_with((password, *SECRETS), folder)
    assert "Warming up" in (folder / "log.txt").read_text()

    monkeypatch.setenv("SHOP_TOKEN", "hunter5")
    resume = ["run", "--resume", str(folder)]
    for more, missing in (
        ([], "run.database, arm.sync.headers.X-Token"),
        (["smoke"], "leave out SPEC"),
        (["--seed", "3"], "leave out --seed"),
        ([*sets, "--set", "run.block_s=2"], "leave out --set run.block_s"),
    ):
        refused = typed(*resume, *more)
        assert refused.returncode == 2, refused.stderr
        assert missing.split(", ")[0] in refused.stderr
    begun_with_generators(folder, 2)
    on = bench(*resume, *sets)  # from another folder than mine.toml's
    assert on.returncode in (0, 4), on.stderr
    assert json.loads((folder / "summary.json").read_text())["status"] == "complete"
    assert not files_with((password, *SECRETS), folder)
    assert (folder / "logs" / "generator-2.log").exists(), "it keeps its generator processes"


def begun_with_generators(folder: Path, processes: int) -> None:
    """As if the run had begun on a machine with more cores."""
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["generator"]["processes"] < processes
    manifest["generator"]["processes"] = processes
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_a_second_ctrl_c_stops_at_once_and_reports_and_a_third_breaks_nothing(
    tmp_path: Path, url: str
) -> None:
    folder = tmp_path / "run"
    long = ["--set", "run.block_s=4", "--set", "run.instances=1"]
    with started("run", "smoke", "--out", folder, *long, BENCH_DATABASE_URL=url) as process:
        assert process.stderr is not None
        until_journal_has('"state": "finished"', folder, process)
        process.send_signal(signal.SIGINT)
        while "Ctrl-C again" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        until_journal_has('"status": "interrupted"', folder, process)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130
    assert "Traceback" not in rest
    assert f"bench run --resume {folder}" in rest.splitlines()[-1]
    assert '"state": "abandoned"' in (folder / "journal.jsonl").read_text()
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["status"] == "interrupted"
    assert sum(result["requests"] for result in summary["scenarios"][0]["results"]) > 0
    assert (folder / "report.html").exists()


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_a_second_ctrl_c_while_the_arms_are_started_leaves_nothing(
    tmp_path: Path, url: str
) -> None:
    folder = tmp_path / "run"
    with started("run", "smoke", "--out", folder, BENCH_DATABASE_URL=url) as process:
        assert process.stderr is not None
        while "Database:" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        while "Ctrl-C again" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGHUP)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 130
    assert "nothing to go on with" in rest
    assert not (folder / "manifest.json").exists()


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_a_generator_that_dies_keeps_what_was_measured(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "run"
    words = ["run", "smoke", "--json", "--out", folder, "--set", "run.instances=1"]
    with started(*words, BENCH_DATABASE_URL=url) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        until_journal_has('"state": "finished"', folder, process)
        (generator,) = [
            child
            for child in psutil.Process(process.pid).children()
            if "loadtests.generator.process" in child.cmdline()
        ]
        generator.kill()
        rest = process.stderr.read()
        assert process.wait(timeout=60) == 3
        assert process.stdout.read() == ""
    assert "SIGKILL" in rest
    assert f"bench run --resume {folder}" in rest
    assert json.loads((folder / "summary.json").read_text())["status"] == "interrupted"
    assert (folder / "report.html").exists()
    assert "SIGKILL" in (folder / "log.txt").read_text()


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_a_relay_that_dies_ends_the_run_with_its_reason(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "run"
    said = []
    words = ["run", "smoke", "--out", folder, *SHORT, *FAR]
    with started(*words, BENCH_DATABASE_URL=url) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if line.startswith("Round 1 of"):
                relay_of(process.pid).kill()
        assert process.wait() == 3, "".join(said)
    assert "The relay to the database has ended" in "".join(said)
    assert "Traceback" not in "".join(said)
    assert '"state": "abandoned"' in (folder / "journal.jsonl").read_text()


def relay_of(pid: int) -> psutil.Process:
    children = psutil.Process(pid).children(recursive=True)
    (relay,) = (child for child in children if "loadtests.relay.process" in child.cmdline())
    return relay


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
def test_a_full_disk_is_one_message(tmp_path: Path, url: str) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=False, capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("mounting is not allowed here")
    try:
        done = bench("run", "smoke", "--out", str(small / "run"), *TOO_MUCH, BENCH_DATABASE_URL=url)
        kept = (small / "run" / "journal.jsonl").read_text()
    finally:
        subprocess.run(["umount", small], check=True)
    assert done.returncode == 3, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert '"state": "finished"' in kept
    assert f"bench run --resume {small / 'run'}" in done.stderr
