"""Instances of all kinds of arms: started side by side, watched, stopped; and what goes wrong."""

import http.server
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtests.environment import live_bed, servers
from loadtests.environment.database import Database
from loadtests.environment.live_bed import LiveBed
from loadtests.environment.placement import Placement
from loadtests.environment.servers import RunningInstance, ask
from loadtests.errors import EnvironmentNotReady, SpecError
from loadtests.scenarios.catalogue import READ_ONE
from loadtests.spec import Arm, Spec
from tests.support.tiny_service import NOTHING, PYTHON, TINY, not_started, starting, tiny, told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.py").write_text(TINY)
    return tmp_path


@pytest.fixture
def up(folder: Path) -> Callable[..., Any]:
    return starting(folder)


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
        check_stats(by_arm)
        bed = LiveBed(spec, private_database, instances)
        rss_mb = check_one_process(bed, by_arm["sync"], private_database)
        check_several_workers(bed, by_arm["async"], rss_mb)
        bed.put_back("sync")
        assert bed.failure(by_arm["sync"].target) is None
        for instance in instances:
            assert instance.child is not None
            command = Path(f"/proc/{instance.child.pid}/cmdline").read_text()
            assert "mysql://" not in command
        by_arm["sync"].stop()
        assert bed.failure(by_arm["sync"].target) is not None
        assert by_arm["sync"].stats() is None


def check_stats(by_arm: dict[str, RunningInstance]) -> None:
    """What an instance tells of itself; of several workers, what is true of all."""
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


def check_one_process(bed: LiveBed, sync: RunningInstance, database: Database) -> float:
    """Requests, connections and CPU time as a run reads them; the memory it takes, in MB."""
    before = bed.read(sync.target, full=True)
    for key in (1, 2, 3):
        assert ask(sync.target.url, f"/items/{key}")[0] == 200
    after = bed.read(sync.target, full=True)
    assert before.server_requests is not None
    assert after.server_requests == before.server_requests + 3
    assert after.connections is not None
    assert 1 <= after.connections <= 3
    assert database.connections("bench_twins_sync") >= after.connections
    assert before.cpu_s is not None
    assert after.cpu_s is not None
    assert after.cpu_s > before.cpu_s
    assert after.rss_mb is not None
    return after.rss_mb


def check_several_workers(bed: LiveBed, several: RunningInstance, rss_mb: float) -> None:
    """Processes are added up; requests, which one worker alone counts, are not told."""
    workers = [bed.read(several.target, full=True)]
    assert workers[0].threads >= 3  # parent and two workers
    for key in (1, 2, 3):
        assert ask(several.target.url, f"/items/{key}")[0] == 200
    workers.append(bed.read(several.target, full=True))
    assert [reading.server_requests for reading in workers] == [None, None]
    assert 1 <= workers[1].connections <= 2 * 4
    assert workers[1].cpu_s > workers[0].cpu_s
    assert workers[1].rss_mb > rss_mb


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
