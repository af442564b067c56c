"""What a run's journal tells, with notes about what of it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from loadtests.inspection import Inspection
from loadtests.journal import read_counting
from loadtests.sameness.record import Proof
from loadtests.scenarios.model import Scenario
from loadtests.second_opinion.record import Opinion
from loadtests.spec import Spec
from reports.model import LoadFacts, Status


def read_events(path: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """The events of a journal and notes about what of it is not there. Raises StorageError."""
    if not path.exists():
        return [], [f"{path.name} is missing: nothing of this run can be told."]
    events, torn = read_counting(path)
    return events, [f"{torn} line(s) of {path.name} are unreadable and left out."] if torn else []


def proofs_of(events: Sequence[Mapping[str, Any]]) -> tuple[tuple[Proof, ...], list[str]]:
    """What each session saw of its twins, and a note where that cannot be read."""
    proofs, notes = [], []
    for event in events:
        if event["event"] == "sameness":
            try:
                proofs.append(Proof.model_validate(event))
            except ValidationError:
                notes.append("What the run saw of its twins is not as this version writes it.")
    return tuple(proofs), notes


def inspections_of(
    events: Sequence[Mapping[str, Any]],
) -> tuple[tuple[Inspection, ...], list[str]]:
    """What was looked at between rounds, and a note where that cannot be read."""
    looks, notes = [], []
    for event in events:
        if event["event"] == "inspection":
            try:
                looks.append(Inspection.model_validate(event))
            except ValidationError:
                notes.append("What was looked at between rounds is not as this version writes it.")
    return tuple(looks), notes


def rates_of(
    events: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """The last loads that each scenario was given, and a note where they cannot be read."""
    told = [e for e in events if e["event"] == "rates" and isinstance(e.get("scenario"), str)]
    good = {str(e["scenario"]): e for e in told if _are_loads(e.get("loads") or ())}
    lost = {str(e["scenario"]) for e in told} - good.keys()
    return good, [f"The loads of {name} are not as this version writes them." for name in lost]


def _are_loads(entries: Any) -> bool:
    return isinstance(entries, list | tuple) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("load", ""), str)
        and isinstance(entry.get("rate_per_s"), int | float | None)
        and isinstance(entry.get("users"), int | None)
        for entry in entries
    )


def opinion_of(events: Sequence[Mapping[str, Any]]) -> tuple[Opinion | None, list[str]]:
    """The last session's second opinion, and a note where that cannot be read."""
    told = [event for event in events if event["event"] == "second-opinion"]
    try:
        return (Opinion.model_validate(told[-1]) if told else None), []
    except ValidationError:
        return None, ["The second opinion is not as this version writes it."]


def round_frame(events: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per round with its last `state`."""
    states = {e.get("round"): e.get("state") for e in events if e["event"] == "round"}
    return pd.DataFrame({"round": list(states), "state": list(states.values())})


def status_of(events: Sequence[Mapping[str, Any]]) -> tuple[Status, list[str]]:
    """A run is complete when its last word says so; anything after an end is a resumed run."""
    last = next((e for e in reversed(events) if e["event"] in ("end", "trial", "round")), None)
    if last is None or last["event"] != "end":
        return "interrupted", ["The journal has no end: the run is going on or was cut off."]
    if last.get("status") == "complete":
        return "complete", []
    return "interrupted", [f"The run was interrupted: {last.get('reason') or 'no reason given'}."]


def load_facts(entry: Mapping[str, Any]) -> LoadFacts:
    """A load as a `rates` event tells it."""
    return LoadFacts(
        load=str(entry["load"]),
        model="closed" if entry.get("model") == "closed" else "open",
        users=entry.get("users"),
        rate_per_s=entry.get("rate_per_s"),
    )


def loads_of_spec(scenario: Scenario) -> tuple[LoadFacts, ...]:
    """The loads that a scenario states itself; none where the run was to find them."""
    load = scenario.load
    if load.model == "closed":
        return (LoadFacts(f"closed-{load.users}", "closed", users=load.users),)
    if load.model == "open" and load.rate_per_s is not None:
        return (LoadFacts(f"open-{load.rate_per_s:g}", "open", rate_per_s=load.rate_per_s),)
    return ()


def arms_apart(spec: Spec, trials: pd.DataFrame) -> list[str]:
    """Notes about arms that were never tried while others were, and about strangers."""
    tried = list(dict.fromkeys(trials["arm"]))
    named = [arm.name for arm in spec.arm]
    silent = [name for name in named if name not in tried] if tried else []
    return [
        *([] if tried else ["The journal tells of no trial."]),
        *(f"The journal has no trial of {name}: nothing can be said of it." for name in silent),
        *(
            f"Trials of {name} are left out: the manifest names no such arm."
            for name in tried
            if name not in named
        ),
    ]
