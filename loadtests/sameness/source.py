"""Whole-file comparison of the twins' source: what is left when the awaiting is taken out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

AWAITING = re.compile(r"\b(?:async|await) ")
Replacements = tuple[tuple[str, str], ...]
SEAM: Mapping[str, Replacements] = {
    "__init__.py": (
        (
            "is async: `async def` endpoints on the event loop.",
            "is sync: `def` endpoints in worker threads.",
        ),
        ('NAME = "async"', 'NAME = "sync"'),
    ),
    "database.py": (
        (
            "from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, "
            "create_async_engine\n",
            "from sqlalchemy import create_engine\n"
            "from sqlalchemy.orm import Session, sessionmaker\n",
        ),
        (" = create_async_engine(", " = create_engine("),
        (" = async_sessionmaker(", " = sessionmaker("),
        ("class_=AsyncSession", "class_=Session"),
        ("-> AsyncSession:", "-> Session:"),
    ),
}
"""Per module what the async twin says and what stands for it in the sync one. Each stands there
exactly once; modules that are not named may differ in `async` and `await` only."""


def source_differences(sync: Path, asynchronous: Path) -> list[str]:
    """Every way in which two twins' folders differ beyond the seam; empty when they are the same.

    Raises OSError when a file cannot be read.
    """
    here, there = (_files(folder) for folder in (sync, asynchronous))
    if not here:
        return [f"there is no source in {sync.name}"]
    missing = [
        f"{name} is in {folder.name} only"
        for folder, names in ((sync, here.keys() - there), (asynchronous, there.keys() - here))
        for name in sorted(names)
    ]
    return missing + [
        difference
        for name in sorted(here.keys() & there)
        for difference in text_differences(name, here[name], there[name])
    ]


def text_differences(name: str, here: str, there: str) -> Iterator[str]:
    """How the module `name` differs: seams that are not as they should be, or the first line."""
    for of_async, of_sync in SEAM.get(name, ()):
        if (times := there.count(of_async)) != 1:
            yield f"{name}: {of_async.strip()!r} stands {times} times in the async twin, not once"
        there = there.replace(of_async, of_sync)
    mapped = AWAITING.sub("", there)
    if here == mapped:
        return
    lines = zip_longest(here.splitlines(keepends=True), mapped.splitlines(keepends=True))
    number, (mine, other) = next(
        (number, pair) for number, pair in enumerate(lines, 1) if pair[0] != pair[1]
    )
    yield f"{name}, line {number}: sync has {_shown(mine)}, async has {_shown(other)}"


def _shown(line: str | None) -> str:
    return "nothing" if line is None else repr(line.strip() if line.strip() else line)


def _files(folder: Path) -> dict[str, str]:
    """Every file's text by its path in the folder, line ends as they are; compiled ones aside."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode("utf-8", "backslashreplace")
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
