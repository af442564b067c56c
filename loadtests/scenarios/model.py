"""A scenario as data: weighted requests and where their keys come from. No Locust, no clock."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
BlockSeconds = Annotated[float, Field(gt=0, le=60)]
READING_METHODS = frozenset({"GET", "HEAD"})


class Frozen(BaseModel):
    """Immutable, and strict: no unknown keys, no `"4"` or `true` for 4, no infinite numbers.

    Tuples say `strict=False`, since TOML and JSON have lists; their entries stay strict.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,  # a value may be a secret
    )


class Keys(Frozen):
    """The whole numbers `{key}` is drawn from, both ends included.

    With `unique`, no key is drawn twice within one trial (for deletes).
    """

    first: Annotated[int, Field(alias="from", ge=0)]
    last: Annotated[int, Field(alias="to", ge=0)]
    unique: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Keys:
        if self.last < self.first:
            raise ValueError(f"keys.to ({self.last}) is below keys.from ({self.first})")
        return self


class Request(Frozen):
    """One kind of request; `{key}` in path and JSON strings is replaced by a key."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    method: Method = "GET"
    path: Annotated[str, Field(pattern=r"^/\S*$")]
    keys: Keys | None = None
    weight: PositiveFloat = 1.0
    json_body: Annotated[Any, Field(alias="json")] = None
    headers: dict[str, str] = Field(default_factory=dict, repr=False)
    expect_status: Annotated[
        tuple[Annotated[int, Field(ge=100, le=599)], ...], Field(strict=False)
    ] = ()
    """Statuses that count as good; empty means any 2xx."""

    @property
    def writes(self) -> bool:
        """Whether the method may change data."""
        return self.method not in READING_METHODS

    @model_validator(mode="after")
    def _key_has_a_range(self) -> Request:
        if self.keys is None and "{key}" in f"{self.path}{self.json_body}":
            raise ValueError("{key} is used but keys = { from = …, to = … } is missing")
        return self

    @field_validator("json_body")
    @classmethod
    def _is_json(cls, body: Any) -> Any:
        """TOML has dates and infinite numbers; JSON has not."""
        try:
            json.dumps(body, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"cannot be sent as JSON: {error}") from error
        return body


class LoadSpec(Frozen):
    """How hard to push: `closed`, `open`, or `auto` (one closed load, then open loads at shares of
    the lower capacity measured in a pilot)."""

    model: Literal["auto", "closed", "open"] = "auto"
    users: PositiveInt = 16
    rate_per_s: PositiveFloat | None = None
    arrivals: Literal["poisson", "uniform"] = "poisson"
    open_shares: Annotated[tuple[Annotated[float, Field(gt=0, le=2)], ...], Field(strict=False)] = (
        0.5,
    )
    """Open loads of `auto`, as shares of the lower arm's capacity; the first is primary."""

    @model_validator(mode="after")
    def _complete(self) -> LoadSpec:
        if self.model == "open" and self.rate_per_s is None:
            raise ValueError("an open load needs rate_per_s")
        return self


class Scenario(Frozen):
    """What the users do, and how hard."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    load: LoadSpec = LoadSpec()
    timeout_s: PositiveFloat = 10.0
    block_s: BlockSeconds | None = None
    """Steady window of its trials; None means that of `[run]` (see `Spec.block_s_of`)."""
    about: str | None = None
    """The request whose p95 is the scenario's primary latency; by default the first request."""
    request: Annotated[tuple[Request, ...], Field(strict=False)] = ()
    locustfile: str | None = None
    """A file with the user's own Locust users, instead of `request`."""
    arms: Annotated[tuple[str, ...], Field(min_length=1, strict=False)] | None = None
    """The arms it is for, its baseline first; None means all (see `Spec.arms_of`)."""
    expect_errors: bool = False
    """Whether every arm but the baseline may fail requests without making the result invalid. Then
    capacity alone is compared, since it counts good answers only."""

    @property
    def judged_request(self) -> str | None:
        """Name of the request the scenario is about (None with a locustfile)."""
        return self.about or (self.request[0].name if self.request else None)

    @property
    def writes(self) -> bool:
        """Whether a trial may change data, so that tables are put back before it."""
        return self.locustfile is not None or any(request.writes for request in self.request)

    @model_validator(mode="after")
    def _consistent(self) -> Scenario:
        names = [request.name for request in self.request]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"request {name!r} is named twice")
        if self.expect_errors and self.load.model != "closed":
            raise ValueError(
                "expect_errors needs a closed load: response times of the requests that survive "
                "say nothing"
            )
        if self.about is not None and self.about not in names:
            raise ValueError(f"about = {self.about!r} is none of its requests ({', '.join(names)})")
        if self.locustfile is not None and self.request:
            raise ValueError("give either request tables or a locustfile, not both")
        if self.locustfile is not None and self.load.model != "closed":
            raise ValueError('a locustfile needs load = { model = "closed", users = … }')
        return self
