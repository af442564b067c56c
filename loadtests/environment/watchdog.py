"""Ends what a dead harness left behind; runs as a process of its own, standard library only.

Reads one JSON object a line on stdin; the end of file means that the harness is gone, however it
died. Started as a plain file (`python -I watchdog.py TOKEN PID`), it must import nothing of ours.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TOKEN_VARIABLE = "BENCH_WATCHDOG"
"""Every child carries this variable, so that one which left its process group is found as well."""
PARENT_CHECK_S = 1.0
CLEANUP_LIMIT_S = 60


def main() -> None:
    """Collect what to end until the harness dies, then end it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    clean_up(watch(int(sys.argv[2])), sys.argv[1])


def watch(parent: int) -> list[dict[str, Any]]:
    """What is still registered when the pipe ends (or the parent is gone but its fork holds on)."""
    entries: list[dict[str, Any]] = []
    pending = b""
    while True:
        if not select.select([0], [], [], PARENT_CHECK_S)[0]:
            if os.getppid() != parent:
                break
            continue
        chunk = os.read(0, 65536)
        if not chunk:
            break
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            message = json.loads(line)
            (entries.append if message["add"] else entries.remove)(message["entry"])
    return entries


def clean_up(entries: list[dict[str, Any]], token: str) -> None:
    """Kill groups and marked processes, then run commands, then remove folders."""
    for entry in entries:
        if "group" in entry:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(entry["group"], signal.SIGKILL)
    kill_marked(token)
    for entry in entries:
        if "command" in entry:
            with contextlib.suppress(OSError, subprocess.TimeoutExpired):
                subprocess.run(
                    entry["command"],
                    check=False,
                    timeout=CLEANUP_LIMIT_S,
                    stdin=subprocess.DEVNULL,
                )
    for entry in entries:
        if "folder" in entry:
            shutil.rmtree(entry["folder"], ignore_errors=True)


def kill_marked(token: str) -> None:
    """Kill every process that carries the token, until none is found (Linux only)."""
    for _ in range(50):
        found = list(marked(token))
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def marked(token: str) -> Iterator[int]:
    """Processes whose environment carries the token."""
    needle = f"{TOKEN_VARIABLE}={token}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if needle in (folder / "environ").read_bytes():
                yield int(folder.name)


if __name__ == "__main__":
    main()
