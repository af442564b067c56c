"""The run's record: one JSON object a line, appended and synced, sealed after a torn write."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loadtests.errors import StorageError


class Journal:
    """Append-only JSON lines. Each line is on the disk before `write` returns.

    Raises StorageError when the disk is full or the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            self._seal()
        except OSError as error:
            raise storage_error(path, error) from error

    def _seal(self) -> None:
        """End a line that a crash left torn, or the next record would be lost with it."""
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            os.write(self._fd, b"\n")

    def write(self, event: str, **fields: Any) -> None:
        """Append one event."""
        line = json.dumps({"event": event, **fields}, ensure_ascii=False, allow_nan=False) + "\n"
        try:
            write_fully(self._fd, line.encode())
            os.fdatasync(self._fd)
        except OSError as error:
            raise storage_error(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def write_fully(fd: int, data: bytes) -> None:
    """`os.write` until all is written: a short write comes before "disk full"."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def read_journal(path: Path) -> Iterator[dict[str, Any]]:
    """The events of a journal, oldest first; lines torn by a crash are passed over."""
    yield from read_counting(path)[0]


def read_counting(path: Path) -> tuple[list[dict[str, Any]], int]:
    """The same, and how many lines are unreadable. Raises StorageError."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise storage_error(path, error) from error
    events = [event for line in lines if (event := _event(line)) is not None]
    return events, sum(1 for line in lines if line.strip()) - len(events)


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def storage_error(path: Path, error: OSError) -> StorageError:
    """The BenchError for a failed write or read."""
    return StorageError(
        f"{path}: {error.strerror or error}.",
        hint="Free some space or choose another folder with --out; what was written is kept.",
    )
