"""`bench` as a person and a script use it: typed in a process of its own, or in this one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.terminal import hang_ups_count

BENCH = Path(sys.executable).with_name("bench")
SHORT = ["--set", "run.instances=1", "--set", "run.block_s=0.5"]


def bench(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BENCH, *words],
        capture_output=True,
        text=True,
        timeout=200,
        env=os.environ | {"NO_COLOR": "1"} | environ,
        check=False,
    )


def marked(mark: str) -> set[int]:
    """Processes that have this test's mark in their environment, as everything it starts has."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (folder / "environ").read_bytes():
                found.add(int(folder.name))
    return found - {os.getpid()}


@contextmanager
def started(
    *words: str | Path, cwd: Path | None = None, **environ: str
) -> Iterator[subprocess.Popen[str]]:
    """`bench …` in the background, ended and waited for whatever happens."""
    with hang_ups_count():
        process = subprocess.Popen(
            [BENCH, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environ,
            cwd=cwd,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def until_journal_has(words: str, folder: Path, process: subprocess.Popen[str]) -> None:
    deadline_s = time.monotonic() + 120
    journal = folder / "journal.jsonl"
    while not (journal.exists() and words in journal.read_text()):
        assert process.poll() is None, "it ended before"
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
