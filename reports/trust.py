"""PURE: why a run may be believed, in sentences that are true of this run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loadtests.manifest import object_of
from reports import words
from reports.model import Summary


def why_to_believe(summary: Summary, manifest: Mapping[str, Any]) -> str:
    """How the arms were loaded, what the intervals cover, and what another tool saw.

    Derived from the number of arms, the length of a block and the scope of the comparisons.
    """
    spec = object_of(manifest, "spec")
    arms = spec.get("arm")
    several = not isinstance(arms, list) or len(arms) > 1
    opinion = summary.second_opinion.detail if summary.second_opinion else ""
    return " ".join(filter(None, [_turns(spec, several=several), _scope(summary), opinion]))


def _turns(spec: Mapping[str, Any], *, several: bool) -> str:
    windows_s = sorted(_windows_s(spec))
    ends = dict.fromkeys(f"{each:g}" for each in (windows_s[:1] + windows_s[-1:]))
    length = f", {' to '.join(ends)} s each" if ends else ""
    if not several:
        return f"The arm is loaded in many short trials{length}."
    return (
        f"Arms are loaded in turn{length}, in random order and with the same requests, so that "
        "the machine's ups and downs meet all of them alike."
    )


def _windows_s(spec: Mapping[str, Any]) -> Iterator[float]:
    """The steady windows of the scenarios' trials, as far as they are known."""
    usual_s = object_of(spec, "run").get("block_s")
    scenarios = spec.get("scenario")
    for scenario in scenarios if isinstance(scenarios, list) and scenarios else [{}]:
        block_s = scenario.get("block_s") or usual_s
        if isinstance(block_s, int | float):
            yield float(block_s)


def _scope(summary: Summary) -> str:
    compared = [each for scenario in summary.scenarios for each in scenario.comparisons]
    narrow = {
        (each.baseline, each.candidate) for each in compared if each.scope == "these instances"
    }
    wide = {(each.baseline, each.candidate) for each in compared if each.scope == "program"}
    if compared and not narrow:
        return (
            "Every arm runs as several instances, because two starts of the same program differ; "
            "intervals cover that."
        )
    if not compared:
        return ""
    pairs = words.listed(
        f"{words.tidy(candidate)} and {words.tidy(baseline)}"
        for baseline, candidate in sorted(narrow)
    )
    which = f"Where {pairs} are compared" if wide else "Here"
    return (
        f"{which}, at least one arm has one instance only: the intervals speak of these processes, "
        "and another start of the same program may differ by more."
    )
