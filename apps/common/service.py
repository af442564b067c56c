"""Liveness and the app's own numbers: what every twin tells about itself without a database."""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request

from apps.common.api_document import OWN_TAG
from apps.common.edge import Counts
from apps.common.engine import sync_engine_of
from apps.common.schemas import Status
from apps.common.settings import Settings

router = APIRouter(tags=[OWN_TAG])

PACKAGES = (
    "fastapi",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "pydantic",
    "sqlalchemy",
    "greenlet",
    "anyio",
)
DISTRIBUTIONS = {
    "pymysql": ("PyMySQL",),
    "mysqldb": ("mysqlclient", "mysqlclient-static"),
    "aiomysql": ("aiomysql", "PyMySQL"),
    "asyncmy": ("asyncmy",),
}
"""What must be installed for a driver (aiomysql shares PyMySQL's parser; mysqlclient has two)."""


# Coroutines in both twins: a sign of life must not wait for a worker thread.


@router.get("/health", summary="Is the process alive?")
async def health() -> Status:
    """Answers as long as the event loop runs."""
    return Status(status="ok")


@router.get("/stats", summary="The app's own numbers")
async def stats(request: Request) -> dict[str, Any]:
    """Counts since this process started, its settings, and what it runs on."""
    state = request.app.state
    settings: Settings = state.settings
    counts: Counts = state.counts
    return {
        "app": settings.app,
        "driver": settings.driver,
        "pid": os.getpid(),
        "requests": counts.requests,
        "in_flight": counts.in_flight,
        "in_flight_s": counts.in_flight_s,
        "arrivals_ns": counts.arrivals_ns,
        "last_error": counts.last_error,
        "waiting": state.gate.waiting if state.gate is not None else 0,
        "checked_out": sync_engine_of(state.database.engine).pool.checkedout(),  # type: ignore[attr-defined]
        "driver_calls": state.driver_calls,
        "settings": settings.model_dump(exclude={"app", "driver", "database_url"}),
        "runtime": _runtime(),
        "versions": _versions(settings.driver),
    }


def _runtime() -> dict[str, Any]:
    loop = type(asyncio.get_running_loop()).__module__.partition(".")[0]
    parsers = ("httptools", "h11")
    loaded = [name for name in parsers if f"uvicorn.protocols.http.{name}_impl" in sys.modules]
    return {
        "loop": loop,
        "http": loaded[0] if loaded else None,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        # An extension module may switch the lock on in a build that can do without.
        "gil": getattr(sys, "_is_gil_enabled", lambda: True)(),
    }


@cache
def _versions(driver: str) -> dict[str, str]:
    """Looked up once: reading the metadata of installed packages takes milliseconds."""
    found = {name.lower(): _version(name) for name in (*PACKAGES, *DISTRIBUTIONS[driver])}
    return {name: version for name, version in found.items() if version is not None}


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
