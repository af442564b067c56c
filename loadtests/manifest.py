"""Everything needed to repeat a run, as `manifest.json` holds it; no secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from loadtests.errors import StorageError, UsageError
from loadtests.schedule import Sizes
from loadtests.secrets import (
    masked_command,
    masked_env,
    masked_headers,
    masked_json,
    masked_override,
    masked_path,
    masked_url,
)
from loadtests.spec import Spec
from loadtests.store import ANSWERS

SCHEMA = 1
MANIFEST = "manifest.json"
NEEDED = frozenset({"run", "overrides", "spec", "seed", "baseline", "arms", "placement"})
"""What nothing can be done without: neither a report nor going on."""
OBJECTS = ("host", "placement", "database", "durability", "commit", "versions", "arms")
"""Keys that hold objects, where they are there."""


def public_spec(spec: Spec) -> dict[str, Any]:
    """The spec as JSON values with passwords, header values, literal environment values, and what
    looks like a secret in query strings and JSON bodies, masked.

    Header values of the form `env:NAME` and environment values with a placeholder name a source and
    are kept.
    """
    data = spec.model_dump(mode="json", by_alias=True)
    data["run"]["database"] = masked_url(spec.run.database)
    for entry, arm in zip(data["arm"], spec.arm, strict=True):
        entry["headers"], entry["env"] = masked_headers(arm.headers), masked_env(arm.env)
        entry["url"] = masked_url(arm.url) if arm.url else None
    for entry, scenario in zip(data["scenario"], spec.scenario, strict=True):
        for told, request in zip(entry["request"], scenario.request, strict=True):
            told["headers"] = masked_headers(request.headers)
            told["path"] = masked_path(request.path)
            told["json"] = masked_json(request.json_body)
    return data


def build_manifest(
    *,
    run: str,
    command: Sequence[str],
    created_utc: str,
    spec: Spec,
    spec_file: Path | None,
    overrides: Sequence[str],
    sizes: Sizes,
    facts: Mapping[str, Any],
    arms: Mapping[str, Any],
    tune: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The manifest; `facts` brings versions, host, placement, database, durability, commit …

    `tune` is what a tune run has beside its spec; None for any other run, in which the spec's
    `[tune]` table plays no part.
    `command` and `overrides` come as they were typed and are masked here; `spec_file` is the file
    that the spec was read from, None for a built-in profile.
    """
    told = public_spec(spec)
    if tune is None:
        del told["tune"]
    return {
        "schema": SCHEMA,
        "kind": "run" if tune is None else "tune",
        "run": run,
        "created_utc": created_utc,
        "command": masked_command(command),
        "overrides": [masked_override(override) for override in overrides],
        "spec_file": str(spec_file) if spec_file else None,
        "spec": told,
        "seed": spec.run.seed,
        "baseline": spec.arm[0].name,
        "instances": sizes.instances,
        "rounds": sizes.rounds,
        "pairs": sizes.pairs,
        "arms": dict(arms),
        **({} if tune is None else {"tune": dict(tune)}),
        **facts,
    }


def object_of(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """What a manifest, or a part of one, holds under a key; empty where that is no object."""
    value = holder.get(key)
    return value if isinstance(value, Mapping) else {}


def commit_of(arms: Mapping[str, Any], name: str) -> str | None:
    """The commit that an arm's `git_ref` stood for, in the `arms` of a manifest; None where it has
    none, or the manifest is of a time before it was kept."""
    commit = object_of(arms, name).get("commit")
    return commit if isinstance(commit, str) and commit else None


def has_manifest(folder: Path) -> bool:
    """Whether a run in this folder came as far as to be gone on with."""
    return (folder / MANIFEST).is_file()


def kind_of(manifest: Mapping[str, Any]) -> str:
    """Whether a run compares ("run") or tunes ("tune")."""
    return str(manifest.get("kind", "run"))


def made_by(folder: Path) -> str:
    """The command that made a folder: "run", "tune", "selftest", "compare". Raises what
    `read_manifest` does."""
    if not has_manifest(folder):
        for command, answer in ANSWERS.items():
            if (folder / answer).is_file():
                return command
    return kind_of(read_manifest(folder))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run's folder.

    Raises UsageError when the folder holds no run, StorageError when its manifest is damaged.
    """
    path = folder / MANIFEST
    try:
        manifest = _with_what_is_needed(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(
            f"{folder} holds no run: there is no {path.name}.",
            hint="Give the folder that bench run printed, for example results/<run>.",
        ) from error
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{folder} holds no readable run ({path.name}: {error}).",
            hint="Restore it from a copy, or measure again with bench run.",
        ) from error
    if manifest["schema"] != SCHEMA:
        raise StorageError(
            f"{path} has schema {manifest['schema']!r}; this version reads {SCHEMA}.",
            hint="Use the version that made it (its commit is in manifest.json), or update.",
        )
    return manifest


def _with_what_is_needed(manifest: Any) -> dict[str, Any]:
    """The same; ValueError for what no version of ours has written."""
    if not isinstance(manifest, dict) or "schema" not in manifest:
        raise ValueError("it is no manifest")
    missing = NEEDED - manifest.keys() if manifest["schema"] == SCHEMA else set()
    if missing:
        raise ValueError(f"it lacks {', '.join(sorted(missing))}")
    for name in OBJECTS:
        if not isinstance(manifest.get(name) or {}, dict):
            raise ValueError(f"{name} is not an object")
    return manifest
