"""PURE: the hazards of the settings an answer speaks of, and whether a burst showed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadtests.tuning.hazards import can_deadlock, slots, unfair_from
from loadtests.tuning.setting import Setting, fleet_connections, fleet_words
from reports.tuning import numbers, say, terms
from reports.tuning.connections import ConnectionLimit
from reports.tuning.findings import Burst, Hazard, Role
from reports.tuning.means import mean, mean_known
from reports.tuning.record import ArmSearch, Tried
from reports.words import ms, per_s

COLLAPSE = 0.5
"""A burst that gets less than this share of the calm load's good answers shows a deadlock: a
healthy service answers at least as many with more users."""
UNFAIR = 3.0
"""Served in turn, everybody in a closed load waits about the mean, users / throughput (Little's
law); one request in a hundred that takes this many times as long shows that it was not in turn."""


def hazards_of(
    arm: ArmSearch,
    roles: Mapping[Setting, tuple[Role, ...]],
    tried: Sequence[Tried],
    limit: ConnectionLimit,
    hosts: int,
) -> tuple[Hazard, ...]:
    """Every hazard of the settings in `roles`, with what the bursts among `tried` showed."""
    found = []
    for setting, whose in roles.items():
        burst = burst_of(setting, [each for each in tried if each.arm == arm.arm])
        who = f"{terms.in_full(whose)} ({say.full(setting, arm.app)})"
        if can_deadlock(setting, arm.app):
            found.append(_deadlock(arm, setting, whose, who, burst))
        if unfair_from(setting, arm.app) is not None:
            found.append(_unfair(arm, setting, whose, who, burst))
        if fleet_connections(setting, hosts) > limit.available:
            found.append(_too_many(setting, whose, who, limit, hosts))
    return tuple(found)


def burst_of(setting: Setting, tried: Sequence[Tried]) -> Burst | None:
    """The bursts on a setting taken together, beside its calm load; None unless both exist."""
    closed = [t for t in tried if t.stage == "burst" and t.setting == setting and t.users]
    users = sorted({each.users for each in closed if each.users is not None})
    if len(users) < 2:
        return None
    calm, loud = ([t for t in closed if t.users == end] for end in (users[0], users[-1]))
    planned = sum(each.score.planned for each in loud)
    return Burst(
        setting=setting,
        users=users[-1],
        calm_users=users[0],
        good_per_s=mean([each.good_per_s for each in loud]),
        calm_good_per_s=mean([each.good_per_s for each in calm]),
        error_pct=100.0 * sum(each.score.errors for each in loud) / planned if planned else 0.0,
        p99_ms=mean_known(each.p99_ms for each in loud),
        p99_beyond=any(each.p99_beyond for each in loud),
        calm_p99_ms=mean_known(each.p99_ms for each in calm),
        patience_s=loud[0].patience_s,
    )


def deadlock_shown(setting: Setting, app: str | None, tried: Sequence[Tried]) -> bool:
    """Whether threads and pool can wait for each other, and the bursts among `tried` made them."""
    burst = burst_of(setting, tried)
    return can_deadlock(setting, app) and burst is not None and _collapsed(burst) is True


def _deadlock(
    arm: ArmSearch, setting: Setting, roles: tuple[Role, ...], who: str, burst: Burst | None
) -> Hazard:
    connections = slots(setting)
    numbers = (
        f"from {setting.threads + connections} requests in flight per worker on "
        f"({setting.threads} threads + {connections} connections) "
    )
    if arm.kind == "command":
        condition = (
            f"With {who}, {numbers}threads and pool can wait for each other if an endpoint holds "
            "a connection while it needs a worker thread (a session from Depends in a def "
            "endpoint with a response model does). What is inside a command cannot be known."
        )
    else:
        condition = (
            f"With {who}, {numbers}threads and pool can wait for each other: every thread waits "
            "for a connection, and those who hold the connections wait for a thread. A gate of "
            "fewer, or a session opened inside the endpoint, prevents it."
        )
    confirmed = None if burst is None else _collapsed(burst)
    words = f"{condition} {_burst_words(burst, confirmed)}"
    return Hazard("deadlock", setting, roles, confirmed, words, burst)


def _unfair(
    arm: ArmSearch, setting: Setting, roles: tuple[Role, ...], who: str, burst: Burst | None
) -> Hazard:
    unless = " (unless the service has a gate of its own)" if arm.kind == "command" else ""
    condition = (
        f"With {who}, requests wait for a connection out of turn from {slots(setting) + 1} in "
        f"flight per worker on{unless}: SQLAlchemy's pool lets newcomers overtake those who wait. "
        f"A first-come-first-served gate of {slots(setting)} in front of the pool prevents it."
    )
    confirmed = None
    if burst is not None and _collapsed(burst) is False and burst.p99_ms is not None:
        shown = burst.p99_ms >= UNFAIR * _in_turn_ms(burst)
        confirmed = True if shown else None if burst.p99_beyond else False
    in_turn = "" if burst is None or confirmed is None else (
        f" Served in turn each would have taken about {burst.users} / {per_s(burst.good_per_s)} = "
        f"{ms(_in_turn_ms(burst))}."
    )  # fmt: skip
    words = f"{condition} {_burst_words(burst, confirmed)}{in_turn}"
    return Hazard("unfair-waiting", setting, roles, confirmed, words, burst)


def _too_many(
    setting: Setting, roles: tuple[Role, ...], who: str, limit: ConnectionLimit, hosts: int
) -> Hazard:
    fit = limit.available // setting.connections
    words = (
        f"With {who}, {fleet_words(setting, hosts)}, more than the {limit.available} that "
        f"max_connections {limit.max_connections} ({limit.source}) leaves with {limit.reserve} in "
        f"reserve: the last ones get error 1040, too many connections. "
        f"{fit} such instances fit. A burst on one host cannot show this."
    )
    return Hazard("max-connections", setting, roles, None, words)


def _burst_words(burst: Burst | None, confirmed: bool | None) -> str:
    if burst is None:
        return "No burst was measured on it."
    shown = {True: "showed it", False: "did not show it", None: "could not show it"}[confirmed]
    p99 = numbers.p99(burst.p99_ms, beyond=burst.p99_beyond)
    errors = numbers.and_errors(burst.error_pct, beyond=burst.p99_beyond)
    return (
        f"A burst of {burst.users} users {shown}: {per_s(burst.good_per_s)} good answers, "
        f"p99 {p99}{errors}, where {burst.calm_users} users got "
        f"{per_s(burst.calm_good_per_s)}, p99 {ms(burst.calm_p99_ms)}."
    )


def _collapsed(burst: Burst) -> bool | None:
    """Whether the burst got far less than the calm load; None where that would prove nothing:
    requests were given up, and a service that keeps COLLAPSE of its throughput and serves in turn
    would have been given up on as well (users / throughput, Little's law)."""
    if burst.good_per_s >= COLLAPSE * burst.calm_good_per_s:
        return False
    if burst.p99_beyond and burst.patience_s is not None:
        in_turn_s = burst.users / (COLLAPSE * burst.calm_good_per_s)
        return None if in_turn_s >= burst.patience_s else True
    return True


def _in_turn_ms(burst: Burst) -> float:
    return 1e3 * burst.users / burst.good_per_s if burst.good_per_s > 0 else float("inf")
