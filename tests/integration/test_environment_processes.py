"""Children that end when told to, and when we die, grandchildren included."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadtests.environment.processes import (
    Child,
    free_port,
    raise_file_limit,
    spawn,
    stop_all,
    watchdog,
)
from loadtests.environment.proctree import process_tree, threads_of
from loadtests.environment.watchdog import TOKEN_VARIABLE
from loadtests.errors import EnvironmentNotReady

ROOT = Path(__file__).parents[2]
FAMILY = """
import subprocess, sys, time
kind = {"same": {}, "own": {"start_new_session": True}}
for name in sys.argv[1:]:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], **kind[name])
    print(child.pid, flush=True)
time.sleep(300)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(300)
"""


def running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until(condition: Callable[[], object], limit_s: float = 20.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Child]]:
    children: list[Child] = []

    def starter(code: str, *words: str, **more: object) -> Child:
        child = spawn(
            [sys.executable, "-c", code, *words],
            **{"env": dict(os.environ), "log_path": tmp_path / "log.txt", "name": "test", **more},
        )
        children.append(child)
        return child

    yield starter
    stop_all(children, grace_s=0)


def test_a_child_is_stopped_by_term_with_its_children(start: Callable[..., Child]) -> None:
    child = start(FAMILY, "same", "same")
    wait_until(lambda: len(child.log_tail().split()) == 2)
    family = [child.pid, *map(int, child.log_tail().split())]
    assert process_tree(child.pid) == family
    assert child.alive()
    child.stop(grace_s=10)
    assert child.returncode == -signal.SIGTERM
    wait_until(lambda: not any(map(running, family)))


def test_one_that_ignores_term_is_killed(start: Callable[..., Child]) -> None:
    child = start(STUBBORN)
    wait_until(lambda: "deaf" in child.log_tail())
    child.stop(grace_s=0.2)
    assert child.returncode == -signal.SIGKILL


def test_a_leader_that_ends_by_itself_takes_its_group_along(start: Callable[..., Child]) -> None:
    child = start(FAMILY.replace("time.sleep(300)\n", "sys.exit(3)\n", 2), "same")
    wait_until(lambda: not child.alive())
    assert child.returncode == 3
    (grandchild,) = map(int, child.log_tail().split())
    wait_until(lambda: not running(grandchild))


def test_output_goes_to_the_log(start: Callable[..., Child]) -> None:
    child = start("import sys; [print(n) for n in range(9)]; print('bad', file=sys.stderr)")
    wait_until(lambda: not child.alive())
    assert child.log_tail(100).splitlines() == [*map(str, range(9)), "bad"]
    assert child.log_tail(2) == "8\nbad"


def test_a_child_starts_on_its_cores_and_we_stay_on_ours(start: Callable[..., Child]) -> None:
    before = os.sched_getaffinity(0)
    core = max(before)
    child = start("import os; print(os.sched_getaffinity(0))", cores=[core])
    wait_until(lambda: not child.alive())
    assert child.log_tail() == str({core})
    assert os.sched_getaffinity(0) == before


def test_pinning_reaches_threads_and_children(start: Callable[..., Child]) -> None:
    threads = "import threading\nthreading.Thread(target=time.sleep, args=(300,)).start()\n"
    child = start(FAMILY.replace("kind =", threads + "kind ="), "same")
    wait_until(lambda: len(child.log_tail().split()) == 1 and len(threads_of(child.pid)) == 2)
    core = max(os.sched_getaffinity(0))
    child.pin([core])
    tree = process_tree(child.pid)
    assert len(tree) == 2
    everyone = [tid for pid in tree for tid in threads_of(pid)]
    assert len(everyone) == 3
    assert all(os.sched_getaffinity(tid) == {core} for tid in everyone)


def test_a_missing_program_is_explained(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentNotReady, match=r"arm x: no-such-program .*No such file"):
        spawn(["no-such-program"], env=dict(os.environ), log_path=tmp_path / "l", name="arm x")


PARENT = """
import os, sys, time, pathlib
sys.path.insert(0, sys.argv[1])
from loadtests.environment.processes import spawn, watchdog
folder = pathlib.Path(sys.argv[2])
watchdog().add(folder=str(folder / "data"))
watchdog().add(command=["touch", str(folder / "cleaned")])
child = spawn([sys.executable, "-c", sys.argv[3], "same", "own"], env=dict(os.environ),
              log_path=folder / "log.txt", name="test")
print(child.pid, watchdog()._process.pid, flush=True)
time.sleep(300)
"""


@contextlib.contextmanager
def harness(folder: Path) -> Iterator[tuple[subprocess.Popen[str], list[int], int]]:
    """A stand-in for us: itself, its descendants, its watchdog."""
    (folder / "data").mkdir()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(ROOT), str(folder), FAMILY],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with parent:
        assert parent.stdout is not None
        child, dog = map(int, parent.stdout.readline().split())
        log = folder / "log.txt"
        wait_until(lambda: len(log.read_text().split()) == 2)
        yield parent, [child, *map(int, log.read_text().split())], dog
        parent.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_us_however_we_die(tmp_path: Path, number: int) -> None:
    with harness(tmp_path) as (parent, family, dog):
        assert all(map(running, family))
        parent.send_signal(number)
        parent.wait()
        wait_until(lambda: not any(map(running, family)))
        wait_until(lambda: not running(dog))
    assert (tmp_path / "cleaned").exists()
    assert not (tmp_path / "data").exists()


def test_a_killed_watchdog_is_replaced_and_knows_what_the_first_knew(tmp_path: Path) -> None:
    code = PARENT.replace(
        "time.sleep(300)\n",
        "sys.stdin.readline()\nwatchdog().add(group=child.pid)\n"
        "print(watchdog()._process.pid, flush=True)\ntime.sleep(300)\n",
    )
    (tmp_path / "data").mkdir()
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(ROOT), str(tmp_path), FAMILY],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with parent:
        assert parent.stdout is not None
        assert parent.stdin is not None
        child, dog = map(int, parent.stdout.readline().split())
        os.kill(dog, signal.SIGKILL)
        wait_until(lambda: not running(dog))
        parent.stdin.write("\n")
        parent.stdin.flush()
        other = int(parent.stdout.readline())
        assert other != dog
        parent.kill()
        parent.wait()
        wait_until(lambda: not running(child))
        wait_until((tmp_path / "cleaned").exists)


def test_children_carry_the_mark_and_the_watchdog_knows_only_what_is_left(
    start: Callable[..., Child],
) -> None:
    child = start(f"import os; print(os.environ['{TOKEN_VARIABLE}'])")
    wait_until(lambda: not child.alive())
    assert child.log_tail() == watchdog().token
    assert {"group": child.pid} not in watchdog()._entries


def test_a_fork_of_ours_does_not_hold_the_watchdog_back(tmp_path: Path) -> None:
    code = PARENT.replace(
        "print(child.pid",
        "fork = os.fork()\nif fork == 0:\n    time.sleep(300)\nprint(fork, child.pid",
    )
    (tmp_path / "data").mkdir()
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(ROOT), str(tmp_path), FAMILY],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with parent:
        assert parent.stdout is not None
        fork, child, _ = map(int, parent.stdout.readline().split())
        parent.kill()
        parent.wait()
        try:
            wait_until(lambda: not running(child))
            assert running(fork)
        finally:
            os.kill(fork, signal.SIGKILL)


def test_ports_are_free_and_never_the_same_twice() -> None:
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = set()
    for _ in range(50):
        port = free_port()
        with socket.create_server(("127.0.0.1", port)):
            pass  # free as a server takes it: connections that have ended may still linger there
        assert 1024 < port < max(low, 32_768)
        ports.add(port)
    assert len(ports) == 50


def test_a_taken_port_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        monkeypatch.setattr("loadtests.environment.processes.PORTS", range(port, port + 1))
        with pytest.raises(EnvironmentNotReady, match="No free port"):
            free_port()


def test_the_file_limit_is_raised_to_what_is_allowed() -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, hard), hard))
    raise_file_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
