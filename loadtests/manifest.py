"""Everything needed to repeat a run, as `manifest.json` holds it; no secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from loadtests.errors import StorageError
from loadtests.schedule import Sizes
from loadtests.spec import Arm, Spec

SCHEMA = 1
MASK = "***"


def masked_url(url: str) -> str:
    """A URL with its password replaced; other texts (`auto`, `docker`) as they are."""
    parts = urlsplit(url)
    if not parts.password:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:{MASK}@{host}"))


def public_spec(spec: Spec) -> dict[str, Any]:
    """The spec as JSON values with passwords, header values and literal environment values masked.

    Header values of the form `env:NAME` and environment values with a placeholder name a source and
    are kept.
    """
    data = spec.model_dump(mode="json", by_alias=True)
    data["run"]["database"] = masked_url(spec.run.database)
    for entry, arm in zip(data["arm"], spec.arm, strict=True):
        entry.update(_public_secrets(arm))
    return data


def _public_secrets(arm: Arm) -> dict[str, Any]:
    headers = {k: v if v.startswith("env:") else MASK for k, v in arm.headers.items()}
    env = {k: v if "{" in v else MASK for k, v in arm.env.items()}
    return {"headers": headers, "env": env, "url": masked_url(arm.url) if arm.url else None}


def build_manifest(
    *,
    run: str,
    command: str,
    created_utc: str,
    spec: Spec,
    overrides: tuple[str, ...],
    sizes: Sizes,
    facts: Mapping[str, Any],
    arms: Mapping[str, Any],
) -> dict[str, Any]:
    """The manifest; `facts` brings versions, host, placement, database, durability and commit."""
    return {
        "schema": SCHEMA,
        "run": run,
        "created_utc": created_utc,
        "command": command,
        "overrides": list(overrides),
        "spec": public_spec(spec),
        "seed": spec.run.seed,
        "baseline": spec.arm[0].name,
        "instances": sizes.instances,
        "rounds": sizes.rounds,
        "pairs": sizes.pairs,
        "arms": dict(arms),
        **facts,
    }


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a run's folder. Raises StorageError when there is none or it is damaged."""
    path = folder / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{folder} holds no readable run ({path.name}: {error}).",
            hint="Give the folder that bench run printed, for example results/<run>.",
        ) from error
    if manifest.get("schema") != SCHEMA:
        raise StorageError(
            f"{path} has schema {manifest.get('schema')!r}; this version reads {SCHEMA}.",
            hint="Use the version of bench that made it.",
        )
    return dict(manifest)
