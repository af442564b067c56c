"""What arms keep their data in, as the rest of the harness sees it; and `database = "none"`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from loadtests.environment.mysql import Address
from loadtests.environment.probes import cpu_clock_s
from loadtests.errors import EnvironmentNotReady


@dataclass(frozen=True, slots=True)
class DigestTotals:
    """How often a server ran one kind of statement, and for how long in all."""

    count: int
    total_s: float


class Database:
    """What arms keep their data in. This one is `database = "none"`: there is nothing of ours.

    Its numbers are None, and asking it for a schema raises EnvironmentNotReady.
    """

    kind = "none"
    flavour: str | None = None
    version: str | None = None
    why = 'database = "none": the arms bring their own'
    max_connections: int | None = None
    connections_in_use: int | None = None
    """By others, when it was opened."""
    free_connections: int | None = None
    """Connections that arms may use together."""
    port: int | None = None
    """What arms connect to: the server's own port, or that of a relay in front of it."""
    pid: int | None = None
    """The server's process, where that is on this machine and visible."""

    def facts(self) -> dict[str, Any]:
        """`{"database": …, "durability": …}` as the manifest has them."""
        return {"database": {"kind": self.kind, "why": self.why}, "durability": None}

    def settings(self) -> dict[str, str]:
        """The server's settings that a measurement depends on, as they are now; empty where there
        is no server of ours."""
        return {}

    def create_arm_schema(self, run_id: str, arm: str) -> str:
        """Make the arm's schema, marked and seeded, and return its name.

        One left by an earlier part of the same run is made anew; one that we did not create is
        never touched. Raises EnvironmentNotReady.
        """
        del run_id
        raise EnvironmentNotReady(
            f'Arm "{arm}" needs a database of ours, but database = "none".',
            hint='Set database = "auto" in [run], or give the arm a command or URL of its own.',
        )

    @property
    def address(self) -> Address:
        """Where the server itself is."""
        raise AssertionError("there is no address without a database")

    def lead_arms_to(self, port: int | None) -> None:
        """From now on arms are told this port of this machine instead of the server's address;
        None: the server's again."""
        raise AssertionError(f"nothing can be behind port {port} without a database")

    def url_for(self, schema: str) -> str:
        """`mysql://user:password@host:port/schema`, as arms get it. Never print it."""
        raise AssertionError(f"there is no schema {schema} without a database")

    def masked_url(self, schema: str = "") -> str | None:
        """The same with `***` for the password."""
        del schema
        return None

    def mask(self, text: str) -> str:
        """The text without the password."""
        return text

    def reset(self, schema: str) -> None:
        """Put rows and automatic key back to what was seeded."""

    def drifted(self, schema: str) -> str | None:
        """How the schema differs from what was seeded; None when it does not."""
        del schema
        return None

    def drop_arm_schemas(self) -> None:
        """Drop every schema made by this object."""

    def connections(self, schema: str) -> int | None:
        """Connections to a schema, as the server counts them."""
        del schema
        return None

    def cpu_s(self) -> float | None:
        """CPU seconds the server has used since it started."""
        return cpu_clock_s(self.pid) if self.pid is not None else None

    def counters(self) -> dict[str, float] | None:
        """What the server has counted of itself since it started; None without a server."""
        return None

    def statement_digests(self, schema: str) -> dict[str, DigestTotals] | None:
        """The server's own totals per kind of statement in a schema; None where it keeps none."""
        del schema
        return None
