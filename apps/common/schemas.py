"""What goes in and out over HTTP, every input bounded by what its column can hold."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import SkipJsonSchema

from apps.common.request_times import handed_over, taken_over

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
"""The range of MySQL's INT."""
PAGE_SIZE_MAX = 1000
READS_MAX = 100
BULK_MAX = 1000
WAIT_MS_MAX = 60_000

# MySQL would store a NUL byte; most clients and log files would cut the text there.
_NO_NUL = r"^[^\x00]*$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=_NO_NUL)]
Description = Annotated[str, StringConstraints(max_length=500, pattern=_NO_NUL)]


def _whole(number: Any) -> Any:
    """JSON does not tell 1.0 from 1, and neither does JSON Schema; strict validation would."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


Price = Annotated[int, Field(ge=INT_MIN, le=INT_MAX), BeforeValidator(_whole)]

# The loop's last work before the endpoint is to check its parameters, so that is where the wait for
# a worker thread begins: else sync's would hold what is async's own work.
_CHECKED = AfterValidator(handed_over)
ItemId = Annotated[int, Path(ge=1, le=INT_MAX), _CHECKED]
WaitMs = Annotated[int, Query(ge=0, le=WAIT_MS_MAX), _CHECKED]


class Input(BaseModel):
    """Refuses fields it does not know, and numbers written as strings."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewItem(Input):
    """An item to be created."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "lamp", "description": "brass", "price": 1900}]}
    )

    name: Name
    description: Description | None = None
    price: Price


class Changes(Input):
    """Columns to set; at least one. Only `description` may be set to null."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "examples": [{"price": 2100}]})

    name: Name | SkipJsonSchema[None] = None
    description: Description | None = None
    price: Price | SkipJsonSchema[None] = None

    @model_validator(mode="after")
    def _something_to_set(self) -> Changes:
        if not self.model_fields_set:
            raise ValueError("name at least one column to set: name, description, price")
        nulls = [name for name in ("name", "price") if name in self.model_fields_set]
        if any(getattr(self, name) is None for name in nulls):
            raise ValueError("name and price cannot be null")
        return self

    def columns(self) -> dict[str, Any]:
        """The columns that were given, with their new values."""
        return self.model_dump(exclude_unset=True)


class Conditions(BaseModel):
    """What a statement's rows must equal; at least one, so that it never takes the whole table."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[int, Field(ge=1, le=INT_MAX)] | None = None
    name: Name | None = None
    price: Price | None = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Conditions:
        if not self.model_fields_set:
            raise ValueError("a statement needs at least one condition: id, name, price")
        return self


class PageQuery(BaseModel):
    """Which items: a numbered page, or up to `limit` items after an id."""

    model_config = ConfigDict(extra="forbid")

    page: Annotated[int, Field(ge=1, le=INT_MAX)] = 1
    page_size: Annotated[int, Field(ge=1, le=PAGE_SIZE_MAX)] = 20
    after: Annotated[int, Field(ge=0, le=INT_MAX)] | None = None
    limit: Annotated[int, Field(ge=1, le=PAGE_SIZE_MAX)] = 20

    @model_validator(mode="after")
    def _one_way(self) -> PageQuery:
        given = self.model_fields_set
        if self.after is None and "limit" in given:
            raise ValueError("limit goes with after; numbered pages take page and page_size")
        if self.after is not None and given & {"page", "page_size"}:
            raise ValueError("give either page and page_size, or after and limit")
        return self


class ReadsQuery(BaseModel):
    """Which items to read one by one: `n` of them, from `first` on."""

    model_config = ConfigDict(extra="forbid")

    n: Annotated[int, Field(ge=1, le=READS_MAX)] = 3
    first: Annotated[int, Field(ge=1, le=INT_MAX - READS_MAX)] = 1

    def item_ids(self) -> range:
        """Their keys, in the order in which they are read."""
        return range(self.first, self.first + self.n)


WhichPage = Annotated[PageQuery, Query(), _CHECKED]
WhichReads = Annotated[ReadsQuery, Query(), _CHECKED]
WhichRows = Annotated[Conditions, Query(), _CHECKED]

Moment = Annotated[
    datetime,
    WithJsonSchema({"type": "string", "description": "ISO 8601, in UTC, without a zone"}),
]
"""Not JSON Schema's `date-time`, which demands a zone."""


class ItemOut(BaseModel):
    """An item as it is sent."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    description: str | None
    price: int
    created_at: Moment
    updated_at: Moment


class Inserted(BaseModel):
    """How many rows an insert statement added."""

    inserted: int


class Updated(BaseModel):
    """How many rows an update statement matched."""

    updated: int


class Deleted(BaseModel):
    """How many rows a delete statement removed."""

    deleted: int


class Waited(BaseModel):
    """How long a request was asked to take."""

    ms: int


class Status(BaseModel):
    """A sign of life."""

    status: str


OneItem = Annotated[NewItem, _CHECKED]
ToChange = Annotated[Changes, _CHECKED]


def _one_or_many(body: Any) -> str:
    return "many" if isinstance(body, list) else "one"


OneOrMany = Annotated[
    Annotated[NewItem, Tag("one")]
    | Annotated[list[NewItem], Field(min_length=1, max_length=BULK_MAX), Tag("many")],
    Discriminator(_one_or_many),
    _CHECKED,
]
"""The body of an insert statement."""

# FastAPI checks a sync endpoint's answer in a worker thread: a second wait, seen from inside.
ItemAnswer = Annotated[ItemOut, BeforeValidator(taken_over)]
ItemsAnswer = Annotated[list[ItemOut], BeforeValidator(taken_over)]
InsertedAnswer = Annotated[Inserted, BeforeValidator(taken_over)]
UpdatedAnswer = Annotated[Updated, BeforeValidator(taken_over)]
DeletedAnswer = Annotated[Deleted, BeforeValidator(taken_over)]
WaitedAnswer = Annotated[Waited, BeforeValidator(taken_over)]
StatusAnswer = Annotated[Status, BeforeValidator(taken_over)]
