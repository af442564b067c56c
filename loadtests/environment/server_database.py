"""The arms' schemas on a server: made, marked, put back before trials, watched, dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from loadtests.environment.arm_database import Database, DigestTotals
from loadtests.environment.connections import connection_shortage, free_connections
from loadtests.environment.mysql import (
    Address,
    Admin,
    RightMissing,
    Server,
    too_old,
    version_of,
)
from loadtests.environment.seed import (
    CREATED_BY,
    MARKER_DDL,
    NEXT_KEY,
    REFILLED_ABOVE_ROWS,
    creating,
    difference_query,
    next_key_query,
    next_key_reset,
    putting_back,
    quoted,
    refilling,
    schema_name,
)
from loadtests.environment.server_settings import (
    COUNTERS,
    REPORTED_SETTINGS,
    WATCHED_SETTINGS,
    durability_facts,
    in_todays_names,
)
from loadtests.errors import EnvironmentNotReady

SHORTAGE_HINT = "Lower instances, pool_size or workers, or raise max_connections on the server."


class ServerDatabase(Database):
    """Schemas on a server that answers; `open_database` makes it.

    Raises EnvironmentNotReady when the server is too old or has too few connections.
    """

    def __init__(self, server: Server, admin: Admin, connections_needed: int) -> None:
        self.kind = server.kind
        self.why = server.why
        self.port = server.address.port
        self.pid = server.pid
        self._server = server
        self._arms_address = server.address
        self._admin = admin
        self._schemas: list[str] = []
        self._variables = _variables(admin)
        self.version = self._variables["version"]
        comment = self._variables.get("version_comment", "")
        self.flavour, number = version_of(self.version, comment)
        if reason := too_old(self.flavour, number):
            raise EnvironmentNotReady(
                f"The database at {server.address.place}: {reason}.",
                hint="Leave BENCH_DATABASE_URL unset to let bench start a database of its own.",
            )
        self.max_connections = self._connection_limit()
        self.connections_in_use = in_use = self._connections_of_others()
        self.free_connections = free_connections(self.max_connections, in_use)
        if shortage := connection_shortage(connections_needed, self.max_connections, in_use):
            raise EnvironmentNotReady(shortage, hint=SHORTAGE_HINT)

    def _connections_of_others(self) -> int:
        (status,) = self._admin.rows("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
        return max(0, int(status["Value"]) - 1)

    def _connection_limit(self) -> int:
        per_user = int(self._admin.value("SELECT @@SESSION.max_user_connections"))
        in_all = int(self._variables["max_connections"])
        return min(in_all, per_user) if per_user else in_all

    def facts(self) -> dict[str, Any]:
        """`{"database": …, "durability": …}` as the manifest has them."""
        database = {
            "kind": self.kind,
            "flavour": self.flavour,
            "version": self.version,
            "max_connections": self.max_connections,
            "why": self.why,
            "address": self._server.address.place,
            "route": self._server.route,
            "storage": self._server.storage,
            "settings": {
                name: self._variables[name] for name in REPORTED_SETTINGS if name in self._variables
            },
        }
        return {"database": database, "durability": durability_facts(self._variables)}

    def settings(self) -> dict[str, str]:
        """The server's settings that a measurement depends on, as they are now."""
        now = _variables(self._admin)
        return {name: now[name] for name in WATCHED_SETTINGS if name in now}

    def create_arm_schema(self, run_id: str, arm: str) -> str:
        """Make the arm's schema, marked and seeded, and return its name."""
        schema = schema_name(run_id, arm)
        if self._exists(schema):
            self._check_marker(schema, run_id)
            self._admin.rows(f"DROP DATABASE {quoted(schema)}")
        self._admin.rows(f"CREATE DATABASE {quoted(schema)} CHARACTER SET utf8mb4")
        self._admin.rows(MARKER_DDL.format(schema=quoted(schema)))
        self._admin.rows(
            f"INSERT INTO {quoted(schema)}.bench_marker VALUES (%s, %s, %s, UTC_TIMESTAMP())",
            (run_id, arm, CREATED_BY),
        )
        self._schemas.append(schema)
        for statement in creating(schema):
            self._admin.rows(statement)
        return schema

    def _exists(self, schema: str) -> bool:
        query = "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = %s"
        return bool(self._admin.value(query, (schema,)))

    def _check_marker(self, schema: str, run_id: str) -> None:
        """Raise unless we created the schema, in this very run."""
        query = (
            "SELECT COUNT(*) FROM information_schema.tables "
            "WHERE table_schema = %s AND table_name = 'bench_marker'"
        )
        marks = f"SELECT run_id FROM {quoted(schema)}.bench_marker WHERE created_by = %s"
        if self._admin.value(query, (schema,)) and run_id == self._admin.value(
            marks, (CREATED_BY,)
        ):
            return
        raise EnvironmentNotReady(
            f"The database at {self._server.address.place} already has a schema {schema}, "
            "and this run did not create it; it was left alone.",
            hint=f"If nobody needs it, drop it by hand; else choose another --out than {run_id}.",
        )

    @property
    def address(self) -> Address:
        """Where the server itself is."""
        return self._server.address

    def lead_arms_to(self, port: int | None) -> None:
        """From now on arms are told this port of this machine instead of the server's address;
        None: the server's again."""
        own = self._server.address
        self._arms_address = own if port is None else replace(own, host="127.0.0.1", port=port)
        self.port = self._arms_address.port

    def url_for(self, schema: str) -> str:
        """`mysql://user:password@host:port/schema`, as arms get it. Never print it."""
        return self._arms_address.url(schema)

    def masked_url(self, schema: str = "") -> str:
        """The same with `***` for the password."""
        return self._server.address.masked_url(schema)

    def mask(self, text: str) -> str:
        """The text without the password."""
        return self._server.address.mask(text)

    def reset(self, schema: str) -> None:
        """Put rows and automatic key back to what was seeded.

        Raises EnvironmentNotReady after 10 s when an open transaction still holds the table.
        """
        self._check_ours(schema)
        if self._admin.value(next_key_query(), (schema,)) - NEXT_KEY > REFILLED_ABOVE_ROWS:
            for statement in refilling(schema):
                self._admin.rows(statement)
        else:
            self._admin.transaction(*putting_back(schema))
        if self._admin.value(next_key_query(), (schema,)) != NEXT_KEY:
            self._admin.rows(next_key_reset(schema))

    def drifted(self, schema: str) -> str | None:
        """How the schema differs from what was seeded; None when it does not."""
        (counts,) = self._admin.rows(difference_query(schema))
        found = [f"{number} rows {what}" for what, number in counts.items() if number]
        next_key = self._admin.value(next_key_query(), (schema,))
        if next_key != NEXT_KEY:
            found.append(f"the next key is {next_key} instead of {NEXT_KEY}")
        return ", ".join(found) or None

    def drop_arm_schemas(self) -> None:
        """Drop every schema made by this object."""
        while self._schemas:
            self._admin.rows(f"DROP DATABASE IF EXISTS {quoted(self._schemas.pop())}")

    def _check_ours(self, schema: str) -> None:
        if schema not in self._schemas:
            raise EnvironmentNotReady(f"Schema {schema} is not one that this run created.")

    def connections(self, schema: str) -> int | None:
        """Connections to a schema, as the server counts them."""
        query = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = %s"
        return int(self._admin.value(query, (schema,)))

    def counters(self) -> dict[str, float]:
        """What the server has counted of itself since it started."""
        listed = ", ".join(f"'{name}'" for name in COUNTERS)
        rows = self._admin.rows(f"SHOW GLOBAL STATUS WHERE Variable_name IN ({listed})")
        return {row["Variable_name"]: float(row["Value"]) for row in rows}

    def statement_digests(self, schema: str) -> dict[str, DigestTotals] | None:
        """The server's own totals per kind of statement in a schema; None where it keeps none, or
        where this user may not look."""
        if self._variables.get("performance_schema") != "ON":
            return None
        try:
            rows = self._admin.rows(
                "SELECT DIGEST_TEXT AS text, COUNT_STAR AS count, SUM_TIMER_WAIT AS total_ps FROM "
                "performance_schema.events_statements_summary_by_digest WHERE SCHEMA_NAME = %s",
                (schema,),
            )
        except RightMissing:
            return None
        return {
            row["text"]: DigestTotals(int(row["count"]), int(row["total_ps"]) / 1e12)
            for row in rows
            if row["text"] is not None
        }


def _variables(admin: Admin) -> dict[str, str]:
    rows = admin.rows("SHOW GLOBAL VARIABLES")
    return in_todays_names({row["Variable_name"]: row["Value"] for row in rows})
