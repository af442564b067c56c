"""Writes `index.html` of a results folder, and knows where there may be one."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from urllib.parse import quote

from loadtests.errors import StorageError
from loadtests.store import RESULTS
from reports.index.entries import Entry, entries
from reports.page import Page, render_page
from reports.write import write_whole

INDEX = "index.html"
MARK = "sync-async-bench-results"
"""Stands in the page, so that no other program's index is ever written over."""


def is_listed(results: Path) -> bool:
    """Whether the folders in `results` are to be listed there: it is called as the program calls
    its own, or has our index already; and no other program's."""
    index = results / INDEX
    try:
        if index.exists():
            return MARK.encode() in index.read_bytes()
    except OSError:
        return False
    return results.name == RESULTS


def write_index(results: Path) -> None:
    """Rewrite the list of everything in `results`. Raises StorageError."""
    try:
        found = entries(results)
    except OSError as error:
        raise StorageError(f"{results} cannot be listed: {error.strerror or error}.") from error
    write_whole(results / INDEX, render_index(found).encode())


def render_index(found: list[Entry]) -> str:
    """The whole page; everything that came from a folder is escaped."""
    return render_page(
        "index.html.j2",
        Page(
            title="Results",
            overline=("bench",),
            data_name="index.json",
            data={"results": [asdict(each) for each in found]},
        ),
        entries=found,
        mark=MARK,
        link=_link,
    )


def _link(entry: Entry) -> str:
    """The page of an entry, as an address relative to the index, whatever the folder is called."""
    return f"./{quote(os.fsencode(entry.folder))}/{entry.page}"
