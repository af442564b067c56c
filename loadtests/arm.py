"""PURE: one arm of a spec: a built-in app, a command or a URL, and what it may be set to."""

from __future__ import annotations

import shlex
import string
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from loadtests.scenarios.model import Frozen

TWINS = ("sync", "async")
SYNC_DRIVERS, ASYNC_DRIVERS = ("pymysql", "mysqldb"), ("aiomysql", "asyncmy")
DRIVERS = {
    "sync": SYNC_DRIVERS,
    "async": ASYNC_DRIVERS,
    "sync-ungated": SYNC_DRIVERS,
    "async-blocking": SYNC_DRIVERS,
    "async-ddl": ASYNC_DRIVERS,
    "async-ungated": ASYNC_DRIVERS,
    "hold-connection": ASYNC_DRIVERS,
    "n-plus-one": ASYNC_DRIVERS,
}
"""The built-in apps, twins and specimens, with the drivers each can speak through."""
UNGATED = frozenset({"sync-ungated", "async-ungated"})
"""Specimens whose mistake is that they have no admission gate."""
COMMAND_PLACEHOLDERS = frozenset({"port", "pool_size", "max_overflow", "threads", "workers"})
ENV_PLACEHOLDERS = COMMAND_PLACEHOLDERS | {"database_url"}


class Arm(Frozen):
    """One configuration under test: a built-in app, a command we start, or a URL."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
    app: str | None = None
    driver: str | None = None
    workers: PositiveInt = 1
    loop: Literal["uvloop", "asyncio"] = "uvloop"
    pool_size: PositiveInt = 10
    max_overflow: Annotated[int, Field(ge=0)] = 0
    pool_timeout_s: PositiveFloat = 5.0
    threads: PositiveInt = 40
    admission: Annotated[int, Field(ge=-1)] = 0
    command: str | None = None
    cwd: str | None = None
    env: dict[str, str] = Field(default_factory=dict)
    ready: Annotated[str, Field(pattern=r"^/")] = "/health"
    reset: str | None = None
    git_ref: str | None = None
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+")] | None = None
    headers: dict[str, str] = Field(default_factory=dict, repr=False)

    @property
    def kind(self) -> Literal["app", "command", "url"]:
        """Which of the three ways of being started this arm has."""
        if self.app is not None:
            return "app"
        return "command" if self.command is not None else "url"

    @property
    def gets_database_url(self) -> bool:
        """Whether the arm is told where its database is, and so works in a schema of ours."""
        return self.app is not None or (
            self.command is not None and any("{database_url}" in text for text in self.env.values())
        )

    @property
    def connections(self) -> int:
        """Most database connections one instance may hold."""
        return self.workers * (self.pool_size + self.max_overflow)

    @model_validator(mode="before")
    @classmethod
    def _ungated_by_name(cls, values: Any) -> Any:
        """A specimen that is about the missing gate has none, unless it is given one."""
        if isinstance(values, dict) and values.get("app") in UNGATED:
            return {"admission": -1, **values}
        return values

    @model_validator(mode="after")
    def _one_way(self) -> Arm:
        ways = [way for way in ("app", "command", "url") if getattr(self, way) is not None]
        if len(ways) != 1:
            said = " and ".join(ways) or "none"
            raise ValueError(f"an arm needs exactly one of app, command, url (given: {said})")
        if self.app is not None:
            self._check_app(self.app)
        if self.command is not None:
            self._check_command(self.command)
        if self.url is not None:
            check_host(self.url)
            _check_nothing_behind_the_path(self.url)
        if self.reset is not None:
            _check_words("reset", self.reset)
        return self

    def _check_app(self, app: str) -> None:
        if app not in DRIVERS:
            raise ValueError(f"app {app!r} is not built in; there are {', '.join(DRIVERS)}")
        if self.driver is not None and self.driver not in DRIVERS[app]:
            raise ValueError(
                f"driver {self.driver!r} does not fit app {app!r}; use {' or '.join(DRIVERS[app])}"
            )

    def _check_command(self, command: str) -> None:
        _check_words("command", command)
        _check_placeholders("command", command, COMMAND_PLACEHOLDERS)
        if "{port}" not in command and not any("{port}" in value for value in self.env.values()):
            raise ValueError("command must say where to listen: use {port} in command or env")
        for name, value in self.env.items():
            _check_placeholders(f"env.{name}", value, ENV_PLACEHOLDERS)


def check_host(url: str) -> None:
    """Raise ValueError, which does not repeat the URL, when host or port cannot be read."""
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:  # `http://[::1`, `http://h:99999`
        usable = False
    if not usable:
        raise ValueError(
            "host or port of the URL cannot be read (write @ : / in a password as %40 %3A %2F)"
        )


def _check_nothing_behind_the_path(url: str) -> None:
    if "?" in url or "#" in url:
        raise ValueError("url: what stands behind ? or # is never sent; put it into request paths")


def _check_words(key: str, text: str) -> None:
    """Raise ValueError when a command line cannot be split into words."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ValueError(f"{key} cannot be split into words: {error}") from error
    if not words:
        raise ValueError(f"{key} is empty")


def _check_placeholders(key: str, text: str, allowed: frozenset[str]) -> None:
    try:
        used = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    except ValueError as error:
        raise ValueError(f"{key}: {error}; write {{{{ and }}}} for literal braces") from error
    if unknown := used - allowed:
        listed = ", ".join(f"{{{name}}}" for name in sorted(unknown))
        raise ValueError(f"{key}: unknown placeholder {listed}")
