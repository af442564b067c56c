"""PURE: what each confirmed setting is to the reader: recommended, default, present …"""

from __future__ import annotations

from loadtests.tuning.setting import Setting
from reports import words
from reports.tuning.model import ArmReport, Fair
from reports.tuning.terms import ROLES


def roles_of(arm: ArmReport, fair: tuple[Fair, ...] = ()) -> dict[Setting, str]:
    """The settings of an arm's confirmation, each with all that it is: `default and present`."""
    told: list[tuple[Setting | None, str]] = [
        (arm.recommended, "recommended"),
        (arm.taken, ROLES["taken"].name),
        (arm.default, ROLES["default"].name),
        (arm.present, ROLES["present"].name),
        (arm.alternate, ROLES["alternate"].name),
        *((setting, ROLES["same budget"].name) for setting in _same_budget(arm.arm, fair)),
    ]
    roles: dict[Setting, list[str]] = {}
    for setting, role in told:
        if setting is None:
            continue
        own = roles.setdefault(setting, [])
        if role not in own and not (role in MINOR and own):
            own.append(role)
    return {setting: words.listed(own) for setting, own in roles.items()}


MINOR = tuple(ROLES[role].name for role in ("taken", "alternate", "same budget"))
"""Said of a setting only when it is nothing else."""


def _same_budget(arm: str, fair: tuple[Fair, ...]) -> list[Setting]:
    changes = [change for each in fair if each.kind == "same budget" for change in each.changes]
    sides = [
        side
        for change in changes
        for side in (
            (change.candidate_arm, change.candidate),
            (change.baseline_arm, change.baseline),
        )
    ]
    return list(dict.fromkeys(setting for name, setting in sides if name == arm))
