"""The built-in users under plain Locust, from its own command."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from loadtests.scenarios.catalogue import BUILT_IN, CRUD_MIX
from tests.support.known_server import KnownServer, known_server


@pytest.fixture(scope="module")
def server() -> Iterator[KnownServer]:
    with known_server() as running:
        yield running


LOCUST = [sys.executable, "-m", "locust", "-f", "loadtests/locustfile.py"]


def test_plain_locust_runs_the_built_in_users(server, tmp_path) -> None:
    server.log.clear()
    options = ["--headless", "-u", "3", "-r", "3", "-t", "2s", "--stop-timeout", "2", "--json"]
    done = subprocess.run(
        [*LOCUST, "CrudMixUser", "--host", server.url, *options],
        capture_output=True,
        text=True,
        check=False,
    )
    entries = json.loads(done.stdout)
    assert {entry["name"] for entry in entries} <= {entry.name for entry in CRUD_MIX.request}
    assert sum(entry["num_requests"] for entry in entries) == len(server.log) >= 3
    assert sum(entry["num_failures"] for entry in entries) == 0


def test_plain_locust_knows_a_class_for_each_built_in_scenario() -> None:
    done = subprocess.run([*LOCUST, "--list"], capture_output=True, text=True, check=True)
    wanted = {f"{name.replace('-', ' ').title().replace(' ', '')}User" for name in BUILT_IN}
    assert set(done.stdout.split()) >= wanted
    assert "ReadLargePageUser" in wanted


def test_locusts_web_page_listens_on_loopback_only(server) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    process = subprocess.Popen(
        [*LOCUST, "--host", server.url, "--web-port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        listening: set[str] = set()
        while not listening and time.monotonic() < deadline:
            time.sleep(0.1)
            listening = {
                entry.laddr.ip
                for entry in psutil.Process(process.pid).net_connections("tcp")
                if entry.status == psutil.CONN_LISTEN
            }
        assert listening == {"127.0.0.1"}
    finally:
        process.terminate()
        process.wait(10)
