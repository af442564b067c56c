"""PURE: why a setting is as good as it is: measured split, Little's law, the server's counters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadtests.tuning.hazards import HOPS_WHILE_HOLDING, uses_threads
from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import Knob
from reports.tuning.along import Along, Seen, along
from reports.tuning.findings import SettingKnee
from reports.tuning.means import mean_split
from reports.tuning.record import ArmSearch, Split, Tried
from reports.tuning.say import KNOB_NAMES, knob_value
from reports.words import ms, per_s, rounded

GROWS = 1.15
"""Times are said to grow only if by more: a trial's mean of a second varies by some percent."""
BUSY = 0.8
"""A processor used for more than this share of the time is the limit: queues grow long beyond."""
NEAR_KNEE = (0.75, 1.05)
"""Loads that show where time goes near the knee, as shares of it."""
COUNTERS = {
    "Threads_running": "statements running at once",
    "Questions": "statements per request",
    "Innodb_row_lock_time": "ms of waiting for row locks per request",
    "Innodb_row_lock_waits": "waits for row locks per request",
}


def why(
    arm: ArmSearch,
    setting: Setting,
    found: SettingKnee | None,
    tried: Sequence[Tried],
    objective: Objective,
) -> tuple[str, ...]:
    """Sentences on `setting`, the recommended one, whose knee in fresh processes is `found`."""
    own = [each for each in tried if each.arm == arm.arm]
    return (
        *_littles_law(arm, setting, found, own),
        *_near_knee(setting, found, own),
        *_pool(setting, own, objective),
        *_other_knobs(arm, setting, own, objective),
        *_no_trap(arm),
    )


def _littles_law(
    arm: ArmSearch, setting: Setting, found: SettingKnee | None, own: Sequence[Tried]
) -> Iterator[str]:
    if arm.need is not None:
        yield f"Before the search, by Little's law: {arm.need.words()}."
    split = None if found is None else mean_split(_at_knee(setting, found, own))
    if found is None or split is None:
        return
    holding_ms = split.db_ms + split.own_ms
    in_use = found.per_s * holding_ms / 1e3
    yield (
        f"At the recommended setting's knee: {per_s(found.per_s)} × at most {ms(holding_ms)} with "
        f"a connection (total without the waits for thread and pool) = {rounded(in_use)} of "
        f"{setting.connections} connections in use on average."
    )


def _at_knee(setting: Setting, found: SettingKnee, own: Sequence[Tried]) -> list[Tried]:
    low, high = (share * found.per_s for share in NEAR_KNEE)
    return [
        each
        for each in own
        if each.stage == "confirm"
        and each.setting == setting
        and each.rate_per_s is not None
        and low <= each.rate_per_s <= high
    ]


def _near_knee(setting: Setting, found: SettingKnee | None, own: Sequence[Tried]) -> Iterator[str]:
    """Where a request's time goes just below the knee, and whether the processor is the limit."""
    trials = [] if found is None else _at_knee(setting, found, own)
    split = mean_split(trials)
    if found is not None and split is not None:
        yield f"Near its knee a request takes {ms(split.total_ms)} in the app: {_parts(split)}."
    costs = [each.cpu_ms_per_request for each in trials if each.cpu_ms_per_request is not None]
    if found is None or not costs:
        return
    cpu_ms = sum(costs) / len(costs)
    used = found.per_s * cpu_ms / 1e3 / setting.workers
    if used >= BUSY:
        workers = "the worker" if setting.workers == 1 else f"each of {setting.workers} workers"
        yield (
            f"A request costs {ms(cpu_ms)} of processor time, so {per_s(found.per_s)} keep "
            f"{workers} busy for {100 * used:.0f}% of the time: the processor is the "
            "limit, not the pool."
        )


def _parts(split: Split) -> str:
    return (
        f"{ms(split.thread_ms)} waiting for a thread, {ms(split.pool_ms)} for a connection, "
        f"{ms(split.db_ms)} in the database, {ms(split.own_ms)} its own work"
    )


def _pool(setting: Setting, own: Sequence[Tried], objective: Objective) -> Iterator[str]:
    """What fewer and what more connections do at the same load."""
    fewer = along(
        "pool_size", setting, own, objective, lambda each: each.pool_size < setting.pool_size
    )
    if fewer is not None:
        yield from _fewer(fewer, setting)
    more = along(
        "pool_size", setting, own, objective, lambda each: each.pool_size > setting.pool_size
    )
    if more is not None:
        yield from _beyond(more.of(setting), more.seen[-1], more.rate_per_s)
        yield from _counted(more.of(setting), more.seen[-1], more.rate_per_s)


def _fewer(found: Along, setting: Setting) -> Iterator[str]:
    small, here = found.seen[0], found.of(setting)
    if small.split is None or here.split is None:
        return
    yield (
        f"With {small.setting.connections} connections instead of {setting.connections} a request "
        f"waits {ms(small.split.pool_ms)} for one at {per_s(found.rate_per_s)} instead of "
        f"{ms(here.split.pool_ms)}; {_held(small, here)}."
    )


def _beyond(here: Seen, large: Seen, rate_per_s: float) -> Iterator[str]:
    if here.split is None or large.split is None:
        return
    low, high = here.setting.connections, large.setting.connections
    before_ms, after_ms = here.split.db_ms, large.split.db_ms
    grew = after_ms > GROWS * before_ms
    gained = (large.held_per_s or 0.0) > (here.held_per_s or 0.0)
    times = f"{ms(before_ms)} → {ms(after_ms)} at {per_s(rate_per_s)} with {high}"
    if grew and not gained:
        said = f"Beyond {low} connections database time grows ({times}) and throughput does not"
    elif grew:
        said = f"Beyond {low} connections database time grows ({times})"
    elif gained:
        said = f"Beyond {low} connections database time stays ({times})"
    else:
        said = f"Beyond {low} connections neither database time ({times}) nor throughput grows"
    tail = "; what the race saw once, the finals judge" if gained else ""
    yield f"{said}: {_held(here, large)}{tail}."


def _held(one: Seen, other: Seen) -> str:
    first, second = (
        per_s(each.held_per_s) if each.held_per_s is not None else "none" for each in (one, other)
    )
    return (
        f"the highest load held in the search is {first} with {one.setting.connections} and "
        f"{second} with {other.setting.connections}"
    )


def _counted(here: Seen, large: Seen, rate_per_s: float) -> Iterator[str]:
    """The server's own counters at the same load."""
    names = [name for name in COUNTERS if name in here.server and name in large.server]
    if not names:
        return
    told = [
        f"{COUNTERS[name]} {rounded(here.server[name])} → {rounded(large.server[name])}"
        for name in names
    ]
    yield (
        f"The server's own counters at {per_s(rate_per_s)}, {here.setting.connections} → "
        f"{large.setting.connections} connections: {'; '.join(told)}."
    )


def _other_knobs(
    arm: ArmSearch, setting: Setting, own: Sequence[Tried], objective: Objective
) -> Iterator[str]:
    knobs: tuple[Knob, ...] = ("threads", "admission", "max_overflow", "workers")
    for knob in knobs:
        if knob == "threads" and not uses_threads(arm.app):
            continue
        found = along(knob, setting, own, objective)
        if found is not None:
            yield f"{_turned(knob, found)}."


def _turned(knob: Knob, found: Along) -> str:
    """One knob turned: what a request waits, and what load is held, value by value."""
    told = []
    for each in found.seen:
        held = "none" if each.held_per_s is None else per_s(each.held_per_s)
        waits = ""
        if each.split is not None:
            waited_ms = each.split.thread_ms + each.split.pool_ms
            waits = f"waits of {ms(waited_ms)}, "
        told.append(f"{knob_value(knob, each.setting)}: {waits}{held} held")
    return f"Only the {KNOB_NAMES[knob]} turned, at {per_s(found.rate_per_s)}: {'; '.join(told)}"


def _no_trap(arm: ArmSearch) -> Iterator[str]:
    if arm.app is not None and arm.app not in HOPS_WHILE_HOLDING and uses_threads(arm.app):
        yield (
            "Threads and pool cannot wait for each other in this app: the session is opened inside "
            "the endpoint, so no thread is needed while a connection is held."
        )
