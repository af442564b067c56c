"""The only reader of specs: TOML file or built-in profile, overrides, checks; frozen models out."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from loadtests.arm import ASYNC_DRIVERS, DRIVERS, TWINS, Arm
from loadtests.errors import SpecError
from loadtests.overrides import apply_overrides
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.spec_errors import Told, explain
from loadtests.spec_model import RunSpec, Spec

__all__ = [
    "ASYNC_DRIVERS",
    "DRIVERS",
    "PROFILES_DIR",
    "TWINS",
    "Arm",
    "RunSpec",
    "Spec",
    "load_spec",
    "profile_names",
]

PROFILES_DIR = Path(__file__).parent / "profiles"
HOW_TO_WRITE = "docs/spec.md shows a whole spec; bench run smoke needs none."


def profile_names() -> list[str]:
    """Names of the built-in profiles."""
    return sorted(path.stem for path in PROFILES_DIR.glob("*.toml"))


def load_spec(
    source: str = "quick",
    *,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Spec:
    """Read a TOML file or a built-in profile and check it.

    `overrides` are `KEY=VALUE` with dotted keys (`run.block_s=0.5`, `arm.sync.pool_size=20`); they
    win over the file. `BENCH_DATABASE_URL` in `environ` replaces `database = "auto"`.
    Raises SpecError, which names file, key and line.
    """
    path = _find(source)
    text = _read_text(path)
    data = _parse(text, path)
    _check_tables(data, Told(text, path, {}))
    origins = apply_overrides(data, overrides, seed, environ)
    return _validated(data, Told(text, path, origins), source)


def _find(source: str) -> Path:
    path = Path(source)
    if path.is_file():
        return path
    profile = PROFILES_DIR / f"{source}.toml"
    if profile.is_file():
        return profile
    names = profile_names()
    meant = difflib.get_close_matches(source, names, n=1)
    raise SpecError(
        f"There is no spec file or built-in profile called {source!r}.",
        hint=(f"Did you mean {meant[0]}? " if meant else "")
        + f"Built-in profiles: {', '.join(names)}. See bench run --help.",
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"{path}: cannot be read as UTF-8 text ({error}).", hint=HOW_TO_WRITE
        ) from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: not valid TOML: {error}.", hint=HOW_TO_WRITE) from error


def _validated(data: dict[str, Any], told: Told, source: str) -> Spec:
    path = told.path
    for reserved in ("source", "folder"):
        if reserved in data:
            raise SpecError(f"{told.blame((reserved,))}: unknown key {reserved!r}.")
    _check_tables(data, told)
    data["scenario"] = [
        _with_built_in(entry, told.blame(("scenario", index, "name")))
        for index, entry in enumerate(data.get("scenario", []))
    ]
    try:
        spec = Spec.model_validate({**data, "source": source, "folder": str(path.parent)})
    except ValidationError as error:
        raise SpecError(
            explain(error, data, told), hint="See docs/spec.md for every key."
        ) from error
    _check_paths(spec, path)
    return spec


def _check_tables(data: dict[str, Any], told: Told) -> None:
    """Raise SpecError unless the four kinds of tables are written as such."""
    for key in ("run", "tune"):
        if not isinstance(data.get(key, {}), dict):
            raise SpecError(f"{told.blame((key, 0))}: {key} must be written as one [{key}] table.")
    for key in ("arm", "scenario"):
        entries = data.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise SpecError(f"{told.blame((key,))}: {key} must be written as [[{key}]] tables.")


def _with_built_in(entry: dict[str, Any], blamed: str) -> dict[str, Any]:
    """A scenario without requests takes those of the built-in one of its name."""
    name = entry.get("name")
    if "request" in entry or "locustfile" in entry or not isinstance(name, str):
        return entry
    if name not in BUILT_IN:
        raise SpecError(
            f"{blamed}: scenario {name!r} is not built in and has no requests.",
            hint=f"Built in: {', '.join(BUILT_IN)}; or add [[scenario.request]] tables.",
        )
    return {**BUILT_IN[name].model_dump(by_alias=True), **entry}


def _check_paths(spec: Spec, path: Path) -> None:
    for scenario in spec.scenario:
        if scenario.locustfile and not (path.parent / scenario.locustfile).is_file():
            raise SpecError(f"{path}: scenario {scenario.name!r}: no file {scenario.locustfile!r}.")
    for arm in spec.arm:
        if arm.cwd and not (path.parent / arm.cwd).is_dir():
            raise SpecError(f"{path}: arm {arm.name!r}: no folder {arm.cwd!r}.")
