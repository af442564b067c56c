"""PURE: the gate on what the arms' processes may use: cores, priority, memory, workers, files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain

from loadtests.inspection import RESOURCES, Inspection, InstanceFacts
from loadtests.spec import Arm
from reports.gates.check import first_few, listed, unseen
from reports.model import GateResult

NAME = "equal-resources"
REMEDY = "nobody but this program may set limits or cores of its arms; measure again"
MOST_TOLD = 4


def resources_gate(
    arm: Arm,
    baseline: Arm,
    inspections: Sequence[Inspection],
    app_cores: Sequence[int],
    measured: Mapping[str, Collection[int]],
) -> GateResult:
    """Whether all instances of two arms had the same resources, as the system itself says.

    `app_cores`: where the plan put the arms; empty where nothing is pinned. `measured`: the
    instances of each arm that were loaded; the gate vouches for these, and only if it saw each.
    Somebody's own service (a command) may limit itself as it likes: how it differs is told, and
    fails only if it changes while it is measured.
    """
    arms = (baseline, arm)
    seen = {each.name: _known(inspections, each.name) for each in arms}
    for each in arms:
        if not seen[each.name]:
            return _result(arm, None, None, _out_of_sight(each))
    wrong = [line for each in arms for line in _wrong(each, baseline, arm, seen, app_cores)]
    if wrong:
        detail = f"{first_few(wrong, MOST_TOLD)}: {REMEDY}"
        return _result(arm, False, float(len(set(wrong))), detail)
    first = seen[baseline.name][0]
    told = "" if _ours(*arms) else _told_apart(seen[arm.name][0], first)
    missing, count = unseen(arms, measured, chain.from_iterable(seen.values()))
    if missing:
        detail = f"{count - len(missing)} of {count} instances were looked at"
        return _result(arm, None, None, f"{detail} ({first.words()}{told}), not {_names(missing)}")
    return _result(arm, True, 0.0, f"{first.words()}, for all {count} instances{told}")


def _known(inspections: Sequence[Inspection], arm: str) -> list[InstanceFacts]:
    """What was seen of an arm's instances, in order."""
    everything = (each for look in inspections for each in look.instances)
    return [each for each in everything if each.arm == arm and each.known]


def _out_of_sight(arm: Arm) -> str:
    if arm.kind == "url":
        return f"the processes of {arm.name} are out of sight"
    return f"the system does not tell what the processes of {arm.name} may use"


def _ours(*arms: Arm) -> bool:
    return all(arm.kind == "app" for arm in arms)


def _wrong(
    arm: Arm,
    baseline: Arm,
    candidate: Arm,
    seen: Mapping[str, Sequence[InstanceFacts]],
    app_cores: Sequence[int],
) -> Iterator[str]:
    """Where an arm's instances are not as they must be."""
    firsts: dict[int, InstanceFacts] = {}
    model = seen[baseline.name if _ours(baseline, candidate) else arm.name][0]
    names = [name for name in RESOURCES if name != "cores" or not app_cores or not _ours(arm)]
    for each in seen[arm.name]:
        first = firsts.setdefault(each.instance, each)
        yield from _misplaced(each, app_cores, exactly=_ours(arm))
        yield from _unlike(each, model if _ours(arm) else first, names)
        if _ours(arm) and each.workers is not None and each.workers != arm.workers:
            yield f"{arm.name} #{each.instance} runs {each.workers} workers, not {arm.workers}"


def _unlike(each: InstanceFacts, model: InstanceFacts, names: Sequence[str]) -> Iterator[str]:
    """Where an instance may use more or less than the model, which may be itself before."""
    same = (each.arm, each.instance) == (model.arm, model.instance)
    for name in names:
        words, value, usual = RESOURCES[name], getattr(each, name), getattr(model, name)
        if value != usual:
            other = "before" if same else f"{model.arm} #{model.instance}"
            yield f"{each.arm} #{each.instance} has {words} {_told(value)}, {other} {_told(usual)}"


def _misplaced(each: InstanceFacts, app_cores: Sequence[int], *, exactly: bool) -> Iterator[str]:
    """Where an instance may run elsewhere than planned; a service may keep to some of its cores."""
    cores, planned = set(each.cores or ()), set(app_cores)
    if not planned or each.cores is None:
        return
    if cores - planned or (exactly and cores != planned):
        yield (
            f"{each.arm} #{each.instance} may run on {_told(each.cores)}, "
            f"the plan says {_told(tuple(app_cores))}"
        )


def _told_apart(first: InstanceFacts, other: InstanceFacts) -> str:
    """How two arms differ where that is their owner's affair."""
    lines = list(_unlike(first, other, list(RESOURCES)))
    return f"; not alike, but unchanged throughout: {first_few(lines, MOST_TOLD)}" if lines else ""


def _names(instances: Collection[tuple[str, int]]) -> str:
    by_arm: dict[str, list[int]] = {}
    for arm, number in sorted(instances):
        by_arm.setdefault(arm, []).append(number)
    return " and ".join(f"{arm} #{listed(numbers)}" for arm, numbers in by_arm.items())


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return f"cores {', '.join(str(core) for core in value)}"
    return "none" if value is None else f"{value}"


def _result(arm: Arm, ok: bool | None, value: float | None, detail: str) -> GateResult:
    return GateResult(NAME, None, arm.name, ok, value, 0.0, detail)
