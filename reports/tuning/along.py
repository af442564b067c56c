"""PURE: what a search saw as one knob was turned and the others stayed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import Knob
from reports.tuning.means import mean_split
from reports.tuning.record import Split, Tried


@dataclass(frozen=True, slots=True)
class Seen:
    """A setting at one load. `held_per_s`: the highest load that it held in any of its trials."""

    setting: Setting
    split: Split | None
    server: Mapping[str, float]
    """The server's own counters: per request, but for Threads_running, which is a level."""
    held_per_s: float | None


@dataclass(frozen=True, slots=True)
class Along:
    """Settings that differ in one knob, all at the same load, in ascending order of the knob."""

    rate_per_s: float
    seen: tuple[Seen, ...]

    def of(self, setting: Setting) -> Seen:
        """What was seen of one of them."""
        return next(each for each in self.seen if each.setting == setting)


LEVELS = frozenset({"Threads_running", "Threads_connected"})
"""Counters that are not counted up but read."""


def along(
    knob: Knob,
    setting: Setting,
    tried: Sequence[Tried],
    objective: Objective,
    among: Callable[[Setting], bool] = lambda _: True,
) -> Along | None:
    """`setting` beside those of `among` that differ from it in `knob` only, at the load at which
    most of them were measured together with it (the highest of several); None when there is none.
    """
    family = [
        each
        for each in tried
        if each.stage in ("search", "final")
        and each.rate_per_s is not None
        and each.setting.with_knob(knob, getattr(setting, knob)) == setting
        and (each.setting == setting or among(each.setting))
    ]
    together: dict[float, set[Setting]] = {}
    for each in family:
        if each.rate_per_s is not None:
            together.setdefault(each.rate_per_s, set()).add(each.setting)
    usable = {
        rate: found for rate, found in together.items() if setting in found and len(found) > 1
    }
    if not usable:
        return None
    rate_per_s = max(usable, key=lambda rate: (len(usable[rate]), rate))
    settings = sorted(usable[rate_per_s], key=lambda each: getattr(each, knob))
    return Along(rate_per_s, tuple(_seen(each, rate_per_s, family, objective) for each in settings))


def _seen(
    setting: Setting, rate_per_s: float, family: Sequence[Tried], objective: Objective
) -> Seen:
    own = [each for each in family if each.setting == setting]
    there = [each for each in own if each.rate_per_s == rate_per_s]
    held = [
        each.rate_per_s
        for each in own
        if each.rate_per_s is not None and each.score.clears(objective)
    ]
    return Seen(setting, mean_split(there), counters(there), max(held, default=None))


def counters(trials: Sequence[Tried]) -> dict[str, float]:
    """The server's counters over several trials, those that all of them have."""
    known = [each for each in trials if each.server]
    if not known:
        return {}
    names = set.intersection(*(set(each.server) for each in known))
    requests = max(1, sum(each.score.planned for each in known))
    return {
        name: sum(each.server[name] for each in known)
        / (len(known) if name in LEVELS else requests)
        for name in sorted(names)
    }
