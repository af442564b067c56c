"""Going on with an interrupted run: what is left to do, and what must not change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.environment.placement import Placement
from loadtests.errors import UsageError
from loadtests.journal import read_journal
from loadtests.manifest import commit_of, kind_of, object_of, public_spec
from loadtests.plan import Origin
from loadtests.run import load_from_facts
from loadtests.spec import Spec
from loadtests.trials import Load


@dataclass(frozen=True, slots=True)
class Progressed:
    """How far earlier sessions of a run came.

    New processes are other instances, and rounds and trials count on, so that no number is used
    twice; a round that was cut short is done again in full, and what it measured is kept.
    """

    finished_rounds: int
    origin: Origin
    frozen: Mapping[str, tuple[Load, ...]]


NOTHING_YET = Progressed(0, Origin(), {})


def progress_of(folder: Path) -> Progressed:
    """Read how far a run came from its journal."""
    events = list(read_journal(folder / "journal.jsonl"))
    rounds = [event for event in events if event["event"] == "round"]
    trials = [event for event in events if event["event"] == "trial"]

    def next_of(name: str, among: list[dict[str, Any]]) -> int:
        return 1 + max((event[name] for event in among), default=-1)

    return Progressed(
        finished_rounds=sum(event["state"] == "finished" for event in rounds),
        origin=Origin(
            round=next_of("round", rounds),
            block=next_of("block", trials),
            trial=next_of("trial", trials),
            instance=next_of("instance", trials),
        ),
        frozen={
            event["scenario"]: tuple(load_from_facts(load) for load in event["loads"])
            for event in events
            if event["event"] == "rates"
        },
    )


def check_same_world(manifest: Mapping[str, Any], facts: Mapping[str, Any], folder: Path) -> None:
    """Raise UsageError when database, code or packages are not those the run was started with:
    rounds of different things must not be pooled."""
    changed = [
        f"{name}: {was} then, {now} now"
        for name, was, now in (
            (name, _fact(manifest, name), _fact(facts, name)) for name in SAME_IN_EVERY_SESSION
        )
        if was != now
    ]
    if changed:
        raise UsageError(
            f"{folder} was measured in another world ({'; '.join(changed)}).",
            hint="Start a new run, or put back what changed.",
        )


def at_its_commits(spec: Spec, manifest: Mapping[str, Any]) -> Spec:
    """The spec with every `git_ref` at the commit that it stood for when the run began: a branch
    may have moved on since."""
    arms = object_of(manifest, "arms")
    began = {arm.name: commit_of(arms, arm.name) or arm.git_ref for arm in spec.arm}
    kept = tuple(arm.model_copy(update={"git_ref": began[arm.name]}) for arm in spec.arm)
    return spec.model_copy(update={"arm": kept})


def placement_of(manifest: Mapping[str, Any], usable: Sequence[int], folder: Path) -> Placement:
    """The placement that the run was started with.

    Raises UsageError when its cores are not usable now, or when nothing was pinned for want of
    cores that there are now.
    """
    placement = Placement.from_json(manifest["placement"])
    missing = set(placement.cores) - set(usable)
    if missing or (not placement.cores and len(usable) > 1):
        was = ", ".join(map(str, placement.cores)) or "one core, unpinned"
        raise UsageError(
            f"{folder} was measured in another world (cores: {was} then, "
            f"{', '.join(map(str, usable)) or 'none to choose from'} now).",
            hint="Start a new run, or let this one have the cores it had.",
        )
    return placement


def generators_of(manifest: Mapping[str, Any]) -> int:
    """How many processes made the load of the run, however many this machine would take now; runs
    that do not tell are of a time when there was one."""
    return int(_fact(manifest, "generator.processes") or 1)


SAME_IN_EVERY_SESSION = (
    "database.kind",
    "database.flavour",
    "database.version",
    "durability.profile",
    "commit.sha",
    "versions",
    "placement",
)


def _fact(facts: Mapping[str, Any], dotted: str) -> Any:
    found: Any = facts
    for part in dotted.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def check_same_kind(manifest: Mapping[str, Any], kind: str, folder: Path) -> None:
    """Raise UsageError when a run is to be gone on with by another command than it began with."""
    if (was := kind_of(manifest)) != kind:
        raise UsageError(
            f"{folder} was made by bench {was}, not by bench {kind}.",
            hint=f"bench {was} --resume {folder}",
        )


def check_same_spec(manifest: Mapping[str, Any], spec: Spec, folder: Path) -> None:
    """Raise UsageError when the spec is not the one the run was started with."""
    stored, now = dict(manifest["spec"]), public_spec(spec)
    passed_over = {"folder"} if kind_of(manifest) == "tune" else {"folder", "tune"}
    changed = [key for key in now if key not in passed_over and stored.get(key) != now[key]]
    if changed:
        raise UsageError(
            f"{folder} was started with another spec (changed: {', '.join(changed)}).",
            hint="Start a new run, or put the spec back as it was.",
        )
