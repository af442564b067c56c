"""PURE: when threads and pool of a sync app can wait for each other."""

from __future__ import annotations

from loadtests.spec import ASYNC_DRIVERS, DRIVERS, Arm
from loadtests.tuning.setting import Setting


def trapped_from(arm: Arm, setting: Setting) -> int | None:
    """Requests in flight in one worker at which those with a connection may all wait for a thread
    while those with a thread wait for a connection; None when so many are never let in.

    That takes as many as there are threads and connections together (FastAPI issues 3205, 12066).
    An async app does not use worker threads.
    """
    if arm.app is not None and DRIVERS[arm.app] == ASYNC_DRIVERS:
        return None
    needed = setting.threads + setting.pool_size + setting.max_overflow
    if arm.app is not None and setting.admitted is not None and setting.admitted < needed:
        return None
    return needed
