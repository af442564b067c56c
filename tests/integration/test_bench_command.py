"""`bench` as a person and a script use it: real database, real arms, real Locust."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from loadtests.environment.database import Database
from loadtests.environment.mysql import address_from_url
from loadtests.environment.processes import free_port
from loadtests.schedule import Sizes
from loadtests.second_opinion.wrk import wrk_is_installed
from loadtests.spec import PROFILES_DIR, load_spec
from scripts.session import sizes_here
from tests.support.gates import OF_A_BUSY_MACHINE
from tests.support.terminal import hang_ups_count

BENCH = Path(sys.executable).with_name("bench")
TRIALS_OF_A_PAIR = 3 * 2 * 2
"""Of the quick profile: scenarios × loads × arms."""
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


def marked(mark: str) -> set[int]:
    """Processes that have this test's mark in their environment, as everything it starts has."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes():
                found.add(int(folder.name))
    return found - {os.getpid()}


@contextmanager
def started(
    *words: str | Path, cwd: Path | None = None, **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """`bench …` in the background, ended and waited for whatever happens."""
    with hang_ups_count():
        process = subprocess.Popen(
            [BENCH, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environ,
            cwd=cwd,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def nothing_left(private_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever `bench` starts in the test is gone soon after it."""
    mark = f"TEST_MARK={secrets.token_hex(8)}"
    monkeypatch.setenv(*mark.split("="))
    yield
    deadline_s = time.monotonic() + 10
    while marked(mark) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    assert not marked(mark)


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
    failed = {gate["name"] for gate in summary["scenarios"][0]["gates"] if gate["ok"] is False}
    assert failed <= OF_A_BUSY_MACHINE, summary["scenarios"][0]["gates"]
    assert summary == json.loads((folder / "summary.json").read_text())
    assert {path.name for path in folder.iterdir()} >= {
        *("manifest.json", "journal.jsonl", "samples", "telemetry.parquet"),
        *("summary.json", "report.html", "report.md", "charts"),
    }
    events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    [proof] = [event for event in events if event["event"] == "sameness"]
    assert {side: found["ok"] for side, found in proof["arms"]["async"].items()} == dict.fromkeys(
        ("source", "interface", "work", "answers"), True
    ), proof["arms"]
    trials = [event for event in events if event["event"] == "trial"]
    assert len(trials) == 12
    for trial in trials:
        counts = {trial[name] for name in ("planned", "sent", "recorded", "server_requests")}
        assert len(counts) == 1, trial
        assert trial["app_cpu_s"] > 0
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["durability"]["profile"] == "durable"
    assert manifest["arms"]["async"]["settings"]["pool_size"] == 10

    taken = bench("run", "smoke", "--out", str(folder))
    assert taken.returncode == 2
    assert "already holds a run" in taken.stderr

    again = bench("report", str(folder), "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == summary


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
def test_ctrl_c_keeps_what_was_measured_and_the_run_can_go_on(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "run"
    typed = [f"run.database={url}", "arm.sync.headers.X-Token=hunter2"]
    sets = [word for override in typed for word in ("--set", override)]
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

    resume = ["run", "--resume", str(folder)]
    for more, missing in (
        ([], "run.database, arm.sync.headers.X-Token"),
        (["smoke"], "leave out SPEC"),
        (["--seed", "3"], "leave out --seed"),
        ([*sets, "--set", "run.block_s=2"], "leave out --set run.block_s"),
    ):
        refused = bench(*resume, *more, SHOP_TOKEN="hunter5")
        assert refused.returncode == 2, refused.stderr
        assert missing.split(", ")[0] in refused.stderr
    on = bench(*resume, *sets, SHOP_TOKEN="hunter5")  # from another folder than mine.toml's
    assert on.returncode in (0, 4), on.stderr
    assert json.loads((folder / "summary.json").read_text())["status"] == "complete"
    assert not files_with((password, *SECRETS), folder)


def until_journal_has(words: str, folder: Path, process: subprocess.Popen[str]) -> None:
    deadline_s = time.monotonic() + 120
    journal = folder / "journal.jsonl"
    while not (journal.exists() and words in journal.read_text()):
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_a_second_ctrl_c_stops_at_once_and_reports_and_a_third_breaks_nothing(
    tmp_path: Path, url: str
) -> None:
    folder = tmp_path / "run"
    long = ["--set", "run.block_s=4", "--set", "run.instances=2"]
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
    words = ["run", "smoke", "--json", "--out", folder, "--set", "run.instances=2"]
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


FAR = ["--set", "run.database_rtt_ms=2.0"]


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_a_run_at_a_distance_measures_it_tells_it_and_judges_it(tmp_path: Path, url: str) -> None:
    folder = tmp_path / "run"
    done = bench("run", "smoke", "--out", str(folder), *SHORT, *FAR, BENCH_DATABASE_URL=url)
    assert done.returncode in (0, 4), done.stderr  # invalid on a machine too busy to measure
    assert "Distance to the database: 2 ms asked" in done.stderr
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["distance"]["asked_ms"] == 2.0
    assert manifest["distance"]["measured_ms"]["p50"] > manifest["distance"]["direct_ms"]["p50"]
    placement = manifest["placement"]
    assert placement.get("relay", []) == placement["database"][-1:]
    given = {*placement["generator"], *placement["apps"], *placement["database"]}
    assert {seen["core"] for seen in placement.get("noise", [])} == given
    events = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    trials = [event for event in events if event["event"] == "trial"]
    assert all(trial["relay_cpu_s"] > 0 for trial in trials)
    assert all(trial["connections"] > 0 for trial in trials)  # counted by the relay's port
    (told,) = (event for event in events if event["event"] == "relay")
    assert told["cpu_s"] > 0
    assert told["passed_on"] > sum(trial["sent"] for trial in trials)
    summary = json.loads((folder / "summary.json").read_text())
    assert "to the database: " in summary["headline"]
    (gate,) = (g for g in summary["scenarios"][0]["gates"] if g["name"] == "database-distance")
    assert gate["value"] == pytest.approx(abs(manifest["distance"]["added_ms"]["p50"] - 2.0))
    assert gate["limit"] == 0.2


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
        done = bench("run", "smoke", "--out", str(small / "run"), *SHORT, BENCH_DATABASE_URL=url)
        kept = (small / "run" / "journal.jsonl").read_text()
    finally:
        subprocess.run(["umount", small], check=True)
    assert done.returncode == 3, done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    assert '"state": "finished"' in kept
    assert f"bench run --resume {small / 'run'}" in done.stderr


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


@pytest.mark.usefixtures("nothing_left")
def test_a_driver_that_is_not_installed_is_told_before_anything_starts(tmp_path: Path) -> None:
    arm = '[[arm]]\nname = "a"\napp = "sync"\ndriver = "mysqldb"'
    blocked = tmp_path / "sitecustomize.py"
    blocked.write_text(
        "import importlib.util\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: "
        "None if name == 'MySQLdb' else find(name, *more)\n"
    )
    done = bench(
        "run", spec(tmp_path, arm), "--out", str(tmp_path / "run"), PYTHONPATH=str(tmp_path)
    )
    assert done.returncode == 3, done.stderr
    assert "mysqlclient-static" in done.stderr
    assert "make drivers" in done.stderr
    assert "Database" not in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"BENCH_DATABASE_URL": f"mysql://u:hunter2@127.0.0.1:{free_port()}/"}, "127.0.0.1"),
        ({"BENCH_DATABASE_URL": "mysql://u:hunter2@"}, "BENCH_DATABASE_URL: run database"),
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


def quick_sizes() -> Sizes:
    """What fits this machine's memory, budget and whether wrk has its part of that."""
    return sizes_here(load_spec("quick"))


def test_a_dry_run_prints_the_plan_and_does_nothing(tmp_path: Path) -> None:
    done = bench("run", "quick", "--dry-run", "--out", str(tmp_path / "run"))
    assert done.returncode == 0
    sizes = quick_sizes()
    planned = (
        f"{sizes.instances} instances",
        f"{sizes.rounds} rounds",
        f"{TRIALS_OF_A_PAIR * sizes.instances} trials",
    )
    for words in (*planned, "smallest", "second opinion"):
        assert words in done.stdout
    assert not (tmp_path / "run").exists()


def test_a_dry_run_of_the_specimens_names_each_with_its_twin() -> None:
    done = bench("run", "specimens", "--dry-run")
    assert done.returncode == 0
    assert "9 arms in 6 scenarios" in done.stdout
    for words in ("sync-ungated: sync against sync-ungated, closed load of 64 users, 3 s a trial",
                  "n-plus-one: async against n-plus-one, closed load of 16 users"):  # fmt: skip
        assert words in done.stdout


@pytest.mark.database
@pytest.mark.usefixtures("nothing_left")
def test_up_says_where_everything_is_and_ends_on_ctrl_c(url: str) -> None:
    with started("up", "smoke", "--json", *FAR, BENCH_DATABASE_URL=url) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert set(told["arms"]) == {"sync", "async"}
        assert ":***@" in told["database"]
        assert told["distance"]["added_ms"]["p50"] > 1.0
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_a_dry_run_is_one_json_document_where_that_is_asked_for() -> None:
    done = bench("run", "quick", "--dry-run", "--json")
    assert done.returncode == 0
    plan = json.loads(done.stdout)["plan"]
    instances = quick_sizes().instances
    assert plan["instances"] == instances
    assert plan["trials_per_round"] == TRIALS_OF_A_PAIR * instances
    told = plan["second_opinion"]
    assert told["scenario"] == "read-one" if wrk_is_installed() else "wrk" in told["reason"]
    assert plan["smallest_capacity_change_pct"] > 0


@pytest.mark.parametrize("words", [["report"], ["run", "--resume"]])
def test_a_folder_without_a_run_is_a_usage_error(tmp_path: Path, words: list[str]) -> None:
    done = bench(*words, str(tmp_path))
    assert done.returncode == 2
    assert "manifest.json" in done.stderr
