"""How exactly the relay keeps a distance, and what it costs: round trips to a real database with
and without it, in turn.

    .venv/bin/python -m benchmarks.relay.measure [--pairs 6] [--block 0.5]

Client on the apps' core, database and relay on the other, as in a run. Writes results.json and
README.md beside this file. Needs two cores, Linux and a MySQL or MariaDB server program.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pymysql

from benchmarks.relay.report import write_report
from loadtests.environment.database import open_database
from loadtests.environment.machine import host_facts, usable_cores
from loadtests.environment.mysql import Address
from loadtests.environment.placement import Placement, choose_placement
from loadtests.environment.probes import cpu_clock_s
from loadtests.environment.processes import free_port
from loadtests.environment.relay import running_relay
from loadtests.environment.topology import cores_of
from loadtests.errors import EnvironmentNotReady
from loadtests.priority import GENERATOR, ahead_of_others
from loadtests.spec import RunSpec
from loadtests.timerfd import TimerFd

HERE = Path(__file__).parent
ASKED_MS = (0.5, 1.0, 2.0, 5.0)
RATES_PER_S = (200, 1_000, 2_000)
CONNECTIONS = 24
PING = b"\x01\x00\x00\x00\x0e"
"""A COM_PING packet: length 1, sequence 0, command 14."""
ANSWER_BYTES = 256
WARM_UP_S = 0.3
LIMIT_S = 10.0


def main() -> None:
    """Measure everything and write it down."""
    options = _options()
    placement = choose_placement(cores_of(usable_cores())).with_relay()
    results: dict[str, Any] = {
        "host": {key: host_facts()[key] for key in ("cpu", "kernel", "cores", "virtual")},
        "load_1min_before": round(os.getloadavg()[0], 2),
        "pairs": options.pairs,
        "block_s": options.block,
        "connections": CONNECTIONS,
        "cells": [],
        "told": {},
    }
    with tempfile.TemporaryDirectory() as folder, _database(placement, Path(folder)) as address:
        os.sched_setaffinity(0, set(placement.apps))
        for asked_ms in ASKED_MS:
            for name, start in (("relay", _relay), ("naive asyncio proxy", _naive)):
                with start(address, asked_ms, placement, Path(folder), results) as (port, pid):
                    results["cells"] += _cells(name, asked_ms, address, port, pid, options)
    results["load_1min_after"] = round(os.getloadavg()[0], 2)
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    write_report(results, HERE / "README.md")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pairs", type=int, default=6)
    parser.add_argument("--block", type=float, default=0.5)
    return parser.parse_args()


@contextmanager
def _database(placement: Placement, folder: Path) -> Iterator[Address]:
    with open_database(
        RunSpec(database="local", durability="relaxed"),
        connections_needed=4 * CONNECTIONS,
        placement=placement,
        log_folder=folder,
    ) as database:
        yield database.address


@contextmanager
def _relay(
    address: Address, rtt_ms: float, placement: Placement, folder: Path, results: dict[str, Any]
) -> Iterator[tuple[int, int]]:
    """The relay's port and process; what it says of itself goes into the results."""
    with running_relay(address, rtt_ms, cores=placement.relay, log_folder=folder) as relay:
        results["real_time"] = relay.real_time
        yield relay.port, relay.child.pid
    results["told"][f"{rtt_ms:g}"] = relay.told()


@contextmanager
def _naive(
    address: Address, rtt_ms: float, placement: Placement, _folder: Path, _: dict[str, Any]
) -> Iterator[tuple[int, int]]:
    port = free_port()
    words = [str(port), str(address.port), str(rtt_ms / 2e3)]
    process = subprocess.Popen(
        [sys.executable, str(HERE / "naive_proxy.py"), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            os.sched_setaffinity(process.pid, set(placement.relay))
            yield port, process.pid
        finally:
            process.kill()


def _cells(
    name: str,
    asked_ms: float,
    address: Address,
    port: int,
    pid: int,
    options: argparse.Namespace,
) -> list[dict[str, Any]]:
    """One distance at every rate, with and without the relay in turn."""
    with ExitStack() as stack:
        direct = [stack.enter_context(_connection(address, address.port)) for _ in _many()]
        relayed = [stack.enter_context(_connection(address, port)) for _ in _many()]
        stack.enter_context(ahead_of_others(GENERATOR))  # others' work must not delay the client
        _block_ms(relayed, 1_000, WARM_UP_S)
        return [_cell(name, asked_ms, rate, direct, relayed, pid, options) for rate in RATES_PER_S]


def _many() -> range:
    return range(CONNECTIONS)


def _cell(
    name: str,
    asked_ms: float,
    rate_per_s: int,
    direct: list[socket.socket],
    relayed: list[socket.socket],
    pid: int,
    options: argparse.Namespace,
) -> dict[str, Any]:
    without, added, cpu_s = [], [], 0.0
    for _ in range(options.pairs):
        near_ms = _block_ms(direct, rate_per_s, options.block)
        before_s = cpu_clock_s(pid) or 0.0
        far_ms = _block_ms(relayed, rate_per_s, options.block)
        cpu_s += (cpu_clock_s(pid) or 0.0) - before_s
        without.append(near_ms)
        added.append(far_ms - np.median(near_ms))
    all_added, all_without = np.concatenate(added), np.concatenate(without)
    count = len(all_added)
    return {
        "relay": name,
        "asked_ms": asked_ms,
        "rate_per_s": rate_per_s,
        "round_trips": count,
        "reached_per_s": round(count / (options.pairs * options.block), 1),
        "direct_ms": _percentiles(all_without),
        "added_ms": _percentiles(all_added),
        "added_p50_of_pairs_ms": [round(float(np.median(each)), 4) for each in added],
        "cpu_us_per_round_trip": round(1e6 * cpu_s / count, 1),
    }


def _percentiles(values_ms: np.ndarray) -> dict[str, float]:
    found = np.percentile(values_ms, (50, 99), method="inverted_cdf")
    return {"p50": round(float(found[0]), 4), "p99": round(float(found[1]), 4)}


@contextmanager
def _connection(address: Address, port: int) -> Iterator[socket.socket]:
    """A logged-in connection's socket: PyMySQL greets, then packets are written by hand."""
    connection = pymysql.connect(
        host=address.host, port=port, user=address.user, password=address.password
    )
    with closing(connection):
        yield connection._sock


def _block_ms(sockets: list[socket.socket], rate_per_s: int, block_s: float) -> np.ndarray:
    """Round trips in ms: pings at a fixed rate, each on the connection that is free longest."""
    with closing(select.epoll()) as poller, closing(TimerFd()) as timer:
        poller.register(timer.fd, select.EPOLLIN | select.EPOLLET)
        for sock in sockets:
            poller.register(sock, select.EPOLLIN)
        return np.array(_answers_ns(sockets, poller, timer, rate_per_s, block_s)) / 1e6


def _answers_ns(
    sockets: list[socket.socket],
    poller: select.epoll,
    timer: TimerFd,
    rate_per_s: int,
    block_s: float,
) -> list[int]:
    """How long each answer took. The waking of this process is part of it, with and without.

    Raises EnvironmentNotReady when answers fail to come.
    """
    free, by_fd = deque(sockets), {sock.fileno(): sock for sock in sockets}
    sent_ns: dict[int, int] = {}
    answers_ns: list[int] = []
    due_ns, step_ns = time.monotonic_ns(), round(1e9 / rate_per_s)
    end_ns = due_ns + round(block_s * 1e9)
    while due_ns < end_ns or sent_ns:
        while free and due_ns <= time.monotonic_ns() and due_ns < end_ns:
            sock = free.popleft()
            sent_ns[sock.fileno()] = time.monotonic_ns()
            sock.send(PING)
            due_ns += step_ns
        if free and due_ns < end_ns:
            timer.set(due_ns)
        if not (events := poller.poll(LIMIT_S)):
            raise EnvironmentNotReady(f"{len(sent_ns)} pings had no answer within {LIMIT_S:g} s.")
        for fd, _ in events:
            if (answered := by_fd.get(fd)) is not None:
                if not answered.recv(ANSWER_BYTES):
                    raise EnvironmentNotReady("The way to the database was closed meanwhile.")
                answers_ns.append(time.monotonic_ns() - sent_ns.pop(fd))
                free.append(answered)
    return answers_ns


if __name__ == "__main__":
    main()
