"""Child processes that cannot outlive us: own group, own cores, a log file, and a watchdog."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loadtests.environment.proctree import process_tree, threads_of
from loadtests.environment.watchdog import TOKEN_VARIABLE
from loadtests.errors import EnvironmentNotReady

WATCHDOG_FILE = Path(__file__).with_name("watchdog.py")
POLL_S = 0.02
PORTS = range(20_000, 32_768)
"""Below Linux's range for outgoing connections, so that none of those takes a port we picked."""


class Watchdog:
    """A process that ends what we registered once we are gone, even by `kill -9`.

    It waits for the end of a pipe whose only other end is ours.
    """

    def __init__(self) -> None:
        self.token = secrets.token_hex(8)
        self._entries: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._process = self._start()
        os.register_at_fork(after_in_child=self._forget_in_fork)
        atexit.register(self.close)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(WATCHDOG_FILE), self.token, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd="/",
            bufsize=0,
        )

    def _forget_in_fork(self) -> None:
        """A fork of ours must not hold the pipe open, nor end our children when it exits."""
        atexit.unregister(self.close)
        self._process.returncode = 0
        if self._process.stdin is not None:
            self._process.stdin.close()

    def add(self, **entry: Any) -> dict[str, Any]:
        """Register `group=<id>`, `command=[…]` or `folder=<path>`; give the result to `remove`."""
        with self._lock:
            self._entries.append(entry)
            self._send({"add": True, "entry": entry})
        return entry

    def remove(self, entry: dict[str, Any]) -> None:
        """Forget an entry: it has ended or been cleaned up the ordinary way."""
        with self._lock:
            if entry in self._entries:
                self._entries.remove(entry)
                self._send({"add": False, "entry": entry})

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
        except BrokenPipeError:  # somebody killed the watchdog: start another, with all it knew
            self._process.wait()
            self._process = self._start()
            assert self._process.stdin is not None
            for entry in self._entries:
                line = json.dumps({"add": True, "entry": entry}).encode() + b"\n"
                self._process.stdin.write(line)

    def close(self) -> None:
        """End the watchdog; what is still registered is ended by it."""
        if self._process.returncode is None and self._process.stdin is not None:
            self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=30)


_watchdogs: dict[int, Watchdog] = {}


def watchdog() -> Watchdog:
    """This process's watchdog, started when first needed."""
    if os.getpid() not in _watchdogs:
        _watchdogs.clear()
        _watchdogs[os.getpid()] = Watchdog()
    return _watchdogs[os.getpid()]


class Child:
    """A running child: the leader of its own process group."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log_path: Path) -> None:
        self.name = name
        self.pid = process.pid
        self.log_path = log_path
        self.started_s = time.monotonic()
        self._process = process
        self._entry = watchdog().add(group=process.pid)

    @property
    def returncode(self) -> int | None:
        """Its exit status (negative: the signal that ended it); None while it lives."""
        return self._process.returncode

    def alive(self) -> bool:
        """Whether it still runs. One that has ended takes the rest of its group with it."""
        if self._process.returncode is None and self._process.poll() is not None:
            self._bury()
        return self._process.returncode is None

    def stop(self, grace_s: float = 5.0) -> None:
        """TERM to the group, then KILL once `grace_s` is over; returns when it is gone."""
        stop_all([self], grace_s)

    def terminate(self) -> None:
        """Ask the group to end (SIGTERM)."""
        if self.alive():
            self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the group (SIGKILL) and wait for it."""
        if self.alive():
            self._signal(signal.SIGKILL)
            self._process.wait()
            self._bury()

    def pin(self, cores: Sequence[int]) -> None:
        """Confine all its processes and threads to these cores (nothing where that is unknown)."""
        if not cores or not hasattr(os, "sched_setaffinity"):
            return
        pinned: set[int] = set()
        while new := {tid for pid in process_tree(self.pid) for tid in threads_of(pid)} - pinned:
            for tid in new:  # again until no thread is new: an unpinned one may have started more
                with contextlib.suppress(ProcessLookupError):
                    os.sched_setaffinity(tid, cores)
            pinned |= new

    def log_tail(self, lines: int = 20) -> str:
        """The last lines it wrote."""
        return tail(self.log_path, lines)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    def _bury(self) -> None:
        self._signal(signal.SIGKILL)
        watchdog().remove(self._entry)


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    cores: Sequence[int] | None = None,
    log_path: Path,
    name: str,
    stdin: Path | None = None,
) -> Child:
    """Start an ordinary child whose output goes to `log_path`; it dies with us.

    `env` is its whole environment; it reads from the file `stdin`, or from nothing. Raises
    EnvironmentNotReady when it cannot be started.
    """
    environment = {**env, TOKEN_VARIABLE: watchdog().token}
    try:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with (
            log_path.open("ab") as log,
            (stdin or Path(os.devnull)).open("rb") as source,
            on_cores(cores),
        ):
            process = subprocess.Popen(
                argv,
                env=environment,
                cwd=cwd,
                stdin=source,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except OSError as error:
        raise EnvironmentNotReady(
            f"{name}: {argv[0]} could not be started: {error.strerror or error}.",
            hint="Check the command, its path and the folder it runs in.",
        ) from error
    return Child(name, process, log_path)


def stop_all(children: Sequence[Child], grace_s: float = 5.0) -> None:
    """Stop many at once: TERM to all, one common grace period, then KILL."""
    for child in children:
        child.terminate()
    deadline_s = time.monotonic() + grace_s
    while time.monotonic() < deadline_s and any(child.alive() for child in children):
        time.sleep(POLL_S)
    for child in children:
        child.kill()


@contextlib.contextmanager
def on_cores(cores: Sequence[int] | None) -> Iterator[None]:
    """This thread on these cores within the block; what it starts there inherits them."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on; never the same twice in this process.

    Raises EnvironmentNotReady when none is left.
    """
    for port in random.sample(PORTS, len(PORTS)):
        if port in _given_ports:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given_ports.add(port)
        return port
    raise EnvironmentNotReady(f"No free port between {PORTS.start} and {PORTS.stop - 1}.")


_given_ports: set[int] = set()


def raise_file_limit() -> None:
    """Let this process and its children open as many files as the system allows."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != hard:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def tail(path: Path, lines: int) -> str:
    """The last lines of a text file; empty when there is none."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return "".join(deque(file, maxlen=lines)).rstrip()
    except OSError:
        return ""
