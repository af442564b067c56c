"""The `[tune]` table of a spec: what may be changed, and what the service must keep."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from loadtests.scenarios.model import Frozen

Knob = Literal["pool_size", "max_overflow", "threads", "workers", "admission"]
KNOBS: tuple[Knob, ...] = get_args(Knob)

Choices = Annotated[tuple[PositiveInt, ...], Field(min_length=1, strict=False)]


class ObjectiveSpec(Frozen):
    """What a setting must keep at a load to be credited with it."""

    p99_ms: Annotated[float, Field(gt=0, le=60_000)] = 100.0
    max_error_pct: Annotated[float, Field(ge=0, le=100)] = 0.1


class KnobsSpec(Frozen):
    """Choices for each knob; None leaves it as the arm has it."""

    pool_size: Choices | None = None
    max_overflow: (
        Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1, strict=False)] | None
    ) = None
    threads: Choices | None = None
    workers: Choices | None = None
    admission: (
        Annotated[tuple[Annotated[int, Field(ge=-1)], ...], Field(min_length=1, strict=False)]
        | None
    ) = None

    def choices(self) -> dict[Knob, tuple[int, ...]]:
        """Those that are named."""
        named = {knob: getattr(self, knob) for knob in KNOBS}
        return {knob: values for knob, values in named.items() if values is not None}


USUAL_KNOBS = KnobsSpec(pool_size=(2, 5, 10, 20, 40), threads=(10, 40), admission=(-1, 0))


class TuneSpec(Frozen):
    """The `[tune]` table. `arms` and `scenario`: None means every arm that can be set, and the
    first scenario. `max_connections`: of the server in production, where ours is not that one."""

    arms: Annotated[tuple[str, ...], Field(min_length=1, strict=False)] | None = None
    scenario: str | None = None
    objective: ObjectiveSpec = ObjectiveSpec()
    reserve_connections: Annotated[int, Field(ge=0)] = 10
    max_connections: PositiveInt | None = None
    budget_s: PositiveFloat = 420.0
    rtt_change_ms: Annotated[float, Field(gt=0, le=1000)] = 2.0
    knobs: KnobsSpec = USUAL_KNOBS

    @model_validator(mode="after")
    def _something_to_change(self) -> TuneSpec:
        if not self.knobs.choices():
            raise ValueError("knobs names nothing to change; give at least pool_size = [5, 10, 20]")
        return self
