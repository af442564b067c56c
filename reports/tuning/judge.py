"""PURE: a tune run's record to its answer: per arm a plateau, a recommendation, and its proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from loadtests.tuning.stages import same_budget
from loadtests.tuning.world import objective_of, trial_window_s
from reports.statistics import Estimate
from reports.tuning.changes import Side, Trials
from reports.tuning.connections import ConnectionLimit, connection_limit
from reports.tuning.decide import Decision, decide
from reports.tuning.explain import why
from reports.tuning.fair import fair_comparisons
from reports.tuning.findings import AtTwice, Finalist, Role
from reports.tuning.hazards import hazards_of
from reports.tuning.means import mean, mean_known
from reports.tuning.model import ArmReport, TuneReport
from reports.tuning.nearest import nearest_of
from reports.tuning.paste import snippets
from reports.tuning.plateau import Plateau, plateau_of
from reports.tuning.record import ArmSearch, Tried, TuneRecord
from reports.tuning.sentences import headline

SCHEMA = 1


def judge(record: TuneRecord) -> TuneReport:
    """The answer of a run, finished or not. Needs nothing but the record."""
    spec = record.spec
    objective = objective_of(spec.tune.objective)
    trials = Trials(record.tried, objective, spec.run.equivalence_pct)
    limit = connection_limit(spec.tune, record.manifest)
    budget = _same_budget(record)
    arms = tuple(_arm(each, record, trials, limit, budget) for each in record.arms)
    fair = fair_comparisons(
        [each.arm for each in arms],
        {each.arm: each.taken for each in arms},
        {each.arm: each.recommended for each in arms},
        {each.arm: each.default for each in arms},
        trials,
    )
    return TuneReport(
        schema=SCHEMA,
        run=record.run,
        status=record.status,
        headline=headline(arms, objective, record.status),
        scenario=spec.tuned_scenario.name,
        objective=objective,
        database_rtt_ms=spec.run.database_rtt_ms,
        rtt_change_ms=spec.tune.rtt_change_ms,
        hosts=record.hosts,
        arms=arms,
        fair=fair,
        notes=(*record.notes, *record.dropped),
    )


def _arm(
    search: ArmSearch, record: TuneRecord, trials: Trials, limit: ConnectionLimit,
    budget: Setting | None,
) -> ArmReport:  # fmt: skip
    tried = [each for each in record.tried if each.arm == search.arm]
    plateau = _plateau(search, trials)
    decision = decide(search, plateau, trials, record.status)
    best, capacity = decision.recommended, decision.capacity
    measured = budget is not None and trials.of("confirm", Side(search.arm, budget))
    roles = _roles(search, decision, budget if measured else None)
    arm = record.spec.arm_named(search.arm)
    return ArmReport(
        arm=search.arm,
        kind=search.kind,
        app=search.app,
        present=search.present,
        default=search.default,
        taken=search.taken,
        alternate=decision.alternate,
        recommended=best,
        capacity=capacity,
        finalists=() if plateau is None else _finalists(search, plateau, trials),
        tied_in_race=_tied(search, tried, trials.objective),
        over_default=decision.over("default"),
        over_present=decision.over("present"),
        comparisons=decision.comparisons,
        at_twice=_at_twice(search, tried, trials),
        confirmed=decision.confirmed,
        verdict=decision.reasons,
        hazards=hazards_of(search, roles, tried, limit, record.hosts),
        why=() if best is None else why(search, best, capacity, tried),
        nearest=None if plateau is not None else nearest_of(tried, trials.objective),
        paste=() if best is None else snippets(arm, best, limit, record.hosts, record.spec.source),
        trials=len(tried),
        measuring_s=round(len(tried) * trial_window_s(record.spec), 1),
        notes=search.notes,
    )


def _same_budget(record: TuneRecord) -> Setting | None:
    """What two arms are both given, to be compared with the same budget."""
    taken = [each.taken for each in record.arms if each.taken is not None]
    return same_budget(taken) if len(taken) == len(record.arms) == 2 else None


def _roles(
    search: ArmSearch, decision: Decision, budget: Setting | None
) -> Mapping[Setting, tuple[Role, ...]]:
    """The settings that an arm's answer speaks of, each with all that it is."""
    settings: dict[Role, Setting | None] = {
        "taken": search.taken,
        "alternate": decision.alternate,
        "present": search.present,
        "default": search.default,
        "same budget": budget,
    }
    found: dict[Setting, tuple[Role, ...]] = {}
    for role in get_args(Role):
        if (setting := settings.get(role)) is not None:
            found[setting] = (*found.get(setting, ()), role)
    return found


def _plateau(search: ArmSearch, trials: Trials) -> Plateau | None:
    finals = {s: trials.scored("final", Side(search.arm, s)) for s in search.finalists}
    return plateau_of({s: each for s, each in finals.items() if each}, trials.objective)


def _finalists(search: ArmSearch, plateau: Plateau, trials: Trials) -> tuple[Finalist, ...]:
    found = []
    for setting in search.finalists:
        knee = trials.knee("final", Side(search.arm, setting))
        if knee is None:
            continue
        behind = plateau.behind.get(setting)
        known = behind if isinstance(behind, Estimate) else None
        behind_pct = known.change_pct if known else None
        if setting == plateau.best:
            behind_pct = 0.0
        interval = known.interval_pct() if known else None
        found.append(Finalist(knee, behind_pct, interval, setting in plateau.members))
    return tuple(found)


def _tied(search: ArmSearch, tried: Sequence[Tried], objective: Objective) -> tuple[Setting, ...]:
    """Settings that cleared as high a rung as the finalists', but were too many to be measured."""
    cleared: dict[Setting, int] = {}
    for each in tried:
        if each.stage == "search" and each.rung is not None and each.score.clears(objective):
            cleared[each.setting] = max(each.rung, cleared.get(each.setting, each.rung))
    finalists = [cleared[s] for s in search.finalists if s in cleared]
    if not finalists:
        return ()
    tied = (s for s, rung in cleared.items() if rung >= min(finalists))
    return tuple(sorted(set(tied) - set(search.finalists), key=lambda s: (s.cost, s)))


def _at_twice(search: ArmSearch, tried: Sequence[Tried], trials: Trials) -> tuple[AtTwice, ...]:
    found = []
    for setting in dict.fromkeys(each.setting for each in tried if each.stage == "twice"):
        own = trials.of("twice", Side(search.arm, setting))
        planned = sum(each.score.planned for each in own)
        if planned == 0:
            continue
        found.append(
            AtTwice(
                setting=setting,
                offered_per_s=own[0].score.offered_per_s,
                good_per_s=mean([each.good_per_s for each in own]),
                error_pct=100.0 * sum(each.score.errors for each in own) / planned,
                p99_ms=mean_known(each.p99_ms for each in own),
                p99_beyond=any(each.p99_beyond for each in own),
                units=len({each.unit for each in own}),
            )
        )
    return tuple(found)
