"""PURE: each planned primary comparison of a run against the slowdown that is allowed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from reports.model import Comparison, ScenarioSummary, Summary
from reports.slowdown.model import Decision, Judged, Outcome, Planned
from reports.verdicts import MORE_IS_BETTER

ORDER: tuple[Outcome, ...] = ("failed", "invalid", "not enough data", "passed")
NOT_MEASURED = "it was planned, and not measured"
STARTED_ONCE = (
    "one instance only: another start of the same program may differ by more; measure more of each"
)


def decide(
    summary: Summary,
    planned: Iterable[Planned],
    max_slowdown_pct: float,
    urls: Collection[str] = (),
) -> Decision:
    """The decision. What is planned and stands not in the summary is undecided, never passed; so is
    what rests on one instance, unless an arm is a URL (`urls`: their names), which has no other.
    """
    judged = [_judged(summary.scenarios, each, max_slowdown_pct, urls) for each in planned]
    return Decision(
        run=summary.run,
        status=summary.status,
        max_slowdown_pct=max_slowdown_pct,
        judged=tuple(sorted(judged, key=lambda each: ORDER.index(each.outcome))),
        notes=summary.notes,
    )


def _judged(
    scenarios: Sequence[ScenarioSummary],
    planned: Planned,
    limit_pct: float,
    urls: Collection[str],
) -> Judged:
    found = measured(scenarios, planned)
    if found is None:
        nothing = (None,) * 6
        return Judged(planned, *nothing, "not enough data", (NOT_MEASURED,))
    scenario, comparison = found
    change_pct, ci_pct = comparison.change_pct, comparison.ci95_pct
    slowdown_ci_pct = None if ci_pct is None else slowdown_interval(planned.metric, ci_pct)
    invalid = comparison.verdict == "invalid"
    started_once = comparison.scope == "these instances" and not is_url(planned, urls)
    return Judged(
        planned=planned,
        load=next(each for each in scenario.loads if each.load == comparison.load),
        request=comparison.request,
        change_pct=change_pct,
        ci95_pct=ci_pct,
        slowdown_pct=None if change_pct is None else slowdown(planned.metric, change_pct),
        slowdown_ci95_pct=slowdown_ci_pct,
        outcome="invalid"
        if invalid
        else against(limit_pct, None if started_once else slowdown_ci_pct),
        reasons=(STARTED_ONCE,) if started_once and ci_pct and not invalid else comparison.reasons,
        scope=comparison.scope,
    )


def is_url(planned: Planned | Comparison, urls: Collection[str]) -> bool:
    """Whether one of the two arms runs elsewhere, so that no plan gives it a second instance."""
    return planned.baseline in urls or planned.candidate in urls


def measured(
    scenarios: Sequence[ScenarioSummary], planned: Planned
) -> tuple[ScenarioSummary, Comparison] | None:
    """The comparison that was planned, with its scenario."""
    for scenario in scenarios:
        for each in scenario.comparisons:
            if each.primary and planned == Planned(
                scenario.name, each.metric, each.baseline, each.candidate
            ):
                return scenario, each
    return None


def slowdown(metric: str, change_pct: float) -> float:
    """By how much the candidate is worse, in percent of the baseline."""
    return (-change_pct if metric in MORE_IS_BETTER else change_pct) + 0.0  # never −0.0


def slowdown_interval(metric: str, ci_pct: tuple[float, float]) -> tuple[float, float]:
    """The least and the most slowdown that an interval of changes allows."""
    first, second = (slowdown(metric, end) for end in ci_pct)
    return min(first, second), max(first, second)


def against(limit_pct: float, slowdown_ci_pct: tuple[float, float] | None) -> Outcome:
    """What an interval of slowdowns says of a limit, which itself is allowed."""
    if slowdown_ci_pct is None:
        return "not enough data"
    least_pct, most_pct = slowdown_ci_pct
    if least_pct > limit_pct:
        return "failed"
    return "passed" if most_pct <= limit_pct else "not enough data"
