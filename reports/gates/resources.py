"""PURE: the gate on what the arms' processes may use: cores, priority, memory, workers, files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from loadtests.inspection import RESOURCES, Inspection, InstanceFacts
from loadtests.spec import Arm
from reports.model import GateResult

NAME = "equal-resources"
REMEDY = "nobody but this program may set limits or cores of its arms; measure again"


def resources_gate(
    arm: Arm, baseline: Arm, inspections: Sequence[Inspection], app_cores: Sequence[int]
) -> GateResult:
    """Whether all instances of two arms had the same resources, as the system itself says.

    `app_cores`: where the plan put the arms; empty where nothing is pinned.
    """
    everybody = [each for look in inspections for each in look.instances]
    mine, other = ([each for each in everybody if each.arm == a.name] for a in (arm, baseline))
    if not mine or not other:
        silent = arm.name if not mine else baseline.name
        return _result(arm, None, None, f"the processes of {silent} are out of sight")
    model = next((each for each in other if each.known), None)
    if model is None or not any(each.known for each in mine):
        return _result(arm, None, None, "the system does not tell what its processes may use")
    names = [name for name in RESOURCES if name != "cores" or not app_cores]
    wrong = list(
        dict.fromkeys(
            [
                *(line for each in (*other, *mine) for line in _misplaced(each, app_cores)),
                *(line for each in (*other, *mine) for line in _unlike(each, model, names)),
                *(line for a, own in ((arm, mine), (baseline, other)) for line in _crews(a, own)),
            ]
        )
    )
    if wrong:
        shown = "; ".join(wrong[:4]) + (f"; {len(wrong) - 4} more" if len(wrong) > 4 else "")
        return _result(arm, False, float(len(wrong)), f"{shown}: {REMEDY}")
    count = len({*_names(mine), *_names(other)})
    return _result(arm, True, 0.0, f"{model.words()}, for all {count} instances")


def _names(instances: Sequence[InstanceFacts]) -> Iterator[str]:
    return (f"{each.arm} #{each.instance}" for each in instances)


def _unlike(each: InstanceFacts, model: InstanceFacts, names: Sequence[str]) -> Iterator[str]:
    """Where an instance may use more or less than the model, a baseline's instance."""
    if not each.known:
        return
    for name in names:
        words, value, usual = RESOURCES[name], getattr(each, name), getattr(model, name)
        if value != usual:
            yield (
                f"{each.arm} #{each.instance} has {words} {_told(value)}, "
                f"{model.arm} #{model.instance} {_told(usual)}"
            )


def _misplaced(each: InstanceFacts, app_cores: Sequence[int]) -> Iterator[str]:
    if app_cores and each.cores is not None and set(each.cores) != set(app_cores):
        yield (
            f"{each.arm} #{each.instance} may run on {_told(each.cores)}, "
            f"the plan says {_told(tuple(app_cores))}"
        )


def _crews(arm: Arm, instances: Sequence[InstanceFacts]) -> Iterator[str]:
    """Where an instance runs another number of workers than the spec says."""
    for each in instances:
        if arm.kind == "app" and each.workers is not None and each.workers != arm.workers:
            yield f"{arm.name} #{each.instance} runs {each.workers} workers, not {arm.workers}"


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return f"cores {', '.join(str(core) for core in value)}"
    return "none" if value is None else f"{value}"


def _result(arm: Arm, ok: bool | None, value: float | None, detail: str) -> GateResult:
    return GateResult(NAME, None, arm.name, ok, value, 0.0, detail)
