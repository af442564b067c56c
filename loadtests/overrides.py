"""What is typed or set beside a spec file (`--set`, `--seed`, BENCH_DATABASE_URL), put into it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.errors import SpecError

DATABASE_VARIABLE = "BENCH_DATABASE_URL"

Place = tuple[str | int, ...]
Origins = dict[Place, str]
"""Where a value came from that the file does not have: place in the spec to what was typed.

Without the values themselves, which may be secrets.
"""


def apply_overrides(
    data: dict[str, Any],
    overrides: Sequence[str],
    seed: int | None,
    environ: Mapping[str, str],
) -> Origins:
    """Change `data` (the spec as parsed, `run` a table, `arm` and `scenario` lists of tables).

    Raises SpecError for an override that has no place.
    """
    origins: Origins = {}
    for override in overrides:
        place, label = _apply(data, override)
        origins[place] = label
    run = data.setdefault("run", {})
    if not isinstance(run, dict):
        return origins  # `--set run=3`: refused with the spec
    if seed is not None:
        run["seed"] = seed
        origins["run", "seed"] = f"--seed {seed}"
    if (url := environ.get(DATABASE_VARIABLE)) and run.get("database", "auto") == "auto":
        run["database"] = url
        origins["run", "database"] = DATABASE_VARIABLE
    return origins


def key_of(override: str) -> str:
    """The key of a `KEY=VALUE`."""
    return override.partition("=")[0]


def origin_of(place: Sequence[str | int], origins: Origins) -> str | None:
    """Who set the value at `place` or around it; None when the file did."""
    whole = tuple(place)
    return next(
        (origins[whole[:end]] for end in range(len(whole), 0, -1) if whole[:end] in origins), None
    )


def origins_within(place: Sequence[str | int], origins: Origins) -> list[str]:
    """Who set values below `place`."""
    whole = tuple(place)
    return [
        label for at, label in origins.items() if len(at) > len(whole) and at[: len(whole)] == whole
    ]


def _apply(data: dict[str, Any], override: str) -> tuple[Place, str]:
    key, equals, raw = override.partition("=")
    label = f"--set {key}"
    if not equals or not key:
        raise SpecError(f"{label}: expected KEY=VALUE.", hint="Example: --set run.block_s=0.5")
    *parents, last = key.split(".")
    node: Any = data
    place: list[str | int] = []
    for part in parents:
        node, step = _descend(node, part, label)
        place.append(step)
    if not isinstance(node, dict):
        raise SpecError(f"{label}: {'.'.join(parents)} is not a table.")
    node[last] = _value(raw)
    return (*place, last), label


def _value(raw: str) -> Any:
    """As TOML has it; what is no TOML is a text."""
    try:
        return tomllib.loads(f"value = {raw}")["value"]
    except tomllib.TOMLDecodeError:
        return raw


def _descend(node: Any, part: str, label: str) -> tuple[Any, str | int]:
    """What is called `part` below `node`, and the step there."""
    if isinstance(node, list):
        names = [entry.get("name") if isinstance(entry, dict) else None for entry in node]
        for index, name in enumerate(names):
            if part in (name, str(index)):
                return node[index], index
        known = ", ".join(map(str, names))
        raise SpecError(f"{label}: nothing is called {part!r} (there are {known}).")
    if not isinstance(node, dict):
        raise SpecError(f"{label}: {part!r} has nothing below it.")
    return node.setdefault(part, {}), part
