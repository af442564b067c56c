"""PURE: a run's specimens beside their healthy twins: what they cost, and what they said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports import verdict_words, words
from reports.model import Comparison, LoadFacts, ScenarioSummary, Summary
from reports.specimens import SPECIMENS, Specimen
from reports.tables import load_of


@dataclass(frozen=True, slots=True)
class Case:
    """One specimen compared with one healthy arm under one scenario."""

    specimen: Specimen
    scenario: str
    arm: str
    twin: str
    costs: tuple[str, ...]
    """What the mistake costs, a sentence for each primary comparison."""
    failed: str | None
    """How many of its requests failed; None when all were answered well."""
    said: str | None
    """The error text of the last request that the specimen refused, as it wrote it."""


def specimen_cases(
    summary: Summary, manifest: Mapping[str, Any], equivalence_pct: float
) -> list[Case]:
    """Every specimen of a run that stands beside another arm, in the order of the run."""
    apps = _apps(manifest)
    return [
        _case(SPECIMENS[str(apps[candidate])], scenario, (baseline, candidate), equivalence_pct)
        for scenario in summary.scenarios
        for baseline, candidate in _pairs(scenario)
        if apps.get(candidate) in SPECIMENS
    ]


def _apps(manifest: Mapping[str, Any]) -> dict[str, str | None]:
    """Which built-in app each arm of the run's spec is."""
    arms = (manifest.get("spec") or {}).get("arm", ())
    return {arm["name"]: arm.get("app") for arm in arms}


def _pairs(scenario: ScenarioSummary) -> Iterator[tuple[str, str]]:
    yield from dict.fromkeys((each.baseline, each.candidate) for each in scenario.comparisons)


def _case(
    specimen: Specimen, scenario: ScenarioSummary, pair: tuple[str, str], equivalence_pct: float
) -> Case:
    wholes = [each for each in scenario.results if each.arm == pair[1] and each.request is None]
    failed = sum(each.errors + each.timeouts for each in wholes)
    said = [each.last_error for each in wholes if each.last_error is not None]
    return Case(
        specimen=specimen,
        scenario=scenario.name,
        arm=pair[1],
        twin=pair[0],
        costs=tuple(
            cost(each, load_of(scenario, each.load), equivalence_pct)
            for each in scenario.comparisons
            if each.primary and (each.baseline, each.candidate) == pair
        ),
        failed=_share(failed, sum(each.requests for each in wholes)) if failed else None,
        said=said[-1] if said else None,
    )


def _share(failed: int, requests: int) -> str:
    return f"{words.count(failed)} of {words.count(requests)} requests failed"


def cost(comparison: Comparison, load: LoadFacts, equivalence_pct: float) -> str:
    """One comparison as a factor with its interval, or in words where there is no verdict.

    `With 64 users at once, sync serves 26 times as many requests as sync-ungated (95% interval:
    17 to 41 times).`
    """
    ci_pct = comparison.ci95_pct
    if comparison.verdict not in ("faster", "slower") or ci_pct is None:
        return verdict_words.sentence(comparison, load, equivalence_pct)
    grows = ci_pct[0] > 0
    pair = (comparison.candidate, comparison.baseline)
    more, less = map(words.tidy, pair if grows else pair[::-1])
    size, low, high = (_factor(each, grows) for each in (comparison.change_pct or 0.0, *ci_pct))
    low, high = min(low, high), max(low, high)
    where = words.load_phrase(load)
    said = (
        f"{more} serves {words.rounded(size)} times as many requests as {less}"
        if words.more_is_better(comparison.metric)
        else f"the {words.metric_name(comparison.metric, comparison.request)} is "
        f"{words.rounded(size)} times as long with {more} as with {less}"
    )
    return (
        f"{where[0].upper()}{where[1:]}, {said} (95% interval: {words.rounded(low)} to "
        f"{words.rounded(high)} times)."
    )


def _factor(change_pct: float, grows: bool) -> float:
    """A change as the factor of the larger over the smaller."""
    ratio = words.factor(change_pct)
    return ratio if grows else 1.0 / ratio
