"""PURE: how many connections a fleet takes, and how many its database server leaves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.environment.connections import DEFAULT_MAX_CONNECTIONS
from loadtests.tuning.spec import TuneSpec


@dataclass(frozen=True, slots=True)
class ConnectionLimit:
    """What the production server allows, what is kept back, and where the former is known from."""

    max_connections: int
    reserve: int
    source: str

    @property
    def available(self) -> int:
        """What all workers on all hosts may hold together."""
        return max(0, self.max_connections - self.reserve)


def connection_limit(tune: TuneSpec, manifest: Mapping[str, Any]) -> ConnectionLimit:
    """The spec's `max_connections`; else that of the server measured, if it is not one of ours
    (which was given as many as the measuring needs); else the default of MySQL and MariaDB."""
    database = manifest.get("database") or {}
    limit = database.get("max_connections") if database.get("kind") == "external" else None
    return limit_from(tune, None if limit is None else int(limit))


def limit_from(tune: TuneSpec, outside: int | None) -> ConnectionLimit:
    """The same from what a server that is not ours allows; None where it is one of ours."""
    if tune.max_connections is not None:
        return ConnectionLimit(tune.max_connections, tune.reserve_connections, "the spec")
    if outside is not None:
        return ConnectionLimit(outside, tune.reserve_connections, "the server")
    return ConnectionLimit(DEFAULT_MAX_CONNECTIONS, tune.reserve_connections, "MySQL's default")
