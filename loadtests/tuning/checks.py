"""PURE: what a `[tune]` table asks for that the rest of its spec cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from loadtests.errors import SpecError
from loadtests.scenarios.model import Scenario
from loadtests.spec_errors import wrong_name
from loadtests.tuning.spec import ObjectiveSpec

if TYPE_CHECKING:
    from loadtests.spec import Spec

Wrong = tuple[tuple[str, ...], str]
"""A key below `[tune]`, and what is wrong with it."""


def wrong_in_tune(spec: Spec) -> Iterator[Wrong]:
    """Every problem, as far as one does not hide the others."""
    known = [scenario.name for scenario in spec.scenario]
    if spec.tune.scenario not in (None, *known):
        there_are = f"there are {', '.join(known)}"
        yield ("scenario",), f"no scenario is called {spec.tune.scenario!r} ({there_are})"
        return
    scenario = spec.tuned_scenario
    if scenario.locustfile is not None:
        yield ("scenario",), f"{scenario.name!r} has Locust users of its own: closed loads only"
    if beyond := beyond_timeout(spec.tune.objective, scenario):
        yield ("objective", "p99_ms"), beyond
    yield from _wrong_arms(spec)


def beyond_timeout(objective: ObjectiveSpec, scenario: Scenario) -> str:
    """What is wrong with an objective that only requests which were given up could miss."""
    if objective.p99_ms / 1e3 < scenario.timeout_s:
        return ""
    return f"not below the timeout of scenario {scenario.name!r} ({scenario.timeout_s:g} s)"


def _wrong_arms(spec: Spec) -> Iterator[Wrong]:
    named, scenario = spec.tune.arms or (), spec.tuned_scenario
    if wrong := wrong_name(named, [arm.name for arm in spec.arm]):
        yield ("arms",), wrong
        return
    for arm in map(spec.arm_named, named):
        if arm.kind == "url":
            yield ("arms",), f"{arm.name!r} is a url: an arm whose settings cannot be changed"
        elif arm not in spec.arms_of(scenario):
            yield ("arms",), f"scenario {scenario.name!r} is not for arm {arm.name!r}"


def check_can_be_tuned(spec: Spec) -> None:
    """Raise SpecError when the table, or what stands for it when it is left out, cannot be done."""
    for key, wrong in wrong_in_tune(spec):
        raise SpecError(
            f"{spec.source}: tune {' '.join(key)}: {wrong}.",
            hint="See [tune] in docs/spec.md.",
        )
    if not spec.tuned_arms:
        raise SpecError(
            f"{spec.source}: scenario {spec.tuned_scenario.name!r} has arms with a url only: arms "
            "whose settings cannot be changed.",
            hint="Add an arm with app or command, or choose another scenario in [tune].",
        )
