"""Instances of all kinds of arms: started side by side, watched, stopped; and what goes wrong."""

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from loadtests.environment import live_bed, servers
from loadtests.environment.database import Database
from loadtests.environment.launch import Launch
from loadtests.environment.live_bed import LiveBed
from loadtests.environment.placement import Placement, choose_placement
from loadtests.environment.servers import RunningInstance, ask, run_reset, running_arms
from loadtests.errors import EnvironmentNotReady, SpecError
from loadtests.scenarios.catalogue import READ_ONE
from loadtests.spec import Arm, RunSpec, Spec
from loadtests.trials import Target

PYTHON = sys.executable
TINY = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        told = json.dumps({"env": dict(os.environ), "cwd": os.getcwd(), "argv": sys.argv[1:],
                           "pid": os.getpid(), "headers": dict(self.headers)}).encode()
        self.send_response(200 if self.path in ("/health", "/") else 404)
        self.end_headers()
        self.wfile.write(told)
    def log_message(self, *words): pass
class Server(ThreadingHTTPServer):
    allow_reuse_address = True
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
NOTHING = Database()


def not_started(arm: Arm, launch: Launch | None = None) -> RunningInstance:
    return RunningInstance(Target(arm.name, 0, "http://127.0.0.1:1"), None, None, arm, launch)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.py").write_text(TINY)
    return tmp_path


@pytest.fixture
def up(folder: Path) -> Callable[..., Any]:
    """`running_arms` of a spec beside `tiny.py`."""

    def start(*arms: Arm, instances: int = 1, database: Database = NOTHING, **more: Any) -> Any:
        spec = Spec(run=RunSpec(), arm=arms, scenario=(READ_ONE,), folder=str(folder))
        given = {
            "placement": choose_placement([]),
            "log_folder": folder / "logs",
            "say": lambda _: None,
            **more,
        }
        return running_arms(spec, database, instances=instances, **given)

    return start


def tiny(name: str = "tiny", **more: Any) -> Arm:
    return Arm(name=name, **{"command": f"{PYTHON} tiny.py {{port}}", **more})


def told(instance: RunningInstance) -> dict[str, Any]:
    import json

    status, body = ask(instance.target.url, "/")
    assert status == 200
    answer: dict[str, Any] = json.loads(body)
    return answer


def test_a_url_stays_instance_0_in_a_resumed_run(up: Callable[..., Any]) -> None:
    """It is the same process, so its intervals must go on to speak of "these instances"."""
    with up(tiny("one")) as (running,):
        there = Arm(name="there", url=running.target.url)
        with up(there, tiny("two"), instances=2, first_instance=12) as instances:
            numbers = [(i.target.arm, i.target.instance) for i in instances]
            assert numbers == [("there", 0), ("two", 12), ("two", 13)]


def test_every_instance_runs_and_ends(up: Callable[..., Any], folder: Path) -> None:
    with up(tiny("one"), tiny("two"), instances=3, first_instance=4) as instances:
        targets = [instance.target for instance in instances]
        assert [(target.arm, target.instance) for target in targets] == [
            (arm, number) for arm in ("one", "two") for number in (4, 5, 6)
        ]
        assert len({target.url for target in targets}) == 6
        for instance in instances:
            assert instance.child is not None
            assert told(instance)["pid"] == instance.child.pid
            assert instance.stats() is None
            assert instance.schema is None
            assert instance.target.idle_limit_s < 5
        pids = [told(instance)["pid"] for instance in instances]
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert (folder / "logs" / "two-6.log").exists()


def test_a_command_gets_its_folder_cores_and_clean_environment(
    up: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "9")
    (folder / "shop").mkdir()
    (folder / "shop" / "tiny.py").write_text(TINY)
    core = max(os.sched_getaffinity(0))
    arm = tiny(cwd="shop", env={"POOL": "{pool_size}", "URL": "{database_url}x"}, pool_size=3)
    with pytest.raises(EnvironmentNotReady, match='"tiny" needs a database'), up(arm):
        pass
    arm = tiny(cwd="shop", env={"POOL": "{pool_size}"}, pool_size=3)
    with up(arm, placement=Placement((), (core,), (), "test")) as (instance,):
        seen = told(instance)
        assert seen["env"]["POOL"] == "3"
        assert "WEB_CONCURRENCY" not in seen["env"]
        assert seen["cwd"] == str(folder / "shop")
        assert seen["argv"] == [instance.target.url.rpartition(":")[2]]
        assert os.sched_getaffinity(seen["pid"]) == {core}


@pytest.mark.database
def test_a_command_shares_one_seeded_schema_and_gets_its_url_by_environment(
    up: Callable[..., Any], private_database: Database
) -> None:
    arm = tiny(env={"URL": "{database_url}"})
    with up(arm, instances=2, database=private_database, run="cmd") as instances:
        assert {instance.schema for instance in instances} == {"bench_cmd_tiny"}
        for instance in instances:
            assert told(instance)["env"]["URL"] == private_database.url_for("bench_cmd_tiny")
        assert private_database.drifted("bench_cmd_tiny") is None


@pytest.mark.database
def test_the_twins_are_started_as_told_and_read_as_a_run_reads_them(
    up: Callable[..., Any], folder: Path, private_database: Database
) -> None:
    arms = (
        Arm(name="sync", app="sync", pool_size=3, threads=7),
        Arm(name="async", app="async", pool_size=4, workers=2, loop="asyncio"),
    )
    spec = Spec(arm=arms, scenario=(READ_ONE,), folder=str(folder))
    with up(*arms, instances=2, database=private_database, run="twins") as instances:
        by_arm = {instance.target.arm: instance for instance in instances}
        stats = by_arm["sync"].stats()
        assert stats is not None
        assert stats["settings"]["pool_size"] == 3
        assert stats["settings"]["threads"] == 7
        assert stats["requests"] == 0
        assert by_arm["sync"].target.idle_limit_s > 1000
        several = by_arm["async"].stats()
        assert several is not None
        assert (stats["runtime"]["loop"], several["runtime"]["loop"]) == ("uvloop", "asyncio")
        for told_by_one_worker in ("pid", "requests", "in_flight", "waiting", "checked_out"):
            assert several[told_by_one_worker] is None
        bed = LiveBed(spec, private_database, instances)
        before = bed.read(by_arm["sync"].target, full=True)
        for key in (1, 2, 3):
            assert ask(by_arm["sync"].target.url, f"/items/{key}")[0] == 200
        after = bed.read(by_arm["sync"].target, full=True)
        assert before.server_requests is not None
        assert after.server_requests == before.server_requests + 3
        assert after.connections is not None
        assert 1 <= after.connections <= 3
        assert private_database.connections("bench_twins_sync") >= after.connections
        assert before.cpu_s is not None
        assert after.cpu_s is not None
        assert after.cpu_s > before.cpu_s
        workers = [bed.read(by_arm["async"].target, full=True)]
        assert workers[0].threads >= 3  # parent and two workers
        for key in (1, 2, 3):
            assert ask(by_arm["async"].target.url, f"/items/{key}")[0] == 200
        workers.append(bed.read(by_arm["async"].target, full=True))
        assert [reading.server_requests for reading in workers] == [None, None]
        assert 1 <= workers[1].connections <= 2 * 4
        assert workers[1].cpu_s > workers[0].cpu_s
        assert workers[1].rss_mb > after.rss_mb
        bed.put_back("sync")
        assert bed.failure(by_arm["sync"].target) is None
        for instance in instances:
            assert instance.child is not None
            command = Path(f"/proc/{instance.child.pid}/cmdline").read_text()
            assert "mysql://" not in command
        by_arm["sync"].stop()
        assert bed.failure(by_arm["sync"].target) is not None
        assert by_arm["sync"].stats() is None


# Somebody's own service at a URL


@pytest.fixture
def service() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A service that runs already: its URL, and the headers it was asked with."""
    seen: list[dict[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(dict(self.headers))
            self.send_response({"/health": 404, "/good": 200}.get(self.path, 500))
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
        server.shutdown()
        thread.join()


def test_a_url_has_one_instance_and_its_headers(
    up: Callable[..., Any], service: tuple[str, list[dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    url, seen = service
    arm = Arm(name="staging", url=url + "/", headers={"X-Token": "env:STAGING_TOKEN"})
    monkeypatch.delenv("STAGING_TOKEN", raising=False)
    with pytest.raises(SpecError, match="STAGING_TOKEN, which is not set"), up(arm):
        pass
    monkeypatch.setenv("STAGING_TOKEN", "hush")
    with up(arm, instances=5) as instances:
        (instance,) = instances
        assert instance.child is None
        assert instance.target.url == url
        assert instance.target.headers == (("X-Token", "hush"),)
    assert seen[0]["X-Token"] == "hush"


def test_a_url_that_does_not_answer_is_named(
    up: Callable[..., Any], service: tuple[str, list[dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(servers, "ANSWER_LIMIT_S", 0.2)
    for url, ready, words in (
        ("http://127.0.0.1:9", "/health", "no answer"),
        (service[0], "/broken", "status 500"),
    ):
        arm = Arm(name="staging", url=url, ready=ready)
        with pytest.raises(EnvironmentNotReady, match=f'"staging".*{ready} gives {words}'), up(arm):
            pass


# What goes wrong


def python_arm(code: str, **more: Any) -> Arm:
    return tiny(command=f'{PYTHON} -c "{code}" {{port}}', **more)


@pytest.mark.database
def test_one_that_ends_at_once_is_named_with_its_last_words_and_no_password(
    up: Callable[..., Any], private_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "hush-hush")
    code = (
        "import os; print(os.environ['URL'], os.environ['SHOP_TOKEN']); "
        "print('no such table'); raise SystemExit(7)"
    )
    env, headers = {"URL": "{database_url}"}, {"X-Token": "env:SHOP_TOKEN"}
    bad = python_arm(code, name="bad", env=env, headers=headers)
    with (
        pytest.raises(EnvironmentNotReady) as caught,
        up(tiny("good"), bad, database=private_database, run="bad"),
    ):
        pass
    text = str(caught.value)
    assert 'Arm "bad", instance 0' in text
    assert "exit code 7" in text
    assert "no such table" in text
    assert "***@127.0.0.1" in text
    assert "hush-hush" not in text
    assert caught.value.exit_code == 3
    running = " ".join(
        " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])
    )
    assert f"{PYTHON} tiny.py" not in running


def test_one_that_never_answers_is_given_up_and_killed(
    up: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "READY_LIMIT_S", 0.3)
    monkeypatch.setattr(servers, "READY_LIMIT_PER_PROCESS_S", 0.0)
    monkeypatch.setattr(servers, "STOP_GRACE_S", 0.1)
    with (
        pytest.raises(EnvironmentNotReady, match=r"not ready within .* gives no answer"),
        up(python_arm("import time; time.sleep(300)", name="mute")),
    ):
        pass
    monkeypatch.setattr(servers, "READY_LIMIT_S", 4.0)  # long enough to start on a busy machine
    with (
        pytest.raises(EnvironmentNotReady, match=r"not ready within .*/nowhere gives status 404"),
        up(tiny(ready="/nowhere")),
    ):
        pass


def test_a_stranger_on_the_port_is_not_taken_for_the_arm(
    up: Callable[..., Any], service: tuple[str, list[dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch, folder: Path,
) -> None:  # fmt: skip
    taken = int(service[0].rpartition(":")[2])
    (folder / "tiny.py").write_text(TINY.replace("allow_reuse_address = True", "pass"))
    monkeypatch.setattr(servers, "free_port", lambda: taken)
    with (
        pytest.raises(EnvironmentNotReady, match=r"ended by itself.*\n(.*\n)*.*in use"),
        up(tiny(ready="/good")),
    ):
        pass


def test_a_port_taken_meanwhile_costs_one_more_try(
    up: Callable[..., Any], service: tuple[str, list[dict[str, str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    free, ports = servers.free_port, [int(service[0].rpartition(":")[2])]
    monkeypatch.setattr(servers, "free_port", lambda: ports.pop() if ports else free())
    with up(tiny()) as (instance,):
        assert told(instance)["pid"] == instance.child.pid


def test_a_missing_program_is_named(up: Callable[..., Any]) -> None:
    with (
        pytest.raises(EnvironmentNotReady, match='"tiny" instance 0: no-such-program'),
        up(tiny(command="no-such-program {port}")),
    ):
        pass


def test_a_twin_without_a_database_is_refused(up: Callable[..., Any]) -> None:
    with (
        pytest.raises(EnvironmentNotReady, match='"sync" needs a database'),
        up(Arm(name="sync", app="sync")),
    ):
        pass


# A revision of somebody's repository


@pytest.fixture
def repository(folder: Path) -> Callable[..., str]:
    top = folder / "shop"
    (top / "service").mkdir(parents=True)
    (top / "service" / "tiny.py").write_text(TINY.replace('"cwd"', '"old": True, "cwd"'))

    def git(*words: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        done = subprocess.run(
            ["git", "-C", str(top), *identity, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "old")
    git("tag", "v1")
    (top / "service" / "tiny.py").write_text("raise SystemExit('the working copy was run')")
    git("commit", "-qam", "new")
    return git


def test_a_git_ref_is_run_from_a_clean_checkout_that_goes_away(
    up: Callable[..., Any], repository: Callable[..., str], folder: Path
) -> None:
    before = sorted(str(path) for path in (folder / "shop" / ".git").rglob("*"))
    with up(tiny(cwd="shop/service", git_ref="v1"), instances=2) as instances:
        seen = [told(instance) for instance in instances]
        assert all("old" in answer for answer in seen)
        (place,) = {answer["cwd"] for answer in seen}
        assert place.endswith("/service")
        assert str(folder) not in place
    assert not Path(place).parent.exists()
    assert sorted(str(path) for path in (folder / "shop" / ".git").rglob("*")) == before
    assert repository("status", "--porcelain") == ""


def test_a_shallow_clone_will_do(
    up: Callable[..., Any], repository: Callable[..., str], folder: Path
) -> None:
    repository("checkout", "-q", "v1")
    subprocess.run(
        ["git", "clone", "-q", "--depth", "1", f"file://{folder}/shop", str(folder / "clone")],
        check=True,
    )
    with up(tiny(cwd="clone/service", git_ref="HEAD")) as (instance,):
        assert "old" in told(instance)


@pytest.mark.parametrize(
    ("cwd", "ref", "words"),
    [("shop/service", "no-such-ref", "rev-parse"), (".", "v1", "not a git repository")],
)
def test_a_git_ref_that_is_none_is_explained(
    up: Callable[..., Any], repository: Callable[..., str], cwd: str, ref: str, words: str
) -> None:
    with (
        pytest.raises(EnvironmentNotReady, match=f'"tiny".*{words}'),
        up(tiny(cwd=cwd, git_ref=ref)),
    ):
        pass


# An arm's own reset


@pytest.mark.parametrize("place", [".", "shop"])
def test_a_reset_command_runs_in_the_arms_folder(folder: Path, place: str) -> None:
    (folder / "shop").mkdir()
    (folder / place / "reset.sh").write_text("#!/bin/sh\npwd > done.txt\n")
    (folder / place / "reset.sh").chmod(0o755)
    arm = tiny(cwd="shop", reset="./reset.sh")
    run_reset(Spec(arm=(arm,), scenario=(READ_ONE,), folder=str(folder)), not_started(arm), NOTHING)
    assert (folder / "shop" / "done.txt").read_text().strip() == str(folder / "shop")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("sh -c 'echo out; echo no table >&2; exit 4'", "exit code 4: no table"),
        ("./missing.sh", "could not be started"),
        ("sleep 30", "did not end"),
    ],
)
def test_a_failing_reset_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, words: str
) -> None:
    monkeypatch.setattr(servers, "RESET_LIMIT_S", 0.3)
    arm = tiny(reset=command)
    with pytest.raises(EnvironmentNotReady, match=f'"tiny".*{words}'):
        run_reset(
            Spec(arm=(arm,), scenario=(READ_ONE,), folder=str(folder)), not_started(arm), NOTHING
        )


def test_a_reset_runs_where_its_service_does_and_its_secrets_are_masked(folder: Path) -> None:
    """In the service's own checkout, with its DATABASE_URL, which an error does not repeat."""
    checkout = folder / "checkout"
    checkout.mkdir()
    secret = "hunter2-in-a-url"
    launch = Launch([], {**os.environ, "DATABASE_URL": secret}, checkout)
    database = SimpleNamespace(mask=lambda text: text.replace(secret, "***"))
    arm = tiny(reset="sh -c 'pwd >where; echo cannot reach $DATABASE_URL >&2; exit 3'")
    spec = Spec(arm=(arm,), scenario=(READ_ONE,), folder=str(folder))
    with pytest.raises(EnvironmentNotReady, match=r"exit code 3: cannot reach \*\*\*"):
        run_reset(spec, not_started(arm, launch), database)  # type: ignore[arg-type]
    assert (checkout / "where").read_text().strip() == str(checkout)


def test_settling_waits_for_the_apps_own_gauge(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that gave up does not stop the app's work."""
    told = iter([3, 1, 0])
    instance = not_started(tiny())
    monkeypatch.setattr(RunningInstance, "stats", lambda _: {"in_flight": next(told)})
    bed = LiveBed(Spec(arm=(tiny(),), scenario=(READ_ONE,)), NOTHING, [instance])
    assert bed.settle(instance.target) == 0
    assert next(told, None) is None


def test_settling_ends_with_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = not_started(tiny())
    monkeypatch.setattr(RunningInstance, "stats", lambda _: {"in_flight": 2})
    monkeypatch.setattr(live_bed, "SETTLE_LIMIT_S", 0.0)
    bed = LiveBed(Spec(arm=(tiny(),), scenario=(READ_ONE,)), NOTHING, [instance])
    assert bed.settle(instance.target) == 2
    monkeypatch.setattr(RunningInstance, "stats", lambda _: None)
    assert bed.settle(instance.target) is None
