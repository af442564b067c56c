"""PURE: which of a server's variables a measurement depends on, and what they say of durability."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REPORTED_SETTINGS = (
    "innodb_buffer_pool_size", "innodb_flush_method", "innodb_doublewrite", "transaction_isolation",
    "character_set_server", "performance_schema", "query_cache_type",
)  # fmt: skip
RENAMED = {"tx_isolation": "transaction_isolation"}
"""MariaDB before 11.1 has the names that MySQL had before 8.0 (their release notes)."""
WATCHED_SETTINGS = (
    *REPORTED_SETTINGS,
    *("innodb_flush_log_at_trx_commit", "sync_binlog", "log_bin", "max_connections"),
    *("general_log", "slow_query_log"),
)
COUNTERS = (
    *("Questions", "Com_select", "Com_commit", "Com_rollback", "Connections"),
    *("Aborted_clients", "Aborted_connects", "Innodb_row_lock_waits", "Innodb_row_lock_time"),
    *("Innodb_data_fsyncs", "Innodb_os_log_fsyncs", "Innodb_log_waits", "Uptime"),
)
"""Status variables that tell what a load makes the server do; lock time in ms."""


def in_todays_names(variables: Mapping[str, str]) -> dict[str, str]:
    """A server's variables, each by one name whatever server tells it."""
    return {RENAMED.get(name, name): value for name, value in variables.items()}


def durability_facts(variables: dict[str, str]) -> dict[str, Any]:
    """What survives a power cut after a commit, from the server's own settings.

    `durable`: all of it. `relaxed`: the last second or so may be lost.
    """
    flush = int(variables["innodb_flush_log_at_trx_commit"])
    binlog = variables.get("log_bin") == "ON"
    sync = int(variables["sync_binlog"]) if binlog else None
    durable = flush == 1 and sync in (None, 1)
    return {
        "profile": "durable" if durable else "relaxed",
        "innodb_flush_log_at_trx_commit": flush,
        "sync_binlog": sync,
        "log_bin": binlog,
    }
