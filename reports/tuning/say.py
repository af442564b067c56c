"""PURE: settings in words, the same in every form of a tuning report."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from loadtests.tuning.hazards import uses_threads
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import KNOBS, Knob
from reports import words
from reports.tuning.findings import Finalist
from reports.tuning.model import ArmReport

KNOB_NAMES: dict[Knob, str] = {
    "pool_size": "pool size",
    "max_overflow": "overflow",
    "threads": "threads",
    "workers": "workers",
    "admission": "gate",
}
VAGUE_PCT = 10.0
"""An interval that reaches farther to either side says little of who is level."""
POOL_KNOBS: tuple[Knob, ...] = ("pool_size", "max_overflow")
OTHER_KNOBS: tuple[Knob, ...] = tuple(knob for knob in KNOBS if knob not in POOL_KNOBS)


def telling_knobs(app: str | None, settings: Iterable[Setting]) -> frozenset[Knob]:
    """The knobs that have to be named to tell settings of an arm apart, beside the pool."""
    known = set(settings)
    varied = {knob for knob in KNOBS if len({getattr(each, knob) for each in known}) > 1}
    unsaid = {*POOL_KNOBS, *(() if uses_threads(app) else ("threads",))}
    return frozenset(varied - unsaid)


def knobs_of(arm: ArmReport) -> frozenset[Knob]:
    """The knobs to name for all settings that a report speaks of."""
    chosen = (arm.recommended, arm.taken, arm.alternate, arm.present, arm.default)
    finalists = (each.found.setting for each in arm.finalists)
    known = [each for each in (*chosen, *finalists, *arm.tied_in_race) if each is not None]
    return telling_knobs(arm.app, known)


def full(setting: Setting, app: str | None) -> str:
    """For a sentence that stands by itself: `pool 5 + 10, 40 threads, no gate`; threads only where
    they matter to the arm."""
    return setting.in_full(threads=uses_threads(app))


def short(setting: Setting, knobs: Collection[Knob]) -> str:
    """The pool, and the `knobs` that tell it from its like: `5 + 0, 40 threads, gate`; no part is
    broken over lines."""
    return ", ".join(each.replace(" ", words.NBSP) for each in setting.parts(knobs))


def pool(setting: Setting) -> str:
    """Pool and overflow: `5 + 10`."""
    return short(setting, ())


def whole(setting: Setting) -> str:
    """With every knob, as a table without context has it."""
    return short(setting, OTHER_KNOBS)


def labels(settings: Sequence[Setting], knobs: Collection[Knob]) -> list[str]:
    """Row labels: the pool, and those of `knobs` in which these settings differ, abbreviated."""
    differing = {knob for knob in knobs if len({getattr(each, knob) for each in settings}) > 1}
    return [_abbreviated(short(each, differing)) for each in settings]


def common(settings: Sequence[Setting], knobs: Collection[Knob]) -> str:
    """What `labels` need not say, for a caption: ` (all with 10 threads, no gate)`, or nothing."""
    shared = {knob for knob in knobs if len({getattr(each, knob) for each in settings}) == 1}
    if not shared or not settings:
        return ""
    return f" (all with {short(settings[0], shared).partition(', ')[2]})"


def apart(setting: Setting, other: Setting | None, knobs: Collection[Knob]) -> str:
    """What tells a setting from `other`: its pool, and where pools are equal other knobs."""
    if other is None or pool(setting) != pool(other):
        return pool(setting)
    return short(setting, [k for k in knobs if getattr(setting, k) != getattr(other, k)])


def labelled(setting: Setting, other: Setting) -> str:
    """`apart` as short as an axis wants it: `10 + 0, 40 thr`."""
    return _abbreviated(apart(setting, other, OTHER_KNOBS))


def _abbreviated(text: str) -> str:
    return text.replace(f"{words.NBSP}threads", f"{words.NBSP}thr")


def knob_value(knob: Knob, setting: Setting) -> str:
    """One knob's value where the knob is named beside it: `40`, `no gate`."""
    return setting.gate if knob == "admission" else f"{getattr(setting, knob):,}"


def is_vague(member: Finalist) -> bool:
    """Whether a member of the plateau is there because too little was measured of it."""
    if member.behind_pct == 0.0:
        return False  # the best itself
    low, high = member.behind_ci95_pct or (None, None)
    return low is None or high is None or (high - low) / 2 > VAGUE_PCT
