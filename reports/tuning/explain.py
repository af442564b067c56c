"""PURE: why a setting is as good as it is: measured split, Little's law, the server's counters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadtests.tuning.hazards import HOPS_WHILE_HOLDING, uses_threads
from loadtests.tuning.setting import Setting
from reports.tuning.findings import SettingKnee
from reports.tuning.means import mean_split
from reports.tuning.record import ArmSearch, Split, Tried
from reports.tuning.turned import others_turned, pool_turned
from reports.words import ms, per_s, rounded

BUSY = 0.8
"""A processor used for more than this share of the time is the limit: queues grow long beyond."""
NEAR_KNEE = (0.75, 1.05)
"""Loads that show where time goes near the knee, as shares of it."""


def why(
    arm: ArmSearch,
    setting: Setting,
    found: SettingKnee | None,
    tried: Sequence[Tried],
) -> tuple[str, ...]:
    """Sentences on `setting`, the recommended one, whose knee in fresh processes is `found`."""
    own = [each for each in tried if each.arm == arm.arm]
    return (
        *_littles_law(arm, setting, found, own),
        *_near_knee(setting, found, own),
        *pool_turned(setting, own),
        *others_turned(setting, own, arm.app),
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


def _no_trap(arm: ArmSearch) -> Iterator[str]:
    if arm.app is not None and arm.app not in HOPS_WHILE_HOLDING and uses_threads(arm.app):
        yield (
            "Threads and pool cannot wait for each other in this app: the session is opened inside "
            "the endpoint, so no thread is needed while a connection is held."
        )
