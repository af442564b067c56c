"""PURE: what can go wrong with a setting, by arithmetic, and how many users would show it."""

from __future__ import annotations

from loadtests.spec import ASYNC_DRIVERS, DRIVERS
from loadtests.tuning.setting import Setting

HOPS_WHILE_HOLDING = frozenset({"sync-ungated"})
"""Built-in apps that need another worker thread while they hold a connection: their session comes
from a dependency, and FastAPI checks a `def` endpoint's answer in a thread before it is closed. The
twins open the session inside the endpoint and have given the connection back by then."""
BLOCKS_ITS_LOOP = frozenset({"async-blocking"})
"""Built-in apps that serve one request at a time, so that nobody ever waits for a connection."""
BEYOND_ALL = 20
"""Users of a burst, per worker, beyond those that fill every thread and every connection."""


def uses_threads(app: str | None) -> bool:
    """Whether worker threads matter to an app: not to the built-in async ones."""
    return app is None or DRIVERS[app] != ASYNC_DRIVERS


def deadlock_from(setting: Setting, app: str | None) -> int | None:
    """Requests in flight in one worker from which threads and pool can wait for each other, where
    a connection's holder needs a thread; None when the gate lets in fewer.

    Then `threads` requests wait for a connection, and pool + overflow others, who hold them all,
    wait for a thread (FastAPI issues 3205, 12066).
    """
    limit, gate = setting.threads + slots(setting), _gate(setting, app)
    return None if gate is not None and gate < limit else limit


def can_deadlock(setting: Setting, app: str | None) -> bool:
    """Whether it is possible at all; what a command (app None) does is not known, so it may be."""
    suspect = app is None or app in HOPS_WHILE_HOLDING
    return suspect and deadlock_from(setting, app) is not None


def unfair_from(setting: Setting, app: str | None) -> int | None:
    """Requests in flight in one worker from which some wait for a connection out of turn; None when
    nobody ever waits there: the gate, or the number of threads, keeps as many back."""
    gate = _gate(setting, app)
    if app in BLOCKS_ITS_LOOP or (gate is not None and gate <= slots(setting)):
        return None
    if uses_threads(app) and setting.threads <= slots(setting):
        return None  # AnyIO hands its threads out in turn
    return slots(setting) + 1


def worth_a_burst(setting: Setting, app: str | None) -> bool:
    """Whether arithmetic flags something that a burst of closed users could show."""
    return can_deadlock(setting, app) or unfair_from(setting, app) is not None


def burst_users(setting: Setting) -> int:
    """Users enough to fill every thread and connection of every worker, and some more."""
    return setting.workers * (setting.threads + slots(setting) + BEYOND_ALL)


def calm_users(setting: Setting) -> int:
    """Users of the calm load beside a burst: nobody has to wait for a connection."""
    return setting.workers * setting.pool_size


def _gate(setting: Setting, app: str | None) -> int | None:
    """Requests let in at once, as far as that is known: a command's gate is its own affair."""
    return None if app is None else setting.admitted


def slots(setting: Setting) -> int:
    """Connections of one worker."""
    return setting.pool_size + setting.max_overflow
