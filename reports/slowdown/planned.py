"""PURE: which primary comparisons a stored run was to make, by its spec."""

from __future__ import annotations

from loadtests.errors import UsageError
from loadtests.manifest import commit_of, object_of
from reports.resolution import PRIMARY_METRICS
from reports.run_folder import StoredRun
from reports.slowdown.model import Planned


def urls_of(run: StoredRun) -> frozenset[str]:
    """The arms that run elsewhere: each is one instance, whatever the plan."""
    return frozenset(arm.name for arm in run.spec.arm if arm.kind == "url")


def commits_of(run: StoredRun) -> dict[str, str]:
    """By arm, what its `git_ref` stood for, as far as it is known."""
    arms = object_of(run.manifest, "arms")
    return {arm.name: it for arm in run.spec.arm if (it := commit_of(arms, arm.name)) is not None}


def planned_by(run: StoredRun) -> tuple[Planned, ...]:
    """Per scenario and later arm what its load was to judge. Raises UsageError where one arm stands
    alone in every scenario."""
    planned = tuple(
        Planned(scenario, metric, baseline, candidate)
        for scenario in run.scenarios
        for baseline, *candidates in [run.arms_of(scenario)]
        for candidate in candidates
        for metric in PRIMARY_METRICS[run.scenario(scenario).load.model]
    )
    if not planned:
        raise UsageError(
            f"{run.folder} has one arm only ({run.baseline}): there is nothing to compare it with.",
            hint="Measure two revisions in one run: docs/continuous-integration.md has a spec.",
        )
    return planned
