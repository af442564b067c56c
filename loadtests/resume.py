"""Going on with an interrupted run: what is left to do, and what must not change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.errors import UsageError
from loadtests.journal import read_journal
from loadtests.manifest import public_spec
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
    next_round: int
    next_trial: int
    next_instance: int
    frozen: Mapping[str, tuple[Load, ...]]


NOTHING_YET = Progressed(0, 0, 0, 0, {})


def progress_of(folder: Path) -> Progressed:
    """Read how far a run came from its journal."""
    events = list(read_journal(folder / "journal.jsonl"))
    rounds = [event for event in events if event["event"] == "round"]
    trials = [event for event in events if event["event"] == "trial"]
    return Progressed(
        finished_rounds=sum(event["state"] == "finished" for event in rounds),
        next_round=1 + max((event["round"] for event in rounds), default=-1),
        next_trial=1 + max((event["trial"] for event in trials), default=-1),
        next_instance=1 + max((event["instance"] for event in trials), default=-1),
        frozen={
            event["scenario"]: tuple(load_from_facts(load) for load in event["loads"])
            for event in events
            if event["event"] == "rates"
        },
    )


def check_same_spec(manifest: Mapping[str, Any], spec: Spec, folder: Path) -> None:
    """Raise UsageError when the spec is not the one the run was started with."""
    stored, now = dict(manifest["spec"]), public_spec(spec)
    changed = [key for key in now if key != "folder" and stored.get(key) != now[key]]
    if changed:
        raise UsageError(
            f"{folder} was started with another spec (changed: {', '.join(changed)}).",
            hint="Start a new run, or put the spec back as it was.",
        )
