"""PURE: a whole spec as frozen models, checked as one: run settings, arms, scenarios, tuning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from loadtests.arm import Arm, check_host
from loadtests.scenarios.model import BlockSeconds, Frozen, Scenario
from loadtests.spec_errors import wrong_name
from loadtests.tuning.checks import beyond_timeout, wrong_in_tune
from loadtests.tuning.spec import ObjectiveSpec, TuneSpec

DATABASES = ("auto", "docker", "local", "none")
"""What `run.database` may be besides a URL."""
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
    objective: ObjectiveSpec = ObjectiveSpec()

    @field_validator("database")
    @classmethod
    def _database_can_be_read(cls, database: str) -> str:
        if database in DATABASES:
            return database
        if not database.startswith("mysql://"):
            raise ValueError(
                f"must be {', '.join(DATABASES)} or mysql://user:password@host:port/name"
            )
        check_host(database)
        return database

    @model_validator(mode="after")
    def _distance_needs_a_database(self) -> RunSpec:
        if self.database_rtt_ms and self.database == "none":
            raise ValueError('database_rtt_ms delays the way to a database, but database = "none"')
        return self


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
    def _objective_fits(self) -> Spec:
        if self.run.objective != ObjectiveSpec():  # left out, it is not in the way of a run
            for scenario in self.scenario:
                beyond = beyond_timeout(self.run.objective, scenario)
                if beyond and scenario.load.model != "closed":
                    raise _located(("run", "objective", "p99_ms"), beyond)
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
