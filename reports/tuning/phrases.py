"""PURE: settings, roles and comparisons of a tune run in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from loadtests.tuning.hazards import uses_threads
from loadtests.tuning.setting import Setting
from reports.tuning.model import Change, Interval, Metric, Role, SettingKnee
from reports.tuning.record import Stage
from reports.words import change, per_s, percent

ROLES: dict[Role, str] = {
    "taken": "the cheapest of the plateau",
    "alternate": "the roomiest of the plateau",
    "present": "the present setting",
    "default": "the framework's default",
    "same budget": "the same budget",
}
WHERE: Mapping[Stage, str] = {
    "confirm": "in fresh processes",
    "twice": "at twice the load",
    "distance": "with the database farther away",
}
METRIC_WORDS: Mapping[Metric, str] = {
    "knee_per_s": "capacity",
    "good_per_s": "good answers per second",
    "p99_ms": "p99",
}


def setting_words(setting: Setting, app: str | None = None) -> str:
    """`pool 5 + 10, 40 threads, no gate`; threads only where they matter, workers from two on."""
    parts = [f"pool {setting.pool_size} + {setting.max_overflow}"]
    if uses_threads(app):
        parts.append(f"{setting.threads} threads")
    if setting.workers > 1:
        parts.append(f"{setting.workers} workers")
    parts.append("no gate" if setting.admitted is None else f"gate of {setting.admitted}")
    return ", ".join(parts)


def roles_words(roles: Iterable[Role]) -> str:
    """`the taken setting and present setting`, for the start of a sentence."""
    words = [ROLES[role] for role in roles if role != "same budget"]
    return " and ".join(words) or ROLES["same budget"]


def knee_words(found: SettingKnee) -> str:
    """`352/s [331 to 375]`, `more than 352/s`."""
    side = {"above": "more than ", "below": "less than ", None: ""}[found.censored]
    return f"{side}{per_s(found.per_s)}{_rates(found.ci95_per_s)}"


def _rates(interval: Interval | None) -> str:
    if interval is None or interval[0] is None or interval[1] is None:
        return ""
    return f" [{interval[0]:,.0f} to {interval[1]:,.0f}]"


def change_words(found: Change) -> str:
    """`+18% [+9.2% to +27%]`, `more than +340%`, or why there is no number."""
    if found.change_pct is None:
        return f"not known ({found.reason})"
    bound = f"{found.bound} " if found.bound else ""
    return f"{bound}{change(found.change_pct)}{_changes(found.ci95_pct)}"


def _changes(interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = interval
    if low is None:
        return f" [at most {change(high)}]"
    if high is None:
        return f" [at least {change(low)}]"
    return f" [{change(low)} to {change(high)}]"


def share_words(share_pct: float) -> str:
    """An error share: `0.02% errors`, `no errors`."""
    return f"{percent(share_pct)} errors" if share_pct > 0.0 else "no errors"
