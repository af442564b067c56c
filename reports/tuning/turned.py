"""PURE: what one knob turned changes, as far as blocks that both settings share tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Literal

from loadtests.tuning.hazards import uses_threads
from loadtests.tuning.score import LATE_SHARE
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import Knob
from reports import words
from reports.statistics import Doubt, Estimate, adjusted_alpha
from reports.tuning.along import Beside, along, beside
from reports.tuning.paired import FEWEST_UNITS, Difference, difference, in_time, ratio
from reports.tuning.record import Split, Tried
from reports.tuning.say import KNOB_NAMES, knob_value
from reports.words import ms, rounded

LITTLE_PCT = 100.0 * LATE_SHARE
"""Answers in time are said to stay, or not to grow, where their change surely is less: as many late
ones as the objective allows."""
COUNTERS = {
    "Threads_running": "statements running at once",
    "Questions": "statements per request",
    "Innodb_row_lock_time": "ms of waiting for row locks per request",
    "Innodb_row_lock_waits": "waits for row locks per request",
}
ENOUGH_UNITS = 3
"""With two an interval holds nearly everything (one degree of freedom: t = 12.7)."""
LEVELS = frozenset({"Threads_running"})
"""Counters that are not counted up but read."""


def pool_turned(setting: Setting, own: Sequence[Tried]) -> Iterator[str]:
    """What fewer and what more connections do to the same arrivals."""
    fewer = _with_connections(setting, own, lambda many: many < setting.connections)
    if fewer is not None:
        yield _fewer(fewer, setting)
    more = _with_connections(setting, own, lambda many: many > setting.connections)
    if more is not None:
        yield _beyond(more, setting)
        yield from _counted(more, setting)


def _with_connections(
    setting: Setting, own: Sequence[Tried], wanted: Callable[[int], bool]
) -> Beside | None:
    """The same with another pool, if that shares enough with it; else whatever has as many
    connections as are wanted and shares the most (of equals the cheapest)."""
    alike = along("pool_size", setting, own, lambda each: wanted(each.connections))
    if alike is not None and alike.units >= ENOUGH_UNITS:
        return alike
    found = beside(setting, own, lambda each: wanted(each.connections))
    return max(found, key=lambda each: each.units, default=None)


def _name(other: Setting, setting: Setting) -> str:
    """How many connections; where other knobs differ as well, all of them."""
    alike = other.with_knob("pool_size", setting.pool_size) == setting
    return f"{other.connections}" if alike else f"{other.connections} ({other.words})"


def _fewer(found: Beside, setting: Setting) -> str:
    other = _name(found.setting, setting)
    if found.units < FEWEST_UNITS:
        return _too_little(f"What fewer connections than {setting.connections} do", other)
    waits = _longer(found, lambda split: split.pool_ms, "for a connection")
    served = _served(found)
    return f"With {other} instead of {setting.connections} connections {waits}, and {served}."


def _beyond(found: Beside, setting: Setting) -> str:
    mine, other = setting.connections, _name(found.setting, setting)
    if found.units < FEWEST_UNITS:
        return _too_little(f"What more connections than {mine} do", other)
    change = ratio(found.pairs, lambda each: each.split.db_ms if each.split else None)
    match _side(change):
        case "more":
            time = f"database time grows ({_told(change)})"
        case "less":
            time = f"database time falls ({_told(change)})"
        case _:
            time = f"whether database time grows cannot be told ({_told(change)})"
    return f"Beyond {mine} connections, with {other}, {time}, and {_served(found)}."


def _served(found: Beside) -> str:
    """What the other setting answers in time of the same arrivals, and in how many blocks."""
    blocks = f"{len(found.pairs)} blocks with the same arrivals"
    if all(one.score.in_time == other.score.in_time for one, other in found.pairs):
        return f"answers in time stay (as many in each of {blocks})"
    change = in_time(found.pairs)
    told = f"{_told(change)}, {blocks}"
    low, high = (-100.0, 100.0) if isinstance(change, Doubt) else change.interval_pct()
    if low >= -LITTLE_PCT and high <= LITTLE_PCT:
        return f"answers in time stay ({told})"
    if low > 0.0:
        return f"answers in time grow ({told})"
    if high < 0.0:
        return f"answers in time fall ({told})"
    if high <= LITTLE_PCT:
        return f"answers in time do not grow ({told})"
    return f"whether answers in time change cannot be told ({told})"


def _longer(found: Beside, part: Callable[[Split], float], what: str) -> str:
    change = difference(found.pairs, lambda each: part(each.split) if each.split else None)
    if isinstance(change, Doubt):
        return f"how much longer a request waits {what} is not known ({change.reason})"
    told = f"{_signed_ms(change.mean)} [{_signed_ms(change.low)} to {_signed_ms(change.high)}]"
    if change.low > 0.0:
        return f"a request waits longer {what} ({told})"
    if change.high < 0.0:
        return f"a request waits less {what} ({told})"
    return f"whether a request waits longer {what} cannot be told ({told})"


def _side(change: Estimate | Doubt) -> Literal["more", "less"] | None:
    """On which side of no change the whole interval lies."""
    if isinstance(change, Doubt):
        return None
    low, high = change.interval_pct()
    return "more" if low > 0.0 else "less" if high < 0.0 else None


def _told(change: Estimate | Doubt) -> str:
    if isinstance(change, Doubt):
        return change.reason
    low, high = change.interval_pct()
    return f"{words.change(change.change_pct)} [{words.change(low)} to {words.change(high)}]"


def _signed_ms(value_ms: float) -> str:
    sign = words.MINUS if value_ms < 0 else "+" if value_ms > 0 else ""
    return f"{sign}{ms(abs(value_ms))}"


def _too_little(what: str, other: str) -> str:
    return f"{what} cannot be told: {other} shared one block of arrivals with it only."


def _counted(found: Beside, setting: Setting) -> Iterator[str]:
    """The server's own counters in the same blocks: those that surely differ, with as many looked
    at as there are."""
    told, alpha = [], adjusted_alpha(len(COUNTERS))
    for name, said in COUNTERS.items():
        change = difference(found.pairs, partial(counter, name=name), alpha)
        if isinstance(change, Difference) and (change.low > 0.0 or change.high < 0.0):
            after = change.before + change.mean
            told.append(f"{said} {rounded(change.before)} → {rounded(after)}")
    if told:
        yield (
            f"The server's own counters in these blocks, from {setting.connections} connections to "
            f"{_name(found.setting, setting)}: {'; '.join(told)}."
        )


def counter(trial: Tried, name: str) -> float | None:
    """One of the server's own counters: per request, unless it is a level."""
    if name not in trial.server:
        return None
    return trial.server[name] / (1 if name in LEVELS else max(1, trial.score.planned))


def others_turned(setting: Setting, own: Sequence[Tried], app: str | None) -> Iterator[str]:
    """Threads, gate, overflow and workers, each turned by itself."""
    knobs: tuple[Knob, ...] = ("threads", "admission", "max_overflow", "workers")
    for knob in knobs:
        if knob == "threads" and not uses_threads(app):
            continue
        found = along(knob, setting, own)
        if found is not None:
            yield _turned(knob, found, setting)


def _turned(knob: Knob, found: Beside, setting: Setting) -> str:
    """One knob turned: what a request waits, and what is answered in time."""
    other, mine = knob_value(knob, found.setting), knob_value(knob, setting)
    turned = f"Only the {KNOB_NAMES[knob]} turned, {other} instead of {mine}"
    if found.units < FEWEST_UNITS:
        return f"{turned}: cannot be told, they shared one block of arrivals only."
    waits = _longer(found, lambda split: split.thread_ms + split.pool_ms, "for its turn")
    return f"{turned}: {waits}, and {_served(found)}."
