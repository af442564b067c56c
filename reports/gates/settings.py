"""PURE: gates on how arms and database were set up: as the spec says, alike, and throughout."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from loadtests.inspection import Inspection, InstanceFacts
from loadtests.manifest import object_of
from loadtests.spec import Arm
from reports.gates.check import first_few, unseen
from reports.model import GateResult

MOST_TOLD = 4
IDENTITY_KEYS = frozenset({"app", "driver", "pid", "telemetry"})
OURS = ("docker", "local")
"""Kinds of database servers that we start, and whose durability the spec decides."""
CHOSEN_EACH_SESSION = frozenset({"max_connections"})
"""Settings of servers of ours that every session of a run chooses anew: a resumed run starts a
server of its own, with room for as many connections as it needs."""


def settings_gate(
    arm: Arm,
    baseline: Arm,
    told: Mapping[str, Mapping[str, Any]],
    inspections: Sequence[Inspection],
    measured: Mapping[str, Collection[int]],
) -> GateResult:
    """Whether two arms run as the spec says, and otherwise alike.

    `told`: per arm what its `/stats` said (the manifest's `arms`); `inspections` what each of its
    instances said later. What the spec itself sets differently is what is compared, and passes.
    `measured`: the instances of each arm that were loaded; the gate vouches only for those that
    told their settings, and passes only if all did.
    """
    mine, other = (_told(told.get(each.name)) for each in (arm, baseline))
    if not mine or not other:
        silent = arm.name if not mine else baseline.name
        return _settings_result(arm, None, None, f"{silent} does not tell its settings")
    wrong = [*_against_spec(arm, mine), *_against_spec(baseline, other)]
    wrong += [
        f"{key} is {mine[key]} in {arm.name} and {other[key]} in {baseline.name}"
        for key in sorted(mine.keys() & other.keys())
        if key not in IDENTITY_KEYS and key not in Arm.model_fields and mine[key] != other[key]
    ]
    wrong += [*_unlike(arm.name, mine, inspections), *_unlike(baseline.name, other, inspections)]
    named = [
        name
        for name in Arm.model_fields
        if name != "name" and getattr(arm, name) != getattr(baseline, name)
    ]
    if wrong:
        return _settings_result(arm, False, float(len(set(wrong))), first_few(wrong, MOST_TOLD))
    names = (baseline.name, arm.name)
    telling = [f for name in names for f in _instances(inspections, name) if f.settings is not None]
    untold, count = unseen((baseline, arm), measured, telling)
    detail = f"equal but for {', '.join(named) or 'nothing'}"
    if untold:
        told_by = f"{count - len(untold)} of {count} instances"
        return _settings_result(arm, None, None, f"{detail}, but only {told_by} told them")
    return _settings_result(arm, True, 0.0, f"{detail}, told by all {count} instances")


def _unlike(name: str, told: Mapping[str, Any], inspections: Sequence[Inspection]) -> Iterator[str]:
    """Where an instance of an arm says otherwise than the arm's first did at the start."""
    for each in _instances(inspections, name):
        said = _told({"settings": each.settings, "runtime": each.runtime})
        for key in sorted(told.keys() & said.keys() - IDENTITY_KEYS):
            if said[key] != told[key]:
                yield f"{name} #{each.instance} runs with {key} = {said[key]}, not {told[key]}"


def _instances(inspections: Sequence[Inspection], arm: str) -> Iterator[InstanceFacts]:
    return (each for look in inspections for each in look.instances if each.arm == arm)


def _settings_result(arm: Arm, ok: bool | None, value: float | None, detail: str) -> GateResult:
    return GateResult("equal-settings", None, arm.name, ok, value, 0.0, detail)


def _told(arm: Mapping[str, Any] | None) -> dict[str, Any]:
    """Settings and runtime as one flat mapping; empty when the arm does not tell."""
    if not arm or not isinstance(arm.get("settings"), Mapping):
        return {}
    return {**object_of(arm, "runtime"), **arm["settings"]}


def _against_spec(arm: Arm, told: Mapping[str, Any]) -> list[str]:
    wrong = []
    for key in sorted(told.keys() & Arm.model_fields.keys() - IDENTITY_KEYS):
        wanted, is_told = getattr(arm, key), told[key]
        if key == "admission" and wanted == 0 and is_told == arm.pool_size + arm.max_overflow:
            continue  # 0 means "as many as the pool holds", which some apps spell out
        if is_told is not None and is_told != wanted:
            wrong.append(f"{arm.name} runs with {key} = {is_told}, the spec says {wanted}")
    return wrong


def database_gate(
    kind: str | None, durability: Mapping[str, Any] | None, wanted: str,
    inspections: Sequence[Inspection],
) -> GateResult:  # fmt: skip
    """Whether the database server was set as the spec says, and stayed so.

    `kind` and `durability` are the manifest's; `wanted` is the spec's durability, which holds for
    servers that we start only: of others it is told what they have.
    """
    looks = [look.database for look in inspections if look.database]
    if not durability:
        return _database_result(None, None, "there is no database of ours")
    profile = durability.get("profile")
    wrong = []
    if kind in OURS and profile != wanted:
        wrong.append(f"durability is {profile}, the spec says {wanted}")
    wrong += dict.fromkeys(_changed_settings(inspections, ours=kind in OURS))
    if wrong:
        detail = f"{'; '.join(wrong)}: leave the server's settings alone, and measure again"
        return _database_result(False, float(len(wrong)), detail)
    if not looks:
        return _database_result(None, None, "nobody looked at the server's settings")
    whose = "as the spec says" if kind in OURS else "the server's own"
    return _database_result(True, 0.0, f"durability {profile}, {whose}; nothing changed meanwhile")


def _changed_settings(looks: Sequence[Inspection], *, ours: bool) -> Iterator[str]:
    """Where a setting differs from the run's first look, or its session's where that chose it."""
    of_run: Mapping[str, str] = {}
    of_session: Mapping[str, str] = {}
    for look in looks:
        of_run = of_run or look.database
        of_session = look.database if look.begins_session else of_session or look.database
        for name, value in look.database.items():
            chosen = ours and name in CHOSEN_EACH_SESSION
            was = (of_session if chosen else of_run).get(name, value)
            if value != was:
                yield f"{name} was {was} and is {value}"


def _database_result(ok: bool | None, value: float | None, detail: str) -> GateResult:
    return GateResult("database-settings", None, None, ok, value, 0.0, detail)
