"""PURE: which arms of two runs are the same one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.manifest import commit_of
from loadtests.secrets import MASK, masked_env, masked_headers, masked_url
from loadtests.spec import Arm, Spec
from reports.facts import short

NOT_SETTINGS = frozenset({"name"})
UNKNOWN_PROGRAM = (
    "{arm} is a URL: whether the same program answered there in both runs is not known"
)
MASKED = "{arm} has masked values ({keys}): whether they are the same is not known"
MOVING = "{arm} is run from git_ref {ref}: a branch may have moved on between the runs"


@dataclass(frozen=True, slots=True)
class ArmPair:
    """An arm of the reference run and what stands for it in another run."""

    name: str
    other_name: str
    differences: tuple[str, ...]
    """In which settings they differ, in words; none for the same arm."""
    doubts: tuple[str, ...]
    """What about their sameness cannot be known."""

    @property
    def is_common(self) -> bool:
        """Whether both runs have this arm with the same settings."""
        return not self.differences


def pair_arms(
    reference: Spec,
    other: Spec,
    reference_told: Mapping[str, Any],
    other_told: Mapping[str, Any],
) -> dict[str, ArmPair]:
    """Arms of the reference run by name with their counterparts: the one of the same name, or the
    only one on either side that is left over. `…_told`: the manifests' `arms`.
    """
    names = {arm.name for arm in reference.arm}
    partners = {arm.name: arm.name for arm in other.arm if arm.name in names}
    left = [arm.name for arm in reference.arm if arm.name not in partners]
    others_left = [arm.name for arm in other.arm if arm.name not in names]
    if len(left) == len(others_left) == 1:
        partners[left[0]] = others_left[0]
    return {
        name: _pair(reference.arm_named(name), other.arm_named(partner), reference_told, other_told)
        for name, partner in partners.items()
    }


def _pair(
    first: Arm, second: Arm, told_first: Mapping[str, Any], told_second: Mapping[str, Any]
) -> ArmPair:
    settings = _settings(first, told_first), _settings(second, told_second)
    commits = commit_of(told_first, first.name), commit_of(told_second, second.name)
    if None not in commits:  # what a branch or a tag is called no longer matters
        for each, commit in zip(settings, commits, strict=True):
            each["git_ref"] = short(commit or "")
    differences = tuple(
        f"{key.replace('_', ' ')} {_told(key, one)} against {_told(key, two)}"
        for key, one in settings[0].items()
        if one != (two := settings[1][key])
    )
    return ArmPair(
        first.name, second.name, differences, tuple(_doubts(first, known=None not in commits))
    )


def _settings(arm: Arm, told: Mapping[str, Any]) -> dict[str, Any]:
    """All that the spec says, with the driver that an app was really given."""
    settings = {k: v for k, v in arm.model_dump(mode="json").items() if k not in NOT_SETTINGS}
    entry = told.get(arm.name)
    if settings["driver"] is None and isinstance(entry, Mapping):
        settings["driver"] = entry.get("driver")
    return settings


def _doubts(arm: Arm, *, known: bool) -> list[str]:
    """What of an arm may not be the same in both runs; `known`: which commits it ran from."""
    doubts = []
    if arm.url is not None:
        doubts.append(UNKNOWN_PROGRAM.format(arm=arm.name))
    if arm.git_ref is not None and not known:
        doubts.append(MOVING.format(arm=arm.name, ref=arm.git_ref))
    hidden = [key for key, value in {**arm.headers, **arm.env}.items() if MASK in value]
    if hidden:
        doubts.append(MASKED.format(arm=arm.name, keys=", ".join(hidden)))
    return doubts


def _told(key: str, value: Any) -> str:
    """A setting's value in words. Specs hold masked values; whoever wrote others, they are not
    shown."""
    if value is None or value == {}:
        return "none"
    if isinstance(value, Mapping):
        shown = masked_headers(value) if key == "headers" else masked_env(value)
        return ", ".join(f"{name}={each}" for name, each in shown.items())
    return masked_url(value) if key == "url" else str(value)
