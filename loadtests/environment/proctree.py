"""Who belongs to a process: its descendants and their threads, read from /proc."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil


def threads_of(pid: int) -> list[int]:
    """Thread ids of a process; empty when it is gone or the system has no /proc."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except OSError:
        return []


def children_of(pid: int) -> list[int]:
    """Processes started by any thread of this one."""
    children: list[int] = []
    for tid in threads_of(pid):
        with contextlib.suppress(OSError):
            children += map(int, Path(f"/proc/{pid}/task/{tid}/children").read_bytes().split())
    return children


def process_tree(pid: int) -> list[int]:
    """The process and all its descendants, itself first."""
    tree = [pid]
    for member in tree:  # grows while it is walked
        tree += children_of(member)
    return tree


def listens(pid: int, port: int) -> bool:
    """Whether the process or a descendant listens on a TCP port, as far as we may see."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for member in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                for socket in member.net_connections(kind="tcp"):
                    if socket.status == psutil.CONN_LISTEN and socket.laddr.port == port:
                        return True
    return False
