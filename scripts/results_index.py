"""Keeps the list of a results folder up to date, whatever has just been reported in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from loadtests.errors import StorageError
from reports.index.write import is_listed, write_index


def relist(folder: Path, say: Callable[[str], None]) -> None:
    """Rewrite the `index.html` beside `folder`, where there is to be one (`is_listed`). What stands
    in the way is said, and is nothing that a run would fail for."""
    results = folder.resolve().parent
    if not is_listed(results):
        return
    try:
        write_index(results)
    except StorageError as error:
        say(f"Note: the list of results was not rewritten. {error.message}")
