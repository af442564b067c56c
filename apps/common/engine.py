"""How both twins' engines and sessions are set up: every value written out."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from math import ceil
from typing import Any

from sqlalchemy import Engine, make_url
from sqlalchemy.engine import URL

from apps.common.settings import ASYNC_DRIVERS, Settings, SettingsError
from apps.common.silence import bounded
from apps.common.timed_driver import TimedAsyncQueuePool, TimedQueuePool

RECYCLE_S = 4 * 3600
"""Half of the time after which MySQL closes idle connections; else a quiet night ends in 503s."""
SESSION_OPTIONS: dict[str, Any] = {
    "autoflush": False,
    # The default makes a sync session re-read silently after a commit, and an async one fail.
    "expire_on_commit": False,
}

BULK_STATEMENT_BYTES = 1_024_000
"""PyMySQL, aiomysql and asyncmy send this much in one INSERT; mysqlclient would stop at 64 KiB."""


def engine_url(settings: Settings) -> URL:
    """The database's address with the twin's driver. Raises SettingsError when none was given."""
    if settings.database_url is None:
        raise SettingsError("TWIN_DATABASE_URL: missing (mysql://user:password@host:port/schema)")
    url = make_url(settings.database_url.get_secret_value())
    return url.set(drivername=f"mysql+{settings.driver}").update_query_dict({"charset": "utf8mb4"})


def engine_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for `create_engine` and `create_async_engine` alike."""
    return {
        "pool_size": settings.pool_size,
        "max_overflow": settings.max_overflow,
        "pool_timeout": settings.pool_timeout_s,
        "pool_recycle": RECYCLE_S,
        "pool_pre_ping": False,
        "pool_use_lifo": False,
        "pool_reset_on_return": "rollback",
        "echo": False,
        "hide_parameters": True,
        "connect_args": _connect_arguments(settings),
        **_timed_pool(settings),
    }


def _timed_pool(settings: Settings) -> dict[str, Any]:
    if not settings.telemetry:
        return {}
    is_async = settings.driver in ASYNC_DRIVERS
    return {"poolclass": TimedAsyncQueuePool if is_async else TimedQueuePool}


def _connect_arguments(settings: Settings) -> dict[str, Any]:
    """No TLS, and limits on waiting: for a connection in each driver's own words, for locks in the
    server's.

    Left to their defaults PyMySQL, and mysqlclient if built on MySQL's library, encrypt wherever
    the server offers it (MySQL 8 does by itself); the others never do.
    """
    wait_s = settings.pool_timeout_s
    by_driver: dict[str, Callable[[], dict[str, Any]]] = {
        "pymysql": lambda: {"connect_timeout": wait_s, "ssl_disabled": True},
        "mysqldb": lambda: {
            "connect_timeout": ceil(wait_s),
            "ssl_mode": "DISABLED",
            "cursorclass": _mysqldb_cursor(),
        },
        "aiomysql": lambda: {"async_creator_fn": bounded(settings.driver, wait_s)},
        "asyncmy": lambda: {
            "async_creator_fn": bounded(settings.driver, wait_s),
            "stmt_cache_size": 0,  # no other driver caches prepared statements
        },
    }
    return {**by_driver[settings.driver](), "init_command": _lock_wait(wait_s)}


def _lock_wait(wait_s: float) -> str:
    """Makes the server give up waiting for a lock a little before we would cut the connection.

    Its own limits are 50 s for rows and a day or a year for tables; a connection cut by us would
    go on waiting there, and hold one of the server's connections.
    """
    limit_s = max(1, int(wait_s) - 1)
    return f"SET SESSION lock_wait_timeout = {limit_s}, innodb_lock_wait_timeout = {limit_s}"


def _mysqldb_cursor() -> type:
    """mysqlclient's cursor, cutting bulk inserts into statements no smaller than others do."""
    cursor: type = import_module("MySQLdb.cursors").Cursor
    return type("BulkCursor", (cursor,), {"max_stmt_length": BULK_STATEMENT_BYTES})


def sync_engine_of(engine: Any) -> Engine:
    """The engine that has the events and the dialect: an async engine wraps a sync one."""
    inner: Engine = getattr(engine, "sync_engine", engine)
    return inner
