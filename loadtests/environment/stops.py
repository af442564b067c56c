"""Sees processes that are stopped while a trial runs (SIGSTOP, a debugger), whoever stops them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

from loadtests.testbed import Stop

LOOK_EVERY_S = 0.05
"""A look costs one read of a file in /proc per process: 4 to 5 µs (p99 8 to 20) in a tight loop, on
two cores at a load average of 8."""
STOPPED = (b"T", b"t")
"""States of proc_pid_stat(5): stopped by a signal, or by a debugger."""
LONGEST_STAT_BYTES = 128


@contextmanager
def watching(processes: Mapping[int, str]) -> Iterator[list[Stop]]:
    """Within the block, look at the processes (id to name) again and again.

    When it ends the list holds those that were seen stopped, each with how long in all, to within
    LOOK_EVERY_S. Nothing is seen on systems without /proc.
    """
    found: list[Stop] = []
    with ExitStack() as stack:
        files = {}
        for pid, name in processes.items():
            with suppress(OSError):
                descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
                stack.callback(os.close, descriptor)
                files[descriptor] = name
        ended, looks = threading.Event(), _Looks(files)
        thread = threading.Thread(target=looks.run, args=(ended,), name="stops", daemon=True)
        thread.start()
        try:
            yield found
        finally:
            ended.set()
            thread.join()
            found += [Stop(name, seconds) for name, seconds in looks.stopped_s.items()]


class _Looks:
    """The looking itself, in a thread of its own."""

    def __init__(self, files: Mapping[int, str]) -> None:
        self._files = files
        self.stopped_s: dict[str, float] = {}
        """How long each name was seen stopped."""

    def run(self, ended: threading.Event) -> None:
        """Look until `ended`; the time since the look before is the length of what is seen."""
        before_s = time.monotonic()
        while not ended.wait(LOOK_EVERY_S):
            now_s = time.monotonic()
            for name in {name for file, name in self._files.items() if _is_stopped(file)}:
                self.stopped_s[name] = self.stopped_s.get(name, 0.0) + now_s - before_s
            before_s = now_s


def _is_stopped(descriptor: int) -> bool:
    """Whether the process of an open /proc/PID/stat is stopped; one that has ended is not."""
    try:
        line = os.pread(descriptor, LONGEST_STAT_BYTES, 0)
    except OSError:
        return False
    return line.rpartition(b") ")[2][:1] in STOPPED
