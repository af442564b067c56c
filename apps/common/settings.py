"""An app's settings: read once from TWIN_* environment variables, checked, frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)

PREFIX = "TWIN_"
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
"""Drivers that each twin and specimen can speak through; the first is the default."""
NO_GATE = -1
"""The value of `admission` that leaves the gate out."""


class SettingsError(Exception):
    """A TWIN_* variable is missing, unknown or out of range; the message names it."""


class Settings(BaseModel):
    """Everything that can differ between two instances of an app.

    `admission`: requests let in at once, first come first served; 0 = as many as the pool holds,
    -1 = no gate. With the gate, `pool_timeout_s` bounds all that a request waits for taken together
    (`deadline.py`); without it, each wait but that for a thread. `body_timeout_s` bounds the wait
    for its body.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    app: str
    driver: str
    database_url: SecretStr | None = None
    pool_size: PositiveInt = 10
    max_overflow: Annotated[int, Field(ge=0)] = 0
    pool_timeout_s: PositiveFloat = 5.0
    body_timeout_s: PositiveFloat = 30.0
    threads: PositiveInt = 40
    admission: Annotated[int, Field(ge=-1)] = 0
    telemetry: bool = True

    @model_validator(mode="before")
    @classmethod
    def _default_driver(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {"driver": DRIVERS[values["app"]][0], **values}

    @model_validator(mode="after")
    def _driver_fits(self) -> Settings:
        if self.driver not in DRIVERS[self.app]:
            fitting = " or ".join(DRIVERS[self.app])
            raise ValueError(f"driver {self.driver!r} does not fit the app {self.app}: {fitting}")
        return self

    @property
    def admitted(self) -> int | None:
        """Requests the gate lets in at once; None when there is no gate."""
        if self.admission == NO_GATE:
            return None
        return self.admission or self.pool_size + self.max_overflow

    @classmethod
    def from_environment(
        cls,
        app: str,
        environ: Mapping[str, str] = os.environ,
        usual: Mapping[str, Any] | None = None,
    ) -> Settings:
        """Settings of the twin or specimen called `app`, from the TWIN_* variables of `environ`,
        over those that are `usual` for it.

        Raises SettingsError, which names the variables that are wrong.
        """
        given = {
            name.removeprefix(PREFIX).lower(): value
            for name, value in environ.items()
            if name.startswith(PREFIX) and value != ""
        }
        try:
            return cls.model_validate({**(usual or {}), **given, "app": app})
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None


def _explain(error: ValidationError) -> str:
    """One line per wrong variable, without its value (it may hold a password)."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        name = "".join(str(part).upper() for part in problem["loc"][:1]) or "DRIVER"
        what = "unknown setting" if problem["type"] == "extra_forbidden" else problem["msg"]
        lines.append(f"{PREFIX}{name}: {what}")
    return "\n".join(lines)
