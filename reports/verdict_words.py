"""PURE: verdicts in plain words: which arm is better, and what a comparison says with its doubt."""

from __future__ import annotations

from reports import words
from reports.model import COST, Comparison, LoadFacts

DIRECTIONS = {
    "capacity": ("more", "fewer"),
    "cost": ("more", "less"),
    "latency": ("longer", "shorter"),
}


def better_arm(comparison: Comparison) -> str | None:
    """The arm that a verdict favours, None where it favours none."""
    winners = {"faster": comparison.candidate, "slower": comparison.baseline}
    return winners.get(comparison.verdict)


def said(comparison: Comparison) -> str:
    """A verdict in a few words: `async has more capacity`, `no difference that matters`."""
    if (arm := better_arm(comparison)) is not None:
        return f"{words.tidy(arm)} {_praise(comparison.metric)}"
    return {
        "equivalent": "no difference that matters",
        "inconclusive": "cannot tell",
        "invalid": "invalid",
    }[comparison.verdict]


def brief(comparison: Comparison) -> str:
    """A verdict where the measure stands beside it: `async is better`, `cannot tell`."""
    if (arm := better_arm(comparison)) is not None:
        return f"{words.tidy(arm)} is better"
    return said(comparison)


def _praise(metric: str) -> str:
    if words.more_is_better(metric):
        return "has more capacity"
    return "needs less CPU" if metric == COST else "answers sooner"


def sentence(comparison: Comparison, load: LoadFacts, equivalence_pct: float) -> str:
    """One comparison as a sentence with its load and its interval."""
    return f"{words.capital(clause(comparison, load, equivalence_pct))}."


def clause(comparison: Comparison, load: LoadFacts, equivalence_pct: float) -> str:
    """The same as a part of a sentence: `with 16 users at once, async serves …`."""
    return f"{words.load_phrase(load)}, {_claim(comparison, equivalence_pct)}"


def _claim(comparison: Comparison, equivalence_pct: float) -> str:
    ci = comparison.ci95_pct
    if comparison.verdict == "invalid" or comparison.change_pct is None or ci is None:
        return f"there is no verdict on {_subject(comparison)}, because {_why(comparison)}"
    if comparison.verdict == "equivalent":
        return _equal(comparison, ci, equivalence_pct)
    if comparison.verdict == "inconclusive":
        return _undecided(comparison, ci)
    return _finding(comparison, comparison.change_pct, ci)


def _why(comparison: Comparison) -> str:
    reasons = [each.rstrip(". ") for each in comparison.reasons]
    return _lower_first(
        "; ".join(words.tidy(each) for each in reasons) or "too little was measured"
    )


def _finding(comparison: Comparison, change_pct: float, ci: tuple[float, float]) -> str:
    baseline, candidate = words.tidy(comparison.baseline), words.tidy(comparison.candidate)
    if _kind(comparison.metric) == "latency" and change_pct >= words.TWICE_PCT:
        size, low, high = (words.rounded(words.factor(each)) for each in (change_pct, *ci))
        return (
            f"{baseline} answers sooner: the {_subject(comparison)} is {size} times as long with "
            f"{candidate} as with {baseline} (95% interval: {low} to {high} times)"
        )
    more, less = DIRECTIONS[_kind(comparison.metric)]
    size = f"{words.percent(change_pct)} {more if change_pct > 0 else less}"
    told = {
        "capacity": f"{candidate} serves {size} requests than {baseline}",
        "cost": f"{candidate} spends {size} CPU on a request than {baseline}",
        "latency": f"{words.tidy(better_arm(comparison) or candidate)} answers sooner: the "
        f"{_subject(comparison)} is {size} with {candidate} than with {baseline}",
    }[_kind(comparison.metric)]
    return f"{told} (95% interval: {words.span(ci, more, less)})"


def _equal(comparison: Comparison, ci: tuple[float, float], equivalence_pct: float) -> str:
    arms = f"{words.tidy(comparison.baseline)} and {words.tidy(comparison.candidate)}"
    return (
        f"{arms} differ by less than {equivalence_pct:g}% in {_subject(comparison)}, too little "
        f"to matter (95% interval: {words.interval(ci)})"
    )


def _undecided(comparison: Comparison, ci: tuple[float, float]) -> str:
    baseline, candidate = words.tidy(comparison.baseline), words.tidy(comparison.candidate)
    some_more = words.span(ci, "more", "less")
    told = {
        "capacity": f"{candidate} has {some_more} capacity than {baseline}",
        "cost": f"{candidate} spends {some_more} CPU on a request than {baseline}",
        "latency": f"the {_subject(comparison)} is {words.span(ci, 'longer', 'shorter')} with "
        f"{candidate} than with {baseline}",
    }[_kind(comparison.metric)]
    return f"one cannot tell: {told} (95% interval)"


def _kind(metric: str) -> str:
    if words.more_is_better(metric):
        return "capacity"
    return "cost" if metric == COST else "latency"


def _subject(comparison: Comparison) -> str:
    return words.metric_name(comparison.metric, comparison.request)


def remark(comparison: Comparison) -> str:
    """What stands beside a comparison's sentence: doubts, and what it could not have seen."""
    if comparison.verdict == "invalid" or comparison.ci95_pct is None:
        return ""
    parts = [
        f"But {_lower_first(words.tidy(each)).rstrip('. ')}." for each in comparison.reasons[1:]
    ]
    if comparison.verdict == "inconclusive" and comparison.mde_pct is not None:
        parts.append(
            f"A difference of {words.percent(comparison.mde_pct)} would probably have shown."
        )
    told = any("instance" in each for each in comparison.reasons[1:])
    if comparison.scope == "these instances" and not told:
        parts.append("This holds for these instances only, not for every start of the program.")
    return " ".join(parts)


def _lower_first(text: str) -> str:
    """Lower-case the first letter, unless the first word is an abbreviation."""
    head = text.split(" ", 1)[0]
    return text if head[1:2].isupper() else text[:1].lower() + text[1:]
