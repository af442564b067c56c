"""Readings of processes and host, against what those processes say of themselves."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadtests.environment import probes
from loadtests.environment.probes import HostProbe, InstanceProbe, Usage, cpu_clock_s

BURN = """
import sys, threading, time
def burn():
    while time.thread_time() < float(sys.argv[1]): pass
thread = threading.Thread(target=burn)
thread.start(); thread.join()
print(time.process_time(), flush=True)
sys.stdin.readline()
"""


@contextmanager
def python(code: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        yield process
        process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_the_cpu_clock_counts_threads_that_have_ended() -> None:
    with python(BURN, "0.2") as process:
        own_s = float(line(process))
        read_s = cpu_clock_s(process.pid)
        assert read_s is not None
        assert read_s >= own_s >= 0.2
        assert read_s - own_s < 0.1
        usage = InstanceProbe(process.pid).read()
        assert usage.cpu_s == pytest.approx(read_s, abs=0.05)
        assert usage.rss_mb is not None
        assert 3 < usage.rss_mb < 100


def test_the_clock_is_finer_than_a_tick() -> None:
    with python(BURN, "0.001") as process:
        line(process)
        read_s = cpu_clock_s(process.pid)
        assert read_s is not None
        assert round(read_s * 1e9) % 10_000_000 != 0


TREE = """
import subprocess, sys, threading, time
threading.Thread(target=time.sleep, args=(300,), daemon=True).start()
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], "0.1"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print("up", flush=True)
sys.stdin.readline()
child.communicate("\\n")
print("alone", flush=True)
sys.stdin.readline()
"""


def test_a_tree_is_summed_and_does_not_lose_a_worker_that_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(probes, "TREE_AGE_LIMIT_S", 0.0)
    with python(TREE, BURN) as process:
        line(process)
        probe = InstanceProbe(process.pid)
        deadline_s = time.monotonic() + 20
        while probe.read().threads != 3:  # a joined thread may take a moment to be gone
            assert time.monotonic() < deadline_s
        both = probe.read()
        assert len(probe.pids) == 2
        assert both.cpu_s is not None
        assert both.cpu_s > 0.1
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert line(process) == "alone\n"
        alone = probe.read()
        assert len(probe.pids) == 1
        assert alone.threads == 2
        assert alone.cpu_s is not None
        assert alone.cpu_s > both.cpu_s - 0.03  # now partly in ticks of 10 ms


def test_what_cannot_be_known_is_none() -> None:
    with python("pass") as process:
        process.wait()
    for probe in (InstanceProbe(None), InstanceProbe(process.pid)):
        assert probe.read() == Usage(None, None, None)
        assert probe.connections_to(3306) in (None, 0)
    assert InstanceProbe(None).connections_to(3306) is None
    assert cpu_clock_s(process.pid) is None


def test_connections_to_a_port_are_counted_as_they_come_and_go() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_server(("127.0.0.1", 0)) as other,
    ):
        port = server.getsockname()[1]
        probe = InstanceProbe(os.getpid())
        assert probe.connections_to(port) == 0
        one = socket.create_connection(("127.0.0.1", port))
        two = socket.create_connection(("127.0.0.1", port))
        elsewhere = socket.create_connection(other.getsockname())
        assert probe.connections_to(port) == 2
        one.close()
        assert probe.connections_to(port) == 1
        two.close()
        elsewhere.close()
        ended = socket.create_connection(("127.0.0.1", port))
        for _ in range(3):
            server.accept()[0].close()
        assert ended.recv(1) == b""
        assert probe.connections_to(port) == 0
        ended.close()
        assert probe.connections_to(port) == 0


def test_the_host_is_read_as_the_kernel_tells() -> None:
    before = HostProbe().read()
    assert before.steal_s is not None
    if Path("/proc/pressure/cpu").exists():
        assert before.pressure_s is not None
        busy_until_s = time.monotonic() + 0.05
        while time.monotonic() < busy_until_s:
            pass
        after = HostProbe().read()
        assert after.pressure_s is not None
        assert after.pressure_s >= before.pressure_s > 0
        assert after.pressure_s - before.pressure_s < 10
