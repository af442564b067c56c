"""PURE: a tune run's answer in one sentence per arm."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.tuning.score import Objective
from reports.model import Status
from reports.tuning.model import ArmReport
from reports.tuning.phrases import change_words, knee_words, setting_words
from reports.words import ms, per_s


def headline(arms: Sequence[ArmReport], objective: Objective, status: Status) -> str:
    """What to set each arm to, what that gives, and whether it is confirmed."""
    said = " ".join(_arm(each, objective) for each in arms) or "Nothing was tuned."
    return said if status == "complete" else f"Not finished, so far: {said}"


def _arm(arm: ArmReport, objective: Objective) -> str:
    goal = f"p99 within {ms(objective.p99_ms)}"
    if arm.recommended is None:
        return f"{arm.arm}: {_nothing(arm, goal)}"
    setting = setting_words(arm.recommended, arm.app)
    if arm.capacity is None:
        return f"{arm.arm}: {setting} looks best, but was not confirmed."
    doubt = "" if arm.confirmed else " (not confirmed)"
    gain = ""
    if arm.over_default is not None:
        gain = f", {change_words(arm.over_default)} over the framework's default"
    return f"{arm.arm}: {setting}{doubt}: {knee_words(arm.capacity)} with {goal}{gain}."


def _nothing(arm: ArmReport, goal: str) -> str:
    if arm.nearest is None:
        return "no setting was found."
    near = arm.nearest
    p99 = f", p99 {ms(near.p99_ms)}" if near.p99_ms is not None else ""
    return (
        f"no setting keeps {goal} at any load; nearest is {setting_words(near.setting, arm.app)} "
        f"at {per_s(near.offered_per_s)}{p99}: {near.limited_by}."
    )
