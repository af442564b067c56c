"""PURE: what search and finals say of every setting by itself: its knee, and from how much."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import KNOBS, Knob
from reports.tuning.knee import Knee, Scored, knee, knee_estimate, rates_of
from reports.tuning.record import ArmSearch, Stage, Tried

SEARCHING: tuple[Stage, ...] = ("search", "final")


@dataclass(frozen=True, slots=True)
class Found:
    """A setting's knee in the search; None where it was never loaded. `trials` counts them."""

    setting: Setting
    knee: Knee | None
    trials: int

    @property
    def missed_everywhere(self) -> bool:
        """Whether it missed the objective already at the lowest load it was measured at."""
        return self.knee is not None and self.knee.censored == "below"


def searched(tried: Iterable[Tried], arm: str) -> dict[Setting, list[Tried]]:
    """The open trials of search and finals, by setting."""
    by_setting: dict[Setting, list[Tried]] = {}
    for each in tried:
        if each.arm == arm and each.stage in SEARCHING and each.rate_per_s is not None:
            by_setting.setdefault(each.setting, []).append(each)
    return by_setting


def found_of(setting: Setting, trials: Sequence[Tried], objective: Objective) -> Found:
    """The knee from all of a setting's trials together."""
    return Found(setting, knee(_scored(trials), objective), len(trials))


def interval_per_s(trials: Sequence[Tried], objective: Objective) -> tuple[float, float] | None:
    """The 95% interval of a setting's knee over blocks; None where too little tells of it."""
    return rates_of(knee_estimate(_scored(trials), objective))


def _scored(trials: Sequence[Tried]) -> list[Scored]:
    """Units are blocks: in search and finals every setting has one instance."""
    return [Scored(each.block, each.score) for each in trials]


def knobs_that_vary(arm: ArmSearch) -> list[Knob]:
    """The knobs of which more than one value could be tried."""
    return [knob for knob in KNOBS if len({getattr(each, knob) for each in arm.settings}) > 1]


def choices_along(arm: ArmSearch, knob: Knob, centre: Setting) -> list[Setting]:
    """The settings that could be tried and differ from `centre` in one knob, by its value."""
    values = sorted({getattr(each, knob) for each in arm.settings})
    wanted = [centre.with_knob(knob, value) for value in values]
    known = set(arm.settings)
    return [each for each in wanted if each in known or each == centre]


def furthest(
    settings: Iterable[Setting], trials: dict[Setting, list[Tried]], objective: Objective
) -> Setting | None:
    """The setting that met the objective at the highest load, of several the cheapest."""
    measured = [each for each in settings if trials.get(each)]
    if not measured:
        return None
    return min(measured, key=lambda each: (-_highest_met(trials[each], objective), each.cost, each))


def _highest_met(trials: Iterable[Tried], objective: Objective) -> float:
    met = [each.score.offered_per_s for each in trials if each.score.clears(objective)]
    return max(met, default=0.0)
