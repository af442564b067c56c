"""PURE: the settings that may be tried, in which order, and which lie next to each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from loadtests.schedule import PROCESS_MEMORY_MB
from loadtests.spec import ASYNC_DRIVERS, DRIVERS, Arm
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting, fleet_connections, fleet_words
from loadtests.tuning.spec import KNOBS, Knob

Choices = Mapping[Knob, Sequence[int]]
CONNECTION_KNOBS: tuple[Knob, ...] = ("pool_size", "max_overflow", "workers")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a setting must fit into; None where there is no such limit.

    `connections`: what the server leaves to the arm on all its `hosts` together, the reserve
    taken off. `memory_mb`: for the processes of one instance.
    """

    connections: int | None = None
    memory_mb: float | None = None
    hosts: int = 1

    def refusal(self, setting: Setting) -> str | None:
        """Why a setting does not fit; None when it does."""
        wanted = fleet_connections(setting, self.hosts)
        if self.connections is not None and wanted > self.connections:
            return f"{fleet_words(setting, self.hosts)} of {self.connections}"
        memory_mb = setting.workers * PROCESS_MEMORY_MB
        if self.memory_mb is not None and memory_mb > self.memory_mb:
            return f"{setting.workers} workers may take {memory_mb:.0f} of {self.memory_mb:.0f} MB"
        return None


@dataclass(frozen=True, slots=True)
class Space:
    """The settings to choose from: `settings` in ascending order of cost, `refused` with reasons,
    and `notes` on knobs that were left alone."""

    choices: dict[Knob, tuple[int, ...]]
    settings: tuple[Setting, ...]
    refused: dict[Setting, str]
    notes: tuple[str, ...] = ()

    def neighbours(self, setting: Setting) -> list[Setting]:
        """Settings one step away in one knob, in ascending order of cost."""
        near = []
        for knob, values in self.choices.items():
            place = values.index(getattr(setting, knob))
            around = values[max(0, place - 1) : place + 2]
            near += [setting.with_knob(knob, value) for value in around]
        known = set(self.settings)
        return sorted((each for each in set(near) - {setting} if each in known), key=_by_cost)


def space_of(arm: Arm, knobs: Choices, bounds: Bounds) -> Space:
    """Every combination of the choices that makes sense for `arm` and fits `bounds`.

    A knob that is not named, or cannot take effect in this arm, stays as the arm has it.
    """
    present = Setting.of(arm)
    choices: dict[Knob, tuple[int, ...]] = {}
    notes = []
    for knob in KNOBS:
        reason = why_without_effect(arm, knob)
        named = tuple(sorted(set(knobs.get(knob, ()))))
        if named and reason:
            notes.append(f"{arm.name}: {knob} is left at {getattr(present, knob)}: {reason}")
        choices[knob] = named if named and not reason else (getattr(present, knob),)
    settings: dict[tuple[int | None, ...], Setting] = {}
    refused: dict[Setting, str] = {}
    for values in itertools.product(*choices.values()):
        setting = Setting(**dict(zip(choices, values, strict=True)))
        if refusal := bounds.refusal(setting):
            refused[setting] = refusal
        else:
            settings.setdefault(_effect(setting), setting)
    notes += _uncounted(arm)
    return Space(choices, tuple(sorted(settings.values(), key=_by_cost)), refused, tuple(notes))


def default_of(arm: Arm) -> Setting | None:
    """What the frameworks' defaults are in this arm: knobs without effect stay as the arm has them,
    and where none has an effect, there is no default to compare with (None)."""
    if arm.app is not None:
        return FRAMEWORK_DEFAULT  # all of its other knobs are the spec's own to set
    present = Setting.of(arm)
    held: dict[Knob, int] = {
        knob: getattr(present, knob) for knob in KNOBS if why_without_effect(arm, knob)
    }
    return None if len(held) == len(KNOBS) else replace(FRAMEWORK_DEFAULT, **held)


def _uncounted(arm: Arm) -> Iterator[str]:
    """Knobs of a command that decide about its connections, but that it is never told."""
    for knob in CONNECTION_KNOBS:
        if arm.command is not None and (reason := why_without_effect(arm, knob)):
            yield (
                f"{arm.name}: {reason}, so how many connections it really opens is not known; "
                f"{knob} counts as {getattr(Setting.of(arm), knob)}"
            )


def why_without_effect(arm: Arm, knob: Knob) -> str | None:
    """Why a knob cannot change what this arm does; None when it can."""
    if arm.kind == "url":
        return "a service that runs already (url) cannot be given settings"
    if arm.command is not None:
        if knob == "admission":
            return "no placeholder stands for it; a service of one's own has its own gate"
        placeholder = f"{{{knob}}}"
        if placeholder not in arm.command and not any(
            placeholder in value for value in arm.env.values()
        ):
            return f"neither command nor env uses {placeholder}"
        return None
    if knob == "threads" and arm.app is not None and DRIVERS[arm.app] == ASYNC_DRIVERS:
        return "an async app does not use worker threads"
    return None


def _effect(setting: Setting) -> tuple[int | None, ...]:
    """What a setting does: a gate written out is the same gate."""
    return (
        setting.pool_size, setting.max_overflow, setting.threads, setting.workers, setting.admitted
    )  # fmt: skip


def _by_cost(setting: Setting) -> tuple[tuple[int, int, int, bool], Setting]:
    return (setting.cost, setting)


def spread_out(space: Space, first: Sequence[Setting], most: int) -> list[Setting]:
    """At most `most` settings that stand for the whole space, in ascending order of cost.

    Those of `first` (as far as they are in the space), then always the one that is farthest, in
    steps of the choices, from all taken so far (Kennard & Stone 1969, "Computer aided design of
    experiments").
    """
    if len(space.settings) <= most:
        return list(space.settings)
    taken = [each for each in dict.fromkeys(first) if each in set(space.settings)][:most]
    taken = taken or [space.settings[0]]
    left = [each for each in space.settings if each not in set(taken)]
    while len(taken) < most:
        farthest = max(left, key=lambda each: _distance_to(space, each, taken))
        taken.append(farthest)
        left.remove(farthest)
    return sorted(taken, key=_by_cost)


def _distance_to(space: Space, setting: Setting, taken: Iterable[Setting]) -> float:
    return min(_distance(space, setting, other) for other in taken)


def _distance(space: Space, one: Setting, other: Setting) -> float:
    """Each knob's whole range counts the same."""
    return sum(
        abs(values.index(getattr(one, knob)) - values.index(getattr(other, knob)))
        / max(1, len(values) - 1)
        for knob, values in space.choices.items()
    )
