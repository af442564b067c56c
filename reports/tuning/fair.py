"""PURE: sync against async in the three meanings that published comparisons mix up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from loadtests.tuning.setting import Setting
from loadtests.tuning.stages import same_budget
from reports.statistics import adjusted_alpha
from reports.tuning.changes import Side, Trials
from reports.tuning.findings import Change, Role
from reports.tuning.model import Fair, FairKind
from reports.tuning.record import Stage

STAGES: tuple[Stage, ...] = ("confirm", "distance")
ROLE_OF: Mapping[FairKind, Role] = {
    "same budget": "same budget",
    "each at its best": "taken",
    "framework defaults": "default",
}


def fair_comparisons(
    arms: Sequence[str],
    taken: Mapping[str, Setting | None],
    recommended: Mapping[str, Setting | None],
    default: Mapping[str, Setting | None],
    trials: Trials,
) -> tuple[Fair, ...]:
    """The second of two tuned arms against the first; empty unless there are two, and anything
    was measured. The intervals of one stage are adjusted for the comparisons in it."""
    if len(arms) != 2:
        return ()
    sides = {
        kind: pair
        for kind, pair in _pairs(arms, taken, recommended, default).items()
        if any(_measured(trials, stage, pair) for stage in STAGES)
    }
    return tuple(
        Fair(kind, _changes(kind, pair, sides.values(), trials)) for kind, pair in sides.items()
    )


def _pairs(
    arms: Sequence[str],
    taken: Mapping[str, Setting | None],
    recommended: Mapping[str, Setting | None],
    default: Mapping[str, Setting | None],
) -> dict[FairKind, tuple[Side, Side]]:
    first, second = arms
    pairs: dict[FairKind, tuple[Side, Side]] = {}
    wanted = [each for arm in arms if (each := taken[arm]) is not None]
    if len(wanted) == 2:
        budget = same_budget(wanted)
        pairs["same budget"] = (Side(first, budget), Side(second, budget))
    best = [each for arm in arms if (each := recommended[arm]) is not None]
    if len(best) == 2:
        pairs["each at its best"] = (Side(first, best[0]), Side(second, best[1]))
    usual = [each for arm in arms if (each := default[arm]) is not None]
    if len(usual) == 2:
        pairs["framework defaults"] = (Side(first, usual[0]), Side(second, usual[1]))
    return pairs


def _measured(trials: Trials, stage: Stage, pair: tuple[Side, Side]) -> bool:
    """Whether both sides share instances; arms that were confirmed one after the other do not."""
    one, other = ({each.unit for each in trials.of(stage, side)} for side in pair)
    return bool(one & other)


def _changes(
    kind: FairKind,
    pair: tuple[Side, Side],
    beside: Collection[tuple[Side, Side]],
    trials: Trials,
) -> tuple[Change, ...]:
    found = []
    for stage in STAGES:
        alpha = adjusted_alpha(sum(_measured(trials, stage, other) for other in beside))
        if _measured(trials, stage, pair):
            baseline, candidate = pair
            found.append(
                trials.compare(stage, "knee_per_s", candidate, baseline, ROLE_OF[kind], alpha)
            )
    return tuple(found)
