"""PURE: the numbers of a tune run in words: knees, changes, objectives and error shares."""

from __future__ import annotations

from collections.abc import Callable

from loadtests.tuning.score import Objective
from reports import words
from reports.tuning.findings import Change, Interval, SettingKnee
from reports.tuning.knee import Knee
from reports.tuning.means import P99


def knee(found: Knee | SettingKnee | None, ci: Interval | None = None) -> str:
    """A knee with its interval, or the side it is known from: `640/s [600, 690]`, `≥ 640/s`."""
    if found is None:
        return "not measured"
    if found.censored:
        sign = {"above": "≥", "below": "<"}[found.censored]
        return f"{sign}{words.NBSP}{words.per_s(found.per_s)}"
    return f"{words.per_s(found.per_s)}{_brackets(ci, words.rounded)}"


def knee_of(found: SettingKnee | None) -> str:
    """The same with the interval that it has."""
    return knee(found, None if found is None else found.ci95_per_s)


def change(told: Change) -> str:
    """A change with its interval: `+3.0% [−2.0, +9.0]`, `more than +40% [+31, …]`."""
    if told.change_pct is None:
        return _one_end(told.ci95_pct)
    bound = f"{told.bound} " if told.bound else ""
    return f"{bound}{change_pct(told.change_pct, told.ci95_pct)}"


def change_pct(value_pct: float | None, ci_pct: Interval | None) -> str:
    """The same from its numbers."""
    if value_pct is None:
        return words.NOTHING
    ends = _brackets(ci_pct, lambda end: words.change(end).removesuffix("%"))
    return f"{words.change(value_pct)}{ends}"


def change_or_why(told: Change) -> str:
    """A change with its interval, or why there is none."""
    return f"not known ({told.reason})" if change(told) == words.NOTHING else change(told)


def _one_end(ci: Interval | None) -> str:
    """Where a change is not known but on which side of what it lies: `more than +380%`."""
    low, high = ci or (None, None)
    if low is not None:
        return f"more than {words.change(low)}"
    return words.NOTHING if high is None else f"less than {words.change(high)}"


def _brackets(ci: Interval | None, say: Callable[[float], str]) -> str:
    """An interval's ends; `…` where an end is open. Empty without an interval."""
    if ci is None:
        return ""
    low, high = ("…" if end is None else say(end) for end in ci)
    return f" [{low}, {high}]"


def p99(p99_ms: float | None, *, beyond: bool) -> str:
    """A p99, or what it lies beyond: `71 ms`, `over 1,000 ms`."""
    return f"{'over ' if beyond else ''}{words.ms(p99_ms)}"


def p99_of(found: P99 | None) -> str:
    """The same of one that is put together; a dash where there is none."""
    return words.NOTHING if found is None else p99(found.ms, beyond=found.beyond)


def limit(objective: Objective) -> str:
    """What p99 may reach, as it was asked for: `100 ms`."""
    return f"{objective.p99_ms:g}{words.NBSP}ms"


def p99_limit(objective: Objective) -> str:
    """`p99 ≤ 100 ms`."""
    return f"p99{words.NBSP}≤{words.NBSP}{limit(objective)}"


def both_limits(objective: Objective) -> str:
    """The whole objective: `p99 ≤ 100 ms, errors ≤ 0.1%`."""
    return f"{p99_limit(objective)}, errors ≤{words.NBSP}{objective.max_error_pct:g}%"


def errors(share_pct: float) -> str:
    """A share of failed requests: `0.2% errors`, `no errors`."""
    return f"{words.percent(share_pct)} errors" if share_pct > 0.0 else "no errors"


def and_errors(share_pct: float, *, beyond: bool) -> str:
    """The same to be put behind a p99: `, 0.2% errors`. Nothing where requests were given up and
    none failed: that is no error, but "no errors" beside it would sound like praise."""
    return "" if beyond and not share_pct else f", {errors(share_pct)}"
