"""What is taken from one run's folder to compare it with others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadtests.manifest import object_of
from loadtests.scenarios.model import Scenario
from loadtests.spec import Spec
from reports.compare.model import Absolute, Source
from reports.model import Comparison, LoadFacts, ScenarioSummary, Summary
from reports.percentiles import Floats


@dataclass(frozen=True)
class Curve:
    """The percentile spectrum of one arm at the load its latency is judged at."""

    scenario: str
    arm: str
    load: LoadFacts
    share: Floats
    value_ms: Floats
    read_ms: Mapping[float, float]
    """Response time in ms at some percentiles, as far as enough answers were slower."""
    answers: int
    valid: bool


@dataclass(frozen=True)
class RunRecord:
    """One run: how it was made, what it answers, and what its charts need."""

    manifest: Mapping[str, Any]
    spec: Spec
    summary: Summary
    answer_from: Source
    remarks: tuple[str, ...]
    points: tuple[Absolute, ...] = ()
    """Without a letter, which a run has only among others."""
    curves: tuple[Curve, ...] = ()

    @property
    def run(self) -> str:
        """The run's name."""
        return self.summary.run

    @property
    def told_arms(self) -> Mapping[str, Any]:
        """What the arms told of themselves."""
        return object_of(self.manifest, "arms")

    def scenario(self, name: str) -> ScenarioSummary | None:
        """The answer on one scenario."""
        return next((each for each in self.summary.scenarios if each.name == name), None)

    def defined(self, name: str) -> Scenario:
        """A scenario as the spec has it."""
        return self.spec.scenario_named(name)

    def loads(self, scenario: str) -> tuple[LoadFacts, ...]:
        """The loads of one scenario."""
        found = self.scenario(scenario)
        return found.loads if found else ()

    def load(self, scenario: str, name: str) -> LoadFacts:
        """The load called `name`."""
        return next(each for each in self.loads(scenario) if each.load == name)

    def comparisons(self, scenario: str) -> tuple[Comparison, ...]:
        """What the run compares in one scenario."""
        found = self.scenario(scenario)
        return found.comparisons if found else ()
