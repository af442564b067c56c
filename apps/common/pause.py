"""Waiting outside of the database, in the way that suits the caller."""

from __future__ import annotations

import asyncio
import time
from typing import Any


def pause(ms: int) -> Any:
    """Wait `ms` milliseconds: a worker thread sleeps, a coroutine gets something to await."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return time.sleep(ms / 1000)
    return asyncio.sleep(ms / 1000)
