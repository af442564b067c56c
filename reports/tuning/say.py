"""PURE: settings and knees in words, the same in every form of a tuning report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from loadtests.tuning.hazards import uses_threads
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import KNOBS, Knob
from reports import words
from reports.tuning.knee import Knee
from reports.tuning.model import ArmReport, Change, Finalist, Interval, Role, SettingKnee

KNOB_NAMES: dict[Knob, str] = {
    "pool_size": "pool size",
    "max_overflow": "overflow",
    "threads": "threads",
    "workers": "workers",
    "admission": "admission",
}
AGAINST: dict[Role, str] = {
    "default": "the default",
    "present": "the present",
    "alternate": "the roomier",
    "taken": "the one tried first",
    "same budget": "the same budget",
}
"""Settings that another one is compared with."""
VAGUE_PCT = 10.0
"""An interval that reaches farther to either side says little of who is level."""
POOL_KNOBS: tuple[Knob, ...] = ("pool_size", "max_overflow")


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


def pool(setting: Setting) -> str:
    """Pool and overflow, as SQLAlchemy's users write it, never broken over lines: `5 + 10`."""
    return f"{setting.pool_size}{words.NBSP}+{words.NBSP}{setting.max_overflow}"


def short(setting: Setting, knobs: Collection[Knob]) -> str:
    """The pool, and the `knobs` that tell it from its like: `5 + 0, 40 threads, gate`."""
    parts = [pool(setting)]
    if "threads" in knobs:
        parts.append(f"{setting.threads}{words.NBSP}threads")
    if "workers" in knobs:
        parts.append(workers(setting.workers))
    if "admission" in knobs:
        parts.append(gate(setting))
    return ", ".join(parts)


def labels(settings: Sequence[Setting], knobs: Collection[Knob]) -> list[str]:
    """Row labels: the pool, and those of `knobs` in which these settings differ, abbreviated."""
    differing = {knob for knob in knobs if len({getattr(each, knob) for each in settings}) > 1}
    return [
        short(each, differing).replace(f"{words.NBSP}threads", f"{words.NBSP}thr")
        for each in settings
    ]


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
    knobs: tuple[Knob, ...] = ("threads", "workers", "admission")
    return apart(setting, other, knobs).replace(f"{words.NBSP}threads", f"{words.NBSP}thr")


def workers(number: int) -> str:
    """`1 worker`, `4 workers`."""
    return f"{number}{words.NBSP}worker{'' if number == 1 else 's'}"


def gate(setting: Setting) -> str:
    """The admission gate: `no gate`, `gate` (as wide as the pool), `gate of 8`."""
    if setting.admission < 0:
        return f"no{words.NBSP}gate"
    return f"gate of {setting.admission}" if setting.admission else "gate"


def knob_value(knob: Knob, setting: Setting) -> str:
    """What a row along a knob is called."""
    if knob == "admission":
        return gate(setting).replace(words.NBSP, " ")
    return f"{getattr(setting, knob):,}"


def knee(found: Knee | SettingKnee | None, ci: Interval | None = None) -> str:
    """A knee with its interval, or the side it is known from: `640/s [600, 690]`, `≥ 640/s`."""
    if found is None:
        return "not measured"
    if found.censored:
        sign = {"above": "≥", "below": "<"}[found.censored]
        return f"{sign}{words.NBSP}{words.per_s(found.per_s)}"
    return f"{words.per_s(found.per_s)}{_brackets(ci, words.rounded)}"


def change(told: Change | None) -> str:
    """A change with its interval: `+3.0% [−2.0, +9.0]`, `more than +40%`."""
    if told is None or told.change_pct is None:
        return words.NOTHING
    bound = f"{told.bound} " if told.bound else ""
    ci = _brackets(told.ci95_pct, lambda end: words.change(end).removesuffix("%"))
    return f"{bound}{words.change(told.change_pct)}{ci}"


def _brackets(ci: Interval | None, say: Callable[[float], str]) -> str:
    """An interval's ends; `…` where an end is open. Empty without an interval."""
    if ci is None:
        return ""
    low, high = ("…" if end is None else say(end) for end in ci)
    return f" [{low}, {high}]"


def is_vague(member: Finalist) -> bool:
    """Whether a member of the plateau is there because too little was measured of it."""
    if member.behind_pct == 0.0:
        return False  # the best itself
    low, high = member.behind_ci95_pct or (None, None)
    return low is None or high is None or (high - low) / 2 > VAGUE_PCT
