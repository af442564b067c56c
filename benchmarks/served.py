"""What benchmarks load: processes of uvicorn on the apps' core, started, awaited and ended."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from loadtests.environment.probes import cpu_clock_s
from loadtests.environment.processes import free_port

ROOT = Path(__file__).parents[1]
GENERATOR_CORE, APP_CORE = 0, 1
READY_LIMIT_S = 240.0
END_LIMIT_S = 40.0
"""More than uvicorn waits for requests in flight."""


@dataclass(frozen=True, slots=True)
class Served:
    """A running process, and how to reach it."""

    url: str
    child: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Of the process that answers."""
        return self.child.pid

    def cpu_s(self) -> float:
        """Processor time used so far, to the nanosecond. Raises RuntimeError when it has ended."""
        return used_s(self.pid)

    def await_ready(self) -> None:
        """Return once it says it is ready. Raises SystemExit when it ends or takes too long."""
        until_s = time.monotonic() + READY_LIMIT_S
        while time.monotonic() < until_s and self.child.poll() is None:
            try:
                if httpx.get(f"{self.url}/ready", timeout=10).status_code == 200:
                    return
            except httpx.HTTPError:
                pass  # not listening yet
            time.sleep(0.1)
        raise SystemExit(f"{self.url} was not ready within {READY_LIMIT_S:g} s; see its log above.")


def used_s(pid: int) -> float:
    """Processor time of a process, ended threads included. Raises RuntimeError without one."""
    clock_s = cpu_clock_s(pid)
    if clock_s is None:
        raise RuntimeError(f"Process {pid} has ended: what it used is not known.")
    return clock_s


def pin(core: int) -> list[str]:
    """A command's prefix that pins it to a core, where there are several."""
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 else []


@contextmanager
def served(
    target: str, environment: Mapping[str, str], prefix: Sequence[str] = ()
) -> Iterator[Served]:
    """What uvicorn finds at `target`, on the apps' core; not awaited. `prefix`: a command it is
    started by, which must become it (`setarch`). Ended with the block."""
    port = free_port()
    command = [
        *pin(APP_CORE), *prefix, sys.executable, "-m", "uvicorn", target, "--host", "127.0.0.1",
        "--port", str(port), "--workers", "1", "--loop", "uvloop", "--http", "httptools",
        "--no-access-log", "--log-level", "warning", "--timeout-keep-alive", "3600",
        "--backlog", "2048", "--no-server-header", "--lifespan", "on",
        "--timeout-graceful-shutdown", "30",
    ]  # fmt: skip
    child = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment})
    try:
        yield Served(f"http://127.0.0.1:{port}", child)
    finally:
        child.terminate()
        child.wait(END_LIMIT_S)
