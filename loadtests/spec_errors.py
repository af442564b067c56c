"""What is wrong with a spec, in words: which file and line or override, which key, what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from loadtests.overrides import Origins, origin_of, origins_within

UNION_BRANCHES = ("literal['auto']", "constrained-int")
"""What pydantic adds to an error's location for the branches of "auto" or a count."""


@dataclass(frozen=True, slots=True)
class Told:
    """A spec's text and file, and what was told beside it: who is to blame for a problem."""

    text: str
    path: Path
    origins: Origins

    def blame(self, place: Sequence[str | int]) -> str:
        """`file:line`, `--set KEY` or the variable that the value at `place` came from."""
        if origin := origin_of(place, self.origins):
            return origin
        line = line_of(self.text, place)
        where = f"{self.path}:{line}" if line else f"{self.path}"
        beside = origins_within(place, self.origins)
        return f"{where} (with {', '.join(beside)})" if beside else where


def explain(error: ValidationError, data: dict[str, Any], told: Told) -> str:
    """One line per problem: file and line (or what was typed), key, what is wrong."""
    lines = []
    for problem in _worth_telling(error):
        location = [part for part in problem["loc"] if part not in UNION_BRANCHES]
        message = {
            "extra_forbidden": "unknown key",
            "missing": "missing",
            "too_short": "at least one is needed",
        }.get(problem["type"], problem["msg"].removeprefix("Value error, "))
        lines.append(f"{told.blame(location)}: {_dotted(location, data)}: {message}")
    return "\n".join(dict.fromkeys(lines))


def _worth_telling(error: ValidationError) -> list[ErrorDetails]:
    """Without what pydantic adds: a union's other branch, "too short" for wrong entries."""
    problems = error.errors()
    wrong_entries = {
        problem["loc"][:end] for problem in problems for end in range(1, len(problem["loc"]))
    }
    return [
        problem
        for problem in problems
        if problem["loc"][-1:] != (UNION_BRANCHES[0],)
        and not (problem["type"] == "too_short" and problem["loc"] in wrong_entries)
    ]


def _dotted(location: Sequence[str | int], data: Any) -> str:
    """`('arm', 1, 'workers')` as `arm "async" workers`."""
    words: list[str] = []
    node = data
    for part in location:
        try:
            node = node[part]
        except (KeyError, IndexError, TypeError):
            node = None
        if isinstance(part, int):
            name = node.get("name") if isinstance(node, dict) else None
            words.append(f'"{name}"' if name else f"#{part + 1}")
        else:
            words.append(str(part))
    return " ".join(words) or "spec"


def line_of(text: str, location: Sequence[str | int]) -> int | None:
    """The line (from 1) of the key at `location`, as far as a plain scan of the text can tell.

    `location` is like pydantic's: `("arm", 1, "workers")`. Falls back to the table's header.
    """
    names = [str(part) for part in location if isinstance(part, str)]
    indexes = [part for part in location if isinstance(part, int)]
    best: int | None = None
    for number, table, positions, stripped in _lines_with_tables(text):
        if table != names[: len(table)] or positions != indexes[: len(positions)]:
            continue
        rest = names[len(table) :]
        if stripped.startswith("["):
            best = number
        elif rest and stripped.partition("=")[0].strip().split(".")[0] == rest[0]:
            return number
    return best


def _lines_with_tables(text: str) -> Iterator[tuple[int, list[str], list[int], str]]:
    """Each line with the table it stands in and the positions of the arrays of tables above it."""
    table: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            header = stripped.split("]")[0].strip("[ ")
            table = header.split(".")
            if stripped.startswith("[["):
                seen[header] = seen.get(header, -1) + 1
                seen = {key: at for key, at in seen.items() if not key.startswith(f"{header}.")}
        prefixes = (".".join(table[: depth + 1]) for depth in range(len(table)))
        yield number, table, [seen[prefix] for prefix in prefixes if prefix in seen], stripped


def wrong_name(named: Sequence[str], known: Sequence[str]) -> str | None:
    """What is wrong with a list of arms' names; None when nothing is."""
    for name in named:
        if name not in known:
            return f"no arm is called {name!r} (there are {', '.join(known)})"
        if named.count(name) > 1:
            return f"arm {name!r} is named twice"
    return None
