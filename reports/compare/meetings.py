"""PURE: a comparison of the reference run meets its counterpart in another run, if it has one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loadtests.scenarios.model import Scenario
from reports import words
from reports.compare.arms import ArmPair, pair_arms
from reports.compare.loads import (
    load_differs,
    load_remarks,
    matching_load,
    scenario_differs,
)
from reports.compare.record import RunRecord
from reports.compare.setup import changed_ground, setup_of
from reports.model import Comparison, LoadFacts


@dataclass(frozen=True)
class Other:
    """Another run, seen from the reference run."""

    letter: str
    run: RunRecord
    arms: Mapping[str, ArmPair]
    """By the names of the reference run."""
    ground: tuple[str, ...] = ()
    """What every arm runs on, as far as it is not the same in the reference run."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Two comparisons of one question in two runs."""

    reference: Comparison
    other: Comparison
    through: ArmPair
    """The arm of both runs that the claim goes through: the common one where there is one."""
    subject: ArmPair
    obstacle: str | None
    """What forbids a claim, however the numbers came out."""
    remarks: tuple[str, ...]

    @property
    def reference_is_turned(self) -> bool:
        """Whether the reference run compares the other way round than the claim does."""
        return self.reference.baseline != self.through.name

    @property
    def other_is_turned(self) -> bool:
        """Whether the other run does."""
        return self.other.baseline != self.through.other_name


def other_run(letter: str, run: RunRecord, reference: RunRecord) -> Other:
    """A run with its arms' counterparts in the reference run."""
    arms = pair_arms(reference.spec, run.spec, reference.told_arms, run.told_arms)
    ground = changed_ground(setup_of((reference, run)))
    return Other(letter, run, arms, tuple(map(words.within_a_sentence, ground)))


def meeting_of(
    reference: RunRecord, other: Other, scenario: str, found: Comparison
) -> Meeting | str:
    """The meeting, or in words why the other run has no counterpart."""
    if other.run.scenario(scenario) is None:
        return f"{other.letter} has no scenario {words.tidy(scenario)}"
    pairs = [other.arms.get(arm) for arm in (found.baseline, found.candidate)]
    first, second = pairs
    if first is None or second is None:
        missing = found.baseline if first is None else found.candidate
        return f"{other.letter} has no arm {words.tidy(missing)}"
    load = reference.load(scenario, found.load)
    definitions = reference.defined(scenario), other.run.defined(scenario)
    loads = reference.loads(scenario), other.run.loads(scenario)
    theirs = matching_load(load, *loads, *definitions)
    match = None if theirs is None else _counterpart(other, scenario, theirs, found, first, second)
    if theirs is None or match is None:
        return f"{other.letter} did not measure it"
    through, subject = (second, first) if second.is_common > first.is_common else (first, second)
    return Meeting(
        reference=found,
        other=match,
        through=through,
        subject=subject,
        obstacle=scenario_differs(*definitions)
        or load_differs(load, theirs, *definitions)
        or _no_common_arm(first, second),
        remarks=(
            *_windows(reference.spec.block_s_of(definitions[0]), other.run, definitions[1]),
            *(words.tidy(doubt) for doubt in (*through.doubts, *subject.doubts)),
            *load_remarks(load, theirs, definitions[0], other.ground),
        ),
    )


def _counterpart(
    other: Other,
    scenario: str,
    load: LoadFacts,
    found: Comparison,
    first: ArmPair,
    second: ArmPair,
) -> Comparison | None:
    """The other run's comparison of the same two arms, in either direction."""
    arms = {first.other_name, second.other_name}
    return next(
        (
            each
            for each in other.run.comparisons(scenario)
            if (each.load, each.metric, each.request) == (load.load, found.metric, found.request)
            and {each.baseline, each.candidate} == arms
        ),
        None,
    )


def _no_common_arm(first: ArmPair, second: ArmPair) -> str | None:
    if first.is_common or second.is_common:
        return None
    told = "; ".join(
        f"{words.tidy(pair.name)}: {words.tidy(', '.join(pair.differences))}"
        for pair in (first, second)
    )
    return f"no arm in common: the settings of both differ ({told})"


def _windows(window_s: float, other: RunRecord, definition: Scenario) -> list[str]:
    theirs_s = other.spec.block_s_of(definition)
    if theirs_s == window_s:
        return []
    return [f"windows are not of the same length ({window_s:g} s against {theirs_s:g} s)"]
