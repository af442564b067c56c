"""The only reader of specs: TOML file or built-in profile, overrides, checks; frozen models out."""

from __future__ import annotations

import difflib
import os
import shlex
import string
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from loadtests.errors import SpecError
from loadtests.overrides import apply_overrides
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.scenarios.model import BlockSeconds, Frozen, Scenario
from loadtests.spec_errors import Told, explain, wrong_name
from loadtests.tuning.checks import wrong_in_tune
from loadtests.tuning.spec import TuneSpec

PROFILES_DIR = Path(__file__).parent / "profiles"
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

DATABASES = ("auto", "docker", "local", "none")
"""What `run.database` may be besides a URL."""
HOW_TO_WRITE = "docs/spec.md shows a whole spec; bench run smoke needs none."

AutoOrCount = Literal["auto"] | PositiveInt


class RunSpec(Frozen):
    """The `[run]` table."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    database: Annotated[str, Field(repr=False)] = "auto"
    durability: Literal["durable", "relaxed"] = "durable"
    database_rtt_ms: Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)] = 0.0
    instances: AutoOrCount = "auto"
    rounds: AutoOrCount = "auto"
    pairs: AutoOrCount = "auto"
    block_s: BlockSeconds = 1.0
    target_ci_pct: PositiveFloat = 3.0
    budget_s: PositiveFloat = 300.0
    equivalence_pct: PositiveFloat = 5.0
    max_error_pct: Annotated[float, Field(ge=0, le=100)] = 0.1
    generators: AutoOrCount = "auto"

    @field_validator("database")
    @classmethod
    def _database_can_be_read(cls, database: str) -> str:
        if database in DATABASES:
            return database
        if not database.startswith("mysql://"):
            raise ValueError(
                f"must be {', '.join(DATABASES)} or mysql://user:password@host:port/name"
            )
        _check_host(database)
        return database

    @model_validator(mode="after")
    def _distance_needs_a_database(self) -> RunSpec:
        if self.database_rtt_ms and self.database == "none":
            raise ValueError('database_rtt_ms delays the way to a database, but database = "none"')
        return self


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
            _check_host(self.url)
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


def _check_host(url: str) -> None:
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


class Spec(Frozen):
    """A whole spec: run settings, arms, scenarios. The first arm of a scenario is its baseline."""

    run: RunSpec = RunSpec()
    arm: Annotated[tuple[Arm, ...], Field(min_length=1, strict=False)]
    scenario: Annotated[tuple[Scenario, ...], Field(min_length=1, strict=False)]
    tune: TuneSpec = TuneSpec()
    source: str = "spec"
    """Where the spec came from, for messages and the manifest."""
    folder: str = "."
    """The folder that relative paths in the spec refer to."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Spec:
        for kind, names in (
            ("arm", [arm.name for arm in self.arm]),
            ("scenario", [scenario.name for scenario in self.scenario]),
        ):
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"{kind} {name!r} is named twice")
        return self

    @model_validator(mode="after")
    def _scenarios_and_arms_fit(self) -> Spec:
        known = [arm.name for arm in self.arm]
        for index, scenario in enumerate(self.scenario):
            if wrong := wrong_name(scenario.arms or (), known):
                raise _located(("scenario", index, "arms"), wrong)
        used = {arm.name for scenario in self.scenario for arm in self.arms_of(scenario)}
        for index, name in enumerate(known):
            if name not in used:
                raise _located(("arm", index, "name"), f"no scenario is for arm {name!r}")
        return self

    @model_validator(mode="after")
    def _tune_fits(self) -> Spec:
        if self.tune != TuneSpec():  # left out, it is not in the way of a run
            for key, wrong in wrong_in_tune(self):
                raise _located(("tune", *key), wrong)
        return self

    @property
    def tuned_scenario(self) -> Scenario:
        """The scenario that `bench tune` loads arms with."""
        return self.scenario_named(self.tune.scenario or self.scenario[0].name)

    @property
    def tuned_arms(self) -> tuple[Arm, ...]:
        """The arms that `bench tune` tunes: those named, or all of its scenario that can be set."""
        if self.tune.arms is not None:
            return tuple(map(self.arm_named, self.tune.arms))
        return tuple(arm for arm in self.arms_of(self.tuned_scenario) if arm.kind != "url")

    def arms_of(self, scenario: Scenario) -> tuple[Arm, ...]:
        """The arms a scenario is for, its baseline first."""
        return self.arm if scenario.arms is None else tuple(map(self.arm_named, scenario.arms))

    def block_s_of(self, scenario: Scenario) -> float:
        """The steady window of a scenario's trials."""
        return scenario.block_s or self.run.block_s

    def expects_errors(self, scenario: Scenario, arm: str) -> bool:
        """Whether an arm may fail requests in a scenario: never a baseline."""
        return scenario.expect_errors and arm != self.arms_of(scenario)[0].name

    @model_validator(mode="after")
    def _distance_is_the_same_for_all(self) -> Spec:
        if self.run.database_rtt_ms:
            for arm in self.arm:
                if not arm.gets_database_url:
                    raise ValueError(
                        f"arm {arm.name!r} does not take {{database_url}}, so database_rtt_ms would"
                        " not reach it; all arms must be equally far from their database"
                    )
        return self

    def scenario_named(self, name: str) -> Scenario:
        """The scenario called `name`; KeyError when there is none."""
        return next(scenario for scenario in self.scenario if scenario.name == name)

    def arm_named(self, name: str) -> Arm:
        """The arm called `name`; StopIteration when there is none."""
        return next(arm for arm in self.arm if arm.name == name)


def _located(location: tuple[str | int, ...], message: str) -> ValidationError:
    """An error of the whole spec that is to be told at one of its keys."""
    kind = PydanticCustomError("value_error", "{message}", {"message": message})
    details = InitErrorDetails(type=kind, loc=location, input=None)
    return ValidationError.from_exception_data("Spec", [details])


def profile_names() -> list[str]:
    """Names of the built-in profiles."""
    return sorted(path.stem for path in PROFILES_DIR.glob("*.toml"))


def load_spec(
    source: str = "quick",
    *,
    overrides: Sequence[str] = (),
    seed: int | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Spec:
    """Read a TOML file or a built-in profile and check it.

    `overrides` are `KEY=VALUE` with dotted keys (`run.block_s=0.5`, `arm.sync.pool_size=20`); they
    win over the file. `BENCH_DATABASE_URL` in `environ` replaces `database = "auto"`.
    Raises SpecError, which names file, key and line.
    """
    path = _find(source)
    text = _read_text(path)
    data = _parse(text, path)
    _check_tables(data, Told(text, path, {}))
    origins = apply_overrides(data, overrides, seed, environ)
    return _validated(data, Told(text, path, origins), source)


def _find(source: str) -> Path:
    path = Path(source)
    if path.is_file():
        return path
    profile = PROFILES_DIR / f"{source}.toml"
    if profile.is_file():
        return profile
    names = profile_names()
    meant = difflib.get_close_matches(source, names, n=1)
    raise SpecError(
        f"There is no spec file or built-in profile called {source!r}.",
        hint=(f"Did you mean {meant[0]}? " if meant else "")
        + f"Built-in profiles: {', '.join(names)}. See bench run --help.",
    )


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(
            f"{path}: cannot be read as UTF-8 text ({error}).", hint=HOW_TO_WRITE
        ) from error


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{path}: not valid TOML: {error}.", hint=HOW_TO_WRITE) from error


def _validated(data: dict[str, Any], told: Told, source: str) -> Spec:
    path = told.path
    for reserved in ("source", "folder"):
        if reserved in data:
            raise SpecError(f"{told.blame((reserved,))}: unknown key {reserved!r}.")
    _check_tables(data, told)
    data["scenario"] = [
        _with_built_in(entry, told.blame(("scenario", index, "name")))
        for index, entry in enumerate(data.get("scenario", []))
    ]
    try:
        spec = Spec.model_validate({**data, "source": source, "folder": str(path.parent)})
    except ValidationError as error:
        raise SpecError(
            explain(error, data, told), hint="See docs/spec.md for every key."
        ) from error
    _check_paths(spec, path)
    return spec


def _check_tables(data: dict[str, Any], told: Told) -> None:
    """Raise SpecError unless the four kinds of tables are written as such."""
    for key in ("run", "tune"):
        if not isinstance(data.get(key, {}), dict):
            raise SpecError(f"{told.blame((key, 0))}: {key} must be written as one [{key}] table.")
    for key in ("arm", "scenario"):
        entries = data.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise SpecError(f"{told.blame((key,))}: {key} must be written as [[{key}]] tables.")


def _with_built_in(entry: dict[str, Any], blamed: str) -> dict[str, Any]:
    """A scenario without requests takes those of the built-in one of its name."""
    name = entry.get("name")
    if "request" in entry or "locustfile" in entry or not isinstance(name, str):
        return entry
    if name not in BUILT_IN:
        raise SpecError(
            f"{blamed}: scenario {name!r} is not built in and has no requests.",
            hint=f"Built in: {', '.join(BUILT_IN)}; or add [[scenario.request]] tables.",
        )
    return {**BUILT_IN[name].model_dump(by_alias=True), **entry}


def _check_paths(spec: Spec, path: Path) -> None:
    for scenario in spec.scenario:
        if scenario.locustfile and not (path.parent / scenario.locustfile).is_file():
            raise SpecError(f"{path}: scenario {scenario.name!r}: no file {scenario.locustfile!r}.")
    for arm in spec.arm:
        if arm.cwd and not (path.parent / arm.cwd).is_dir():
            raise SpecError(f"{path}: arm {arm.name!r}: no folder {arm.cwd!r}.")
