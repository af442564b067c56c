"""PURE: a decision in words and rows, the same on a terminal and in a comment."""

from __future__ import annotations

from collections.abc import Sequence

from reports import words
from reports.facts import short
from reports.slowdown.decide import STARTED_ONCE
from reports.slowdown.model import Decision, Judged, More, Outcome
from reports.tables import Table

SAID: dict[Outcome, str] = {
    "passed": "passed",
    "failed": "FAILED",
    "not enough data": "cannot tell",
    "invalid": "invalid",
}
COLUMNS = ("Scenario", "Load", "Measure", "Change", "95% interval", "Gate")
ONE_INSTANCE = "one instance only (a URL): this speaks of what answered there, not of the program"
MEANING = (
    "Each interval is that of the run's report, adjusted for the number of comparisons. One passes "
    "when its whole interval excludes a slowdown of more than the limit, and fails when the whole "
    "interval lies beyond it; in between, the run cannot tell."
)


def headline(decision: Decision) -> str:
    """The decision as a sentence."""
    limit, total = words.percent(decision.max_slowdown_pct), _comparisons(decision.judged)
    found = decision.those(decision.outcome)
    if decision.outcome == "passed":
        return f"Passed: no slowdown of more than {limit} in {total}."
    if decision.outcome == "failed":
        worst = max(found, key=_least)
        return (
            f"Failed: {_who(found)} slower by more than {limit} in {len(found)} of {total}, most "
            f"of all in {_what(worst)}: by {_least_most(worst)}."
        )
    if decision.outcome == "invalid":
        return f"Invalid: {len(found)} of {total} cannot be judged."
    if not found:
        return f"Cannot tell: the run was interrupted; so far no slowdown of more than {limit}."
    return (
        f"Cannot tell: not enough data to exclude a slowdown of more than {limit} in "
        f"{len(found)} of {total}."
    )


def _comparisons(judged: Sequence[Judged]) -> str:
    return f"{len(judged)} comparison{'s' if len(judged) != 1 else ''}"


def _who(found: Sequence[Judged]) -> str:
    names = dict.fromkeys(words.tidy(each.planned.candidate) for each in found)
    return f"{words.listed(names)} {'are' if len(names) > 1 else 'is'}"


def _what(judged: Judged) -> str:
    return f"{measure(judged)}, {words.tidy(judged.planned.scenario)}"


def _least(judged: Judged) -> float:
    return judged.slowdown_ci95_pct[0] if judged.slowdown_ci95_pct else 0.0


def _least_most(judged: Judged) -> str:
    least_pct, most_pct = judged.slowdown_ci95_pct or (0.0, 0.0)
    return f"{words.percent(least_pct)} to {words.percent(most_pct)}"


def measure(judged: Judged) -> str:
    """`capacity`, `p95 response time of read`."""
    return words.metric_name(judged.planned.metric, judged.request)


def table(decision: Decision) -> Table:
    """A row for each comparison, in the decision's order; arms named where there are several."""
    baselines, candidates = _arms(decision)
    named = (
        *(("candidate",) if len(candidates) > 1 else ()),
        *(("baseline",) if len(baselines) > 1 else ()),
    )
    return Table(
        (*COLUMNS[:3], *(each.capitalize() for each in named), *COLUMNS[3:]),
        tuple(_row(each, named) for each in decision.judged),
    )


def _arms(decision: Decision) -> tuple[list[str], list[str]]:
    """The names of baselines, and of candidates."""
    planned = [each.planned for each in decision.judged]
    return (
        list(dict.fromkeys(each.baseline for each in planned)),
        list(dict.fromkeys(each.candidate for each in planned)),
    )


def _row(judged: Judged, named: Sequence[str]) -> tuple[str, ...]:
    return (
        words.tidy(judged.planned.scenario),
        words.NOTHING if judged.load is None else words.load_short(judged.load),
        measure(judged),
        *(words.tidy(getattr(judged.planned, each)) for each in named),
        words.change(judged.change_pct),
        words.interval(judged.ci95_pct),
        SAID[judged.outcome],
    )


def pair_words(decision: Decision) -> str:
    """`new against base`, `a, b and c against base`, each with the commit that it ran from."""
    baselines, candidates = _arms(decision)
    return " against ".join(
        words.listed(_with_commit(name, decision) for name in names)
        for names in (candidates, baselines)
    )


def _with_commit(arm: str, decision: Decision) -> str:
    commit = decision.commits.get(arm)
    return f"{words.tidy(arm)} ({words.tidy(short(commit))})" if commit else words.tidy(arm)


def reasons(decision: Decision) -> list[str]:
    """Why what is invalid is so, why there is no interval where there is none, and what speaks of
    one instance only."""
    return [
        f"{_what(each)} ({words.tidy(each.planned.candidate)}): "
        f"{'; '.join(words.tidy(reason).rstrip('. ') for reason in told)}."
        for each in decision.judged
        if (told := _told(each))
    ]


def _told(judged: Judged) -> tuple[str, ...]:
    if _wants_reasons(judged):
        return judged.reasons
    return (ONE_INSTANCE,) if judged.scope == "these instances" else ()


def _wants_reasons(judged: Judged) -> bool:
    undecided = judged.outcome == "not enough data"
    return judged.outcome == "invalid" or (
        undecided and (judged.ci95_pct is None or STARTED_ONCE in judged.reasons)
    )


def more_words(more: More) -> str:
    """What it would take to tell."""
    return (
        f"To tell, measure {more.instances} instances in {more.rounds} rounds, about "
        f"{duration(more.wall_s)} in all (--set run.instances={more.instances} --set "
        f"run.rounds={more.rounds}): by this run's own spread, a revision that is no slower "
        "then passes four times out of five."
    )


def duration(seconds: float) -> str:
    """`14 minutes`, `3.5 hours`."""
    minutes = max(1, round(seconds / 60.0))
    if minutes < 100:
        return f"{minutes} minute{'s' if minutes > 1 else ''}"
    return f"{seconds / 3600.0:.1f} hours"
