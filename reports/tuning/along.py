"""PURE: beside a setting another that differs in one knob, in the blocks that both share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import Knob
from reports.tuning.paired import Pairs, many_units, shared_blocks
from reports.tuning.record import Stage, Tried

STAGES: tuple[Stage, ...] = ("search", "final", "confirm")
"""Near each other in time, at the same distance from the database, around the knee."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Another setting, and the trials of both in each block they share: `pairs` hold the setting
    that is explained first. `units`: what carries the interval (blocks of the search, passes of the
    finals, instances of the confirmation)."""

    setting: Setting
    pairs: Pairs

    @property
    def units(self) -> int:
        """How many units there are."""
        return many_units(self.pairs)


def along(
    knob: Knob,
    setting: Setting,
    tried: Sequence[Tried],
    among: Callable[[Setting], bool] = lambda _: True,
) -> Beside | None:
    """Of those of `among` that differ from `setting` in `knob` only, the one that shares the most
    units with it (of equals the farthest away); None when nothing does."""
    own = getattr(setting, knob)
    found = beside(setting, tried, lambda e: e.with_knob(knob, own) == setting and among(e))
    return max(
        found, key=lambda each: (each.units, abs(getattr(each.setting, knob) - own)), default=None
    )


def beside(
    setting: Setting, tried: Sequence[Tried], among: Callable[[Setting], bool]
) -> list[Beside]:
    """Everything of `among` that shares a block with `setting`, in ascending order of cost."""
    trials: dict[Setting, list[Tried]] = {}
    for each in tried:
        if each.stage in STAGES:
            trials.setdefault(each.setting, []).append(each)
    others = sorted((s for s in trials if s != setting and among(s)), key=lambda s: (s.cost, s))
    found = [Beside(each, shared_blocks(trials.get(setting, ()), trials[each])) for each in others]
    return [each for each in found if each.pairs]
