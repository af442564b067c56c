"""`bench` as a person and a script use it: real database, real arms, real Locust."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from loadtests.environment.database import Database
from loadtests.environment.processes import free_port

BENCH = Path(sys.executable).with_name("bench")
SHORT = ["--set", "run.instances=2", "--set", "run.block_s=0.5"]


def bench(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BENCH, *words],
        capture_output=True,
        text=True,
        timeout=200,
        env=os.environ | {"NO_COLOR": "1"} | environ,
        check=False,
    )


def ours() -> set[int]:
    """Processes a run leaves behind if it leaves any: servers, arms, generators."""
    marks = ("mysqld", "mariadbd", "uvicorn apps.", "loadtests.generator", "watchdog")
    found = set()
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or ())
        if any(mark in line for mark in marks):
            found.add(process.pid)
    return found


@contextmanager
def started(*words: str | Path, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """`bench …` in the background, ended and waited for whatever happens."""
    process = subprocess.Popen(
        [BENCH, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environ,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def nothing_left(private_database: Database) -> Iterator[None]:
    before = ours()
    yield
    deadline_s = time.monotonic() + 10
    while ours() - before and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert not ours() - before


@pytest.fixture
def url(private_database: Database) -> str:
    """The test session's server as if it were the user's own."""
    schema = private_database.create_arm_schema("commands", "any")
    return private_database.url_for(schema).rsplit("/", 1)[0] + "/"


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_smoke_from_nothing_to_a_report(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    done = bench("run", "smoke", "--out", str(folder), "--json", "--set", "run.database=local")
    assert done.returncode in (0, 4), done.stderr  # invalid on a machine too busy to measure
    summary = json.loads(done.stdout)
    assert (done.returncode == 0) == summary["valid"]
    assert summary == json.loads((folder / "summary.json").read_text())
    assert {path.name for path in folder.iterdir()} >= {
        *("manifest.json", "journal.jsonl", "samples", "telemetry.parquet"),
        *("summary.json", "report.html", "report.md", "charts"),
    }
    trials = [
        event
        for line in (folder / "journal.jsonl").read_text().splitlines()
        if (event := json.loads(line))["event"] == "trial"
    ]
    assert len(trials) == 12
    for trial in trials:
        counts = {trial[name] for name in ("planned", "sent", "recorded", "server_requests")}
        assert len(counts) == 1, trial
        assert trial["app_cpu_s"] > 0
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["durability"]["profile"] == "durable"
    assert manifest["arms"]["async"]["settings"]["pool_size"] == 10

    again = bench("report", str(folder), "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == summary


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_ctrl_c_keeps_what_was_measured_and_the_run_can_go_on(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "run"
    said = []
    with started("run", "smoke", "--out", folder, *SHORT, BENCH_DATABASE_URL=url) as process:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if line.startswith("Round 1 of"):
                process.send_signal(signal.SIGINT)
        assert process.wait() == 130, "".join(said)
    assert f"bench run --resume {folder}" in said[-1]
    assert "Traceback" not in "".join(said)
    assert '"status": "interrupted"' in (folder / "journal.jsonl").read_text()

    on = bench("run", "--resume", str(folder), BENCH_DATABASE_URL=url)
    assert on.returncode in (0, 4), on.stderr
    assert json.loads((folder / "summary.json").read_text())["status"] == "complete"


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_a_second_ctrl_c_stops_at_once(tmp_path: Path, url: str) -> None:
    long = ["--set", "run.block_s=30"]
    out = tmp_path / "run"
    with started("run", "smoke", "--out", out, *long, BENCH_DATABASE_URL=url) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Round 1 of"):
                time.sleep(1)
                process.send_signal(signal.SIGINT)
            if "Ctrl-C again" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
        assert process.wait(timeout=15) == 130
    assert "Traceback" not in rest


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
        done = bench("run", "smoke", "--out", str(small / "run"), *SHORT, BENCH_DATABASE_URL=url)
        kept = (small / "run" / "journal.jsonl").read_text()
    finally:
        subprocess.run(["umount", small], check=True)
    assert done.returncode == 3, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert '"state": "finished"' in kept


def spec(tmp_path: Path, arms: str, scenario: str = '[[scenario]]\nname = "read-one"') -> str:
    path = tmp_path / "mine.toml"
    path.write_text(f"[run]\ninstances = 1\n{arms}\n{scenario}\n", encoding="utf-8")
    return str(path)


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize(
    ("arms", "code", "said"),
    [
        ('[[arm]]\nname = "a"\ncommand = "false {port}"', 3, 'Arm "a"'),
        ('[[arm]]\nname = "a"\ncommand = "no-such-program {port}"', 3, "no-such-program"),
        ('[[arm]]\nname = "a"\nurl = "http://127.0.0.1:1"', 3, 'Arm "a"'),
        ('[[arm]]\nname = "a"\napp = "sync"\nworkers = 0', 2, "workers"),
        (
            '[[arm]]\nname = "a"\nurl = "http://127.0.0.1:1"\nheaders = { X = "env:NO_X" }',
            2,
            "NO_X",
        ),
    ],
)
def test_a_bad_arm_is_one_message_and_no_traceback(
    tmp_path: Path, url: str, arms: str, code: int, said: str
) -> None:
    folder = tmp_path / "run"
    done = bench(
        "run", spec(tmp_path, arms), "--json", "--out", str(folder), BENCH_DATABASE_URL=url
    )
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"BENCH_DATABASE_URL": f"mysql://u:hunter2@127.0.0.1:{free_port()}/"}, "127.0.0.1"),
        ({"BENCH_DATABASE_URL": "mysql://u:hunter2@"}, "mysql://"),
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_its_password(
    tmp_path: Path, environ: dict[str, str], said: str
) -> None:
    done = bench("run", "smoke", "--out", str(tmp_path / "run"), **environ)
    assert done.returncode in (2, 3), done.stderr
    assert said in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.database
def test_a_refused_password_is_named(tmp_path: Path, url: str) -> None:
    wrong = url.replace(url.split(":")[2].split("@", maxsplit=1)[0], "hunter2", 1)
    done = bench("run", "smoke", "--out", str(tmp_path / "run"), BENCH_DATABASE_URL=wrong)
    assert done.returncode == 3, done.stderr
    assert "password" in done.stderr.lower()
    assert "hunter2" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [["run", "nonsense"], ["run", "smoke", "--set", "run.x=1"], ["fly"], ["run", "--sed", "1"]],
)
def test_wrong_words_are_usage_errors(words: list[str]) -> None:
    done = bench(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_dry_run_prints_the_plan_and_does_nothing(tmp_path: Path) -> None:
    done = bench("run", "quick", "--dry-run", "--out", str(tmp_path / "run"))
    assert done.returncode == 0
    for words in ("12 instances", "2 rounds", "144 trials", "smallest"):
        assert words in done.stdout
    assert not (tmp_path / "run").exists()


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_up_says_where_everything_is_and_ends_on_ctrl_c(url: str) -> None:
    with started("up", "smoke", "--json", BENCH_DATABASE_URL=url) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert set(told["arms"]) == {"sync", "async"}
        assert ":***@" in told["database"]
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_report_of_no_run_is_a_clear_error(tmp_path: Path) -> None:
    done = bench("report", str(tmp_path))
    assert done.returncode == 3
    assert "manifest.json" in done.stderr
