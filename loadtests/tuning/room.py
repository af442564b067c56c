"""PURE: how many settings can be up at once, in processes, memory and connections."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from loadtests.errors import SpecError
from loadtests.schedule import MEMORY_SHARE, MOST_PROCESSES, Limits
from loadtests.spec import Spec
from loadtests.tuning.setting import Setting
from loadtests.tuning.space import Bounds, Space, spread_out
from loadtests.tuning.stages import FEWEST_INSTANCES, FEWEST_TO_COMPARE

MOST_INSTANCES = 8


def shortage(settings: Sequence[Setting], instances: int, limits: Limits) -> str | None:
    """Why `instances` of each setting cannot be up at once; None when they can."""
    processes = instances * sum(setting.workers for setting in settings)
    if processes > MOST_PROCESSES:
        return f"{processes} processes; {MOST_PROCESSES} at most run side by side"
    memory_mb = processes * limits.process_mb
    if limits.memory_mb is not None and memory_mb > MEMORY_SHARE * limits.memory_mb:
        room_mb = MEMORY_SHARE * limits.memory_mb
        return f"{processes} processes may take {memory_mb:.0f} of {room_mb:.0f} MB"
    connections = instances * sum(setting.connections for setting in settings)
    if limits.connections is not None and connections > limits.connections:
        return f"{connections} connections; the server leaves {limits.connections}"
    return None


def starting_field(
    spec: Spec, spaces: Mapping[str, Space], bounds: Mapping[str, Bounds], limits: Limits
) -> tuple[dict[str, list[Setting]], tuple[str, ...]]:
    """The settings of each arm that begin the search: as many as can be up at once, the present
    one among them if it fits; and notes. Raises SpecError as `residents`."""
    presents = {arm: Setting.of(spec.arm_named(arm)) for arm in spaces}
    if limits.connections is not None:
        taken_up = sum(each.connections for each in presents.values())
        limits = replace(limits, connections=max(0, limits.connections - taken_up))
    first = {arm: [each] for arm, each in presents.items()}
    chosen, notes = residents(spaces, first, limits)
    for arm, present in presents.items():
        if present not in chosen[arm] and bounds[arm].refusal(present) is None:
            chosen[arm].append(present)
    return chosen, notes


def residents(
    spaces: Mapping[str, Space], first: Mapping[str, Sequence[Setting]], limits: Limits
) -> tuple[dict[str, list[Setting]], tuple[str, ...]]:
    """The settings of each arm that are up during the search, and a note where not all fit.

    `first` (the present settings) are among them as far as they are in the space. Raises SpecError
    when not even one setting of each arm fits.
    """
    reason = None
    for most in range(max(len(space.settings) for space in spaces.values()), 0, -1):
        chosen = {arm: spread_out(space, first[arm], most) for arm, space in spaces.items()}
        short = shortage([each for settings in chosen.values() for each in settings], 1, limits)
        if short is None:
            return chosen, _left_out(spaces, chosen, reason)
        reason = reason or short
    raise SpecError(
        f"Not even one setting of each arm can be up at once: {reason}.",
        hint="Name fewer arms in [tune], or smaller values in [tune.knobs].",
    )


def _left_out(
    spaces: Mapping[str, Space], chosen: Mapping[str, Sequence[Setting]], reason: str | None
) -> tuple[str, ...]:
    if reason is None:
        return ()
    told = (
        f"{len(settings)} of {len(spaces[arm].settings)} settings of {arm}"
        for arm, settings in chosen.items()
    )
    return (
        f"Not all settings can be up at once ({reason}): the search begins with "
        f"{', '.join(told)}, spread over the whole space.",
    )


def side_by_side(
    wanted: Mapping[str, Sequence[Setting]],
    needed: Mapping[str, Collection[Setting | None]],
    limits: Limits,
) -> list[dict[str, list[Setting]]]:
    """What is up together while it is confirmed: everything; or, where FEWEST_INSTANCES of each
    would not fit, one arm after the other.

    An arm that does not fit even so gives up its last settings: those that are not `needed` for
    FEWEST_INSTANCES of the others, the rest only for FEWEST_TO_COMPARE. The first one always stays.
    """
    everyone = [each for settings in wanted.values() for each in settings]
    if instances_that_fit(everyone, limits) >= FEWEST_INSTANCES:
        return [{arm: list(settings) for arm, settings in wanted.items()}]
    return [{arm: _fewer(each, needed[arm], limits)} for arm, each in wanted.items()]


def _fewer(
    settings: Sequence[Setting], needed: Collection[Setting | None], limits: Limits
) -> list[Setting]:
    left = list(settings)
    while len(left) > 1:
        fewest = FEWEST_TO_COMPARE if left[-1] in needed else FEWEST_INSTANCES
        if shortage(left, fewest, limits) is None:
            break
        left.pop()
    return left


def instances_that_fit(settings: Sequence[Setting], limits: Limits) -> int:
    """Most instances of each setting that can be up at once: 1 to MOST_INSTANCES."""
    fits = [n for n in range(1, MOST_INSTANCES + 1) if shortage(settings, n, limits) is None]
    return max(fits, default=1)
