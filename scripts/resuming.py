"""`--resume`: the words of the first session again, and what may be typed beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadtests.errors import UsageError
from loadtests.manifest import read_manifest
from loadtests.overrides import key_of
from loadtests.secrets import hides_a_secret


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was typed behind `bench run` or `bench tune`; None where nothing was."""

    spec: str | None
    out: Path | None
    seed: int | None
    resume: Path | None
    dry_run: bool
    json: bool
    overrides: tuple[str, ...]
    command: str = "run"
    hosts: int | None = None


def options_of_resumed_run(options: RunOptions) -> RunOptions:
    """The same options with spec, seed and overrides of the run's first session.

    Raises UsageError for anything typed that would be passed over, and for a secret that is not
    stored and was not typed again.
    """
    assert options.resume is not None
    typed = {
        "SPEC": options.spec,
        "--seed": options.seed,
        "--out": options.out,
        "--hosts": options.hosts,
    }
    if too_much := [name for name, value in typed.items() if value is not None]:
        raise UsageError(
            f"--resume takes everything from {options.resume}; leave out {', '.join(too_much)}.",
            hint=f"bench {options.command} --resume {options.resume}",
        )
    manifest = read_manifest(options.resume)
    return replace(
        options,
        spec=manifest.get("spec_file") or manifest["spec"]["source"],
        seed=manifest["seed"],
        overrides=_overrides(manifest, options),
        out=options.resume,
    )


def hidden_keys(manifest: Mapping[str, Any]) -> list[str]:
    """Keys of a run's overrides whose values were secrets and are not stored."""
    return [key_of(override) for override in manifest["overrides"] if hides_a_secret(override)]


def _overrides(manifest: Mapping[str, Any], options: RunOptions) -> tuple[str, ...]:
    """The stored overrides, secrets as they were typed again."""
    stored: Sequence[str] = manifest["overrides"]
    hidden = set(hidden_keys(manifest))
    again = {key_of(override): override for override in options.overrides}
    if unknown := sorted(again.keys() - hidden):
        raise UsageError(
            f"--resume takes everything from {options.resume}; leave out "
            f"{', '.join(f'--set {key}' for key in unknown)}.",
            hint="Another spec is another run: leave out --resume.",
        )
    if missing := sorted(hidden - again.keys()):
        raise UsageError(
            f"{options.resume} was started with secrets that are not stored: {', '.join(missing)}.",
            hint=f"bench run --resume {options.resume} "
            + " ".join(f"--set {key}=…" for key in missing),
        )
    return tuple(
        again[key_of(override)] if key_of(override) in hidden else override for override in stored
    )
