"""Numbers and verdicts in plain words: pure, and the same in every report."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from reports.model import CAPACITY, COST, Comparison, GateResult, LoadFacts

MINUS = "\u2212"
NBSP = "\u00a0"
"""Keeps a number and its unit on one line."""
NOTHING = "–"
"""Stands where a number does not exist."""

TWICE_PCT = 100.0
"""A time that grows by this much or more is told as so many times as long."""

METRICS = {
    CAPACITY: "capacity",
    "response_ms.mean": "mean response time",
    "response_ms.p50": "median response time",
    "response_ms.p90": "p90 response time",
    "response_ms.p95": "p95 response time",
    "response_ms.p99": "p99 response time",
    "response_ms.p99_9": "p99.9 response time",
    COST: "CPU per request",
}
DIRECTIONS = {
    "capacity": ("more", "fewer"),
    "cost": ("more", "less"),
    "latency": ("longer", "shorter"),
}


def tidy(text: str, limit: int | None = None) -> str:
    """A name as one printable line: control characters replaced, cut to `limit` characters."""
    shown = "".join("\ufffd" if _unprintable(each) else each for each in text)
    if limit is not None and len(shown) > limit:
        return shown[: limit - 1] + "…"
    return shown


def _unprintable(character: str) -> bool:
    """Control, surrogate and private characters, and line separators; XML allows few of them. And
    those that turn the direction of what follows, beyond the name."""
    turns = unicodedata.bidirectional(character) in {"LRO", "RLO", "LRE", "RLE", "PDF", *ISOLATES}
    return turns or unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}


ISOLATES = ("LRI", "RLI", "FSI", "PDI")


def rounded(value: float) -> str:
    """A positive number with as many digits as a person reads: 0.042, 0.42, 4.2, 42, 4,200."""
    if value == 0:
        return "0"
    if value >= 9.95:
        return f"{value:,.0f}"
    decimals = 1 if value >= 0.995 else 2 if value >= 0.0995 else 3
    return f"{value:.{decimals}f}"


def ms(value: float | None) -> str:
    """Milliseconds, or seconds from one second on."""
    if value is None:
        return NOTHING
    if value >= 999.5:
        seconds = value / 1000
        return f"{seconds:.1f}{NBSP}s" if seconds < 9.95 else f"{seconds:,.0f}{NBSP}s"
    return f"{rounded(value)}{NBSP}ms"


def distance(rtt_ms: float) -> str:
    """How far the database is, as it was asked for: `2.0 ms to the database`."""
    return f"{ms(rtt_ms)} to the database"


def per_s(value: float | None) -> str:
    """A rate in requests per second."""
    return NOTHING if value is None else f"{rounded(value)}/s"


def megabytes(value: float | None) -> str:
    """Memory in MB."""
    return NOTHING if value is None else f"{value:,.0f}{NBSP}MB"


def count(value: float | None) -> str:
    """A whole number with thousands separated."""
    return NOTHING if value is None else f"{value:,.0f}"


def percent(value: float) -> str:
    """A size without sign: `4.2%`, `18%`."""
    size = abs(value)
    return f"{size:.1f}%" if size < 9.95 else f"{size:,.0f}%"


def size(value_pct: float | None) -> str:
    """The same where it may not exist."""
    return NOTHING if value_pct is None else percent(value_pct)


def factor(change_pct: float) -> float:
    """A change as the ratio of after to before."""
    return 1.0 + change_pct / 100.0


def share(part: float) -> str:
    """A share of one as percent, never rounded to none or all: `4.2%`, `96%`, `>99.9%`."""
    value = 100.0 * part
    if 0 < value < 0.05:
        return "<0.1%"
    if 99.95 <= value < 100:
        return ">99.9%"
    return f"{value:.1f}%" if 0 < value < 9.95 or 99.05 <= value < 100 else f"{value:.0f}%"


def change(value: float | None) -> str:
    """A change with its sign: `+18%`, `−4.2%`."""
    if value is None:
        return NOTHING
    text = percent(value)
    if text == "0.0%":
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def interval(ci_pct: tuple[float, float] | None) -> str:
    """An interval of changes: `+12% to +24%`."""
    return NOTHING if ci_pct is None else f"{change(ci_pct[0])} to {change(ci_pct[1])}"


def metric_value(metric: str, value: float | None) -> str:
    """A value of a metric with its unit."""
    return per_s(value) if metric.endswith("_per_s") else ms(value)


def metric_name(metric: str, request: str | None = None) -> str:
    """What is compared, for a table: `p95 response time of read`."""
    name = METRICS.get(metric, tidy(metric))
    return f"{name} of {tidy(request)}" if request else name


def capital(text: str) -> str:
    """Its first letter as at the start of a sentence; the rest is left alone."""
    return f"{text[:1].upper()}{text[1:]}"


def metric_heading(metric: str) -> str:
    """A metric's name at the start of a heading."""
    name = METRICS.get(metric, tidy(metric))
    return name if name[1:2].isdigit() else capital(name)


def more_is_better(metric: str) -> bool:
    """Whether a larger value of the metric is the better one."""
    return metric.endswith("_per_s")


def load_short(load: LoadFacts) -> str:
    """A load for a table cell or an axis: `16 users`, `240/s`."""
    if load.model == "closed":
        return f"{load.users}{NBSP}users" if load.users != 1 else f"1{NBSP}user"
    return per_s(load.rate_per_s)


def within_a_sentence(title: str) -> str:
    """A title where it does not begin a sentence."""
    return title if title.startswith("Python") else title[0].lower() + title[1:]


def load_phrase(load: LoadFacts) -> str:
    """A load within a sentence: `with 16 users at once`, `at 240 requests/s`."""
    if load.model == "closed":
        return f"with {load_short(load)} at once" if load.users != 1 else f"with {load_short(load)}"
    return f"at {rounded(load.rate_per_s or 0.0)}{NBSP}requests/s"


def span(ci_pct: tuple[float, float], more: str, less: str) -> str:
    """An interval without signs: `12% to 24% more`, `between 4.0% less and 9.0% more`."""
    low, high = ci_pct
    if low >= 0:
        return f"{percent(low)} to {percent(high)} {more}"
    if high <= 0:
        return f"{percent(high)} to {percent(low)} {less}"
    return f"between {percent(low)} {less} and {percent(high)} {more}"


def better_arm(comparison: Comparison) -> str | None:
    """The arm that a verdict favours, None where it favours none."""
    winners = {"faster": comparison.candidate, "slower": comparison.baseline}
    return winners.get(comparison.verdict)


def verdict_words(comparison: Comparison) -> str:
    """A verdict in a few words: `async has more capacity`, `no difference that matters`."""
    if (arm := better_arm(comparison)) is not None:
        return f"{tidy(arm)} {_praise(comparison.metric)}"
    return {
        "equivalent": "no difference that matters",
        "inconclusive": "cannot tell",
        "invalid": "invalid",
    }[comparison.verdict]


def verdict_brief(comparison: Comparison) -> str:
    """A verdict where the measure stands beside it: `async is better`, `cannot tell`."""
    if (arm := better_arm(comparison)) is not None:
        return f"{tidy(arm)} is better"
    return verdict_words(comparison)


def _praise(metric: str) -> str:
    if more_is_better(metric):
        return "has more capacity"
    return "needs less CPU" if metric == COST else "answers sooner"


def sentence(comparison: Comparison, load: LoadFacts, equivalence_pct: float) -> str:
    """One comparison as a sentence with its load and its interval."""
    return f"{capital(clause(comparison, load, equivalence_pct))}."


def clause(comparison: Comparison, load: LoadFacts, equivalence_pct: float) -> str:
    """The same as a part of a sentence: `with 16 users at once, async serves …`."""
    return f"{load_phrase(load)}, {_claim(comparison, equivalence_pct)}"


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
    return _lower_first("; ".join(tidy(each) for each in reasons) or "too little was measured")


def _finding(comparison: Comparison, change_pct: float, ci: tuple[float, float]) -> str:
    baseline, candidate = tidy(comparison.baseline), tidy(comparison.candidate)
    if _kind(comparison.metric) == "latency" and change_pct >= TWICE_PCT:
        size, low, high = (rounded(factor(each)) for each in (change_pct, *ci))
        return (
            f"{baseline} answers sooner: the {_subject(comparison)} is {size} times as long with "
            f"{candidate} as with {baseline} (95% interval: {low} to {high} times)"
        )
    more, less = DIRECTIONS[_kind(comparison.metric)]
    size = f"{percent(change_pct)} {more if change_pct > 0 else less}"
    said = {
        "capacity": f"{candidate} serves {size} requests than {baseline}",
        "cost": f"{candidate} spends {size} CPU on a request than {baseline}",
        "latency": f"{tidy(better_arm(comparison) or candidate)} answers sooner: the "
        f"{_subject(comparison)} is {size} with {candidate} than with {baseline}",
    }[_kind(comparison.metric)]
    return f"{said} (95% interval: {span(ci, more, less)})"


def _equal(comparison: Comparison, ci: tuple[float, float], equivalence_pct: float) -> str:
    arms = f"{tidy(comparison.baseline)} and {tidy(comparison.candidate)}"
    return (
        f"{arms} differ by less than {equivalence_pct:g}% in {_subject(comparison)}, too little "
        f"to matter (95% interval: {interval(ci)})"
    )


def _undecided(comparison: Comparison, ci: tuple[float, float]) -> str:
    baseline, candidate = tidy(comparison.baseline), tidy(comparison.candidate)
    said = {
        "capacity": f"{candidate} has {span(ci, 'more', 'less')} capacity than {baseline}",
        "cost": f"{candidate} spends {span(ci, 'more', 'less')} CPU on a request than {baseline}",
        "latency": f"the {_subject(comparison)} is {span(ci, 'longer', 'shorter')} with "
        f"{candidate} than with {baseline}",
    }[_kind(comparison.metric)]
    return f"one cannot tell: {said} (95% interval)"


def _kind(metric: str) -> str:
    if more_is_better(metric):
        return "capacity"
    return "cost" if metric == COST else "latency"


def _subject(comparison: Comparison) -> str:
    return metric_name(comparison.metric, comparison.request)


def remark(comparison: Comparison) -> str:
    """What stands beside a comparison's sentence: doubts, and what it could not have seen."""
    if comparison.verdict == "invalid" or comparison.ci95_pct is None:
        return ""
    parts = [f"But {_lower_first(tidy(each)).rstrip('. ')}." for each in comparison.reasons[1:]]
    if comparison.verdict == "inconclusive" and comparison.mde_pct is not None:
        parts.append(f"A difference of {percent(comparison.mde_pct)} would probably have shown.")
    told = any("instance" in each for each in comparison.reasons[1:])
    if comparison.scope == "these instances" and not told:
        parts.append("This holds for these instances only, not for every start of the program.")
    return " ".join(parts)


def _lower_first(text: str) -> str:
    """Lower-case the first letter, unless the first word is an abbreviation."""
    head = text.split(" ", 1)[0]
    return text if head[1:2].isupper() else text[:1].lower() + text[1:]


GATES = {
    "arrivals": ("blocks whose arms were not offered the same, planned arrivals", ""),
    "carry-over": ("effect of which arm goes first on the arms' ratio", "%"),
    "counts": ("planned, sent, recorded and stored requests agree", ""),
    "database-distance": ("distance to the database, measured against asked", "ms"),
    "database-settings": ("settings of the database server that differ or changed", ""),
    "drain": ("every trial ended with nothing left in flight", ""),
    "enough-data": ("instance pairs or blocks behind what is claimed (at least)", ""),
    "equal-resources": ("differences in cores, priority, limits or workers of arms", ""),
    "equal-settings": ("arms differ in nothing but what is compared", ""),
    "error-parity": ("difference of arms in badly answered requests, in points", "%"),
    "errors": ("requests that failed", "%"),
    "failed-trials": ("trials that failed", "%"),
    "generator-cpu": ("load generator's use of its core", "%"),
    "interruptions": ("blocks lost because something was stopped or stood still", "%"),
    "littles-law": ("app's gauge of requests in flight against the generator's times", "%"),
    "neighbours": ("other programs' use of the arms' cores", "%"),
    "no-free-user": ("arrivals that found every user busy", "%"),
    "offered-rate": ("rate of arriving requests against the planned one", "%"),
    "same-work": ("twins have one interface, do the same work and answer alike", ""),
    "send-lag": ("lateness of the load generator, 99 of 100 requests", "ms"),
    "server-count": ("requests the app did not count", ""),
    "steady-state": ("change from the first to the second half of trials", "%"),
    "steal": ("machine's time taken by its host", "%"),
    "tables": ("times a table was not as seeded", ""),
    "trend": ("change of the arms' ratio over the run", "%"),
}
"""What each gate measures, and its unit."""


def gate_name(gate: str) -> str:
    """What a gate checks, in words."""
    return GATES.get(gate, (tidy(gate), ""))[0]


def gate_value(gate: str, value: float | None) -> str:
    """A gate's value or limit with its unit."""
    if value is None:
        return NOTHING
    unit = GATES.get(gate, ("", ""))[1]
    return {"ms": ms(value), "%": f"{rounded(value)}%"}.get(unit, rounded(value))


def gate_limit(gate: str, limit: float | None) -> str:
    """A gate's limit, without digits that nobody set: `0.1%`, `1 ms`."""
    unit = GATES.get(gate, ("", ""))[1]
    if limit is None or not unit:
        return gate_value(gate, limit)
    return f"{limit:.3g}%" if unit == "%" else f"{limit:.3g}{NBSP}{unit}"


def gate_words(gate: GateResult) -> str:
    """A gate's outcome: `passed`, `failed`, `could not be checked`."""
    return {True: "passed", False: "failed", None: "could not be checked"}[gate.ok]


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    parts: Sequence[str] = list(names)
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
