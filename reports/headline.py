"""PURE: one sentence per candidate that a person can repeat to a colleague."""

from __future__ import annotations

from collections.abc import Sequence

from reports import words
from reports.model import CAPACITY, Comparison, ScenarioSummary, Status
from reports.words import distance

MOST_PAIRS_IN_FULL = 1
"""Of more pairs of arms than this, only what is decided or invalid is told of each."""
WORTH_TELLING = ("faster", "slower", "invalid")

LEAD, BREAK = " – ", "; "
"""Between what all parts of a headline have in common, and between the parts."""

Primaries = Sequence[tuple[ScenarioSummary, Sequence[Comparison]]]
"""Scenarios with the primary comparisons of one pair of arms."""

BLIND_PCT = 100.0
"""A smallest effect of this size or more: the run saw next to nothing."""


def headline(
    scenarios: Sequence[ScenarioSummary],
    arms: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    equivalence_pct: float,
    status: Status,
    database_rtt_ms: float = 0.0,
) -> str:
    """What the primary comparisons say, honest about what cannot be told.

    `pairs`: each baseline with a candidate; empty when `arms` are compared with nothing. A distance
    to the database is told first: it changes the answer.
    """
    if not pairs:
        said = " ".join(_alone(scenarios, arm) for arm in arms)
    elif len(pairs) > MOST_PAIRS_IN_FULL:
        said = _many(scenarios, pairs, equivalence_pct)
    else:
        said = " ".join(_candidate(scenarios, pair, equivalence_pct) for pair in pairs)
    if database_rtt_ms:
        said = f"With {distance(database_rtt_ms)}: {said}"
    return said if status == "complete" else f"Not finished, so far: {said}"


def _many(
    scenarios: Sequence[ScenarioSummary], pairs: Sequence[tuple[str, str]], margin_pct: float
) -> str:
    baselines = {baseline for baseline, _ in pairs}
    names = [each if len(baselines) == 1 else f"{each} against {base}" for base, each in pairs]
    told = [
        f"{name}: {_briefly(_primaries(scenarios, pair), margin_pct)}"
        for name, pair in zip(names, pairs, strict=True)
    ]
    start = f"Against {pairs[0][0]}" if len(baselines) == 1 else "Each against its baseline"
    return f"{start}{LEAD}{BREAK.join(told)}."


def _briefly(primaries: Primaries, margin_pct: float) -> str:
    """What is decided or invalid of one pair; scenarios are named where there are several."""
    verdicts = {each.verdict for _, found in primaries for each in found}
    telling = [(one, [c for c in found if c.verdict in WORTH_TELLING]) for one, found in primaries]
    if not verdicts:
        return "not measured"
    if not verdicts & set(WORTH_TELLING):
        same = verdicts == {"equivalent"}
        return f"the same within ±{margin_pct:g}%" if same else "not told apart"
    clauses = [
        f"{said} ({_list(names)})" if len(primaries) > 1 else said
        for metric in dict.fromkeys(each.metric for _, found in telling for each in found)
        for said, names in _said_of(metric, telling, margin_pct)
    ]
    rest = ", the rest not told apart" if "inconclusive" in verdicts else ""
    return f"{words.listed(clauses)}{rest}"


def _primaries(scenarios: Sequence[ScenarioSummary], pair: tuple[str, str]) -> Primaries:
    found = [
        (scenario, [c for c in scenario.comparisons if c.primary and _pair(c) == pair])
        for scenario in scenarios
    ]
    return [(scenario, comparisons) for scenario, comparisons in found if comparisons]


def _pair(comparison: Comparison) -> tuple[str, str]:
    return comparison.baseline, comparison.candidate


def _candidate(
    scenarios: Sequence[ScenarioSummary], pair: tuple[str, str], margin_pct: float
) -> str:
    baseline, candidate = pair
    primaries = _primaries(scenarios, pair)
    if not primaries:
        return f"Nothing was measured that compares {candidate} with {baseline}."
    everything = [comparison for _, found in primaries for comparison in found]
    if all(comparison.verdict == "inconclusive" for comparison in everything):
        return _nothing_shown(everything, baseline, candidate)
    clauses = [
        f"{said} ({_list(names)})"
        for metric in dict.fromkeys(comparison.metric for comparison in everything)
        for said, names in _said_of(metric, primaries, margin_pct)
    ]
    return f"{candidate} against {baseline}: " + "; ".join(clauses) + "."


def _said_of(metric: str, primaries: Primaries, margin_pct: float) -> list[tuple[str, list[str]]]:
    """What is said of one metric, and the scenarios it is said of, like with like.

    A response time means nothing without its load, which stands with the scenario.
    """
    groups: dict[str, list[tuple[str, Comparison]]] = {}
    for scenario, found in primaries:
        for comparison in found:
            if comparison.metric == metric:
                where = _where(scenario, comparison)
                groups.setdefault(_kind(comparison), []).append((where, comparison))
    return [
        (_words(kind, metric, [c for _, c in group], margin_pct), [name for name, _ in group])
        for kind, group in sorted(groups.items(), key=lambda each: ORDER.index(each[0]))
    ]


def _where(scenario: ScenarioSummary, comparison: Comparison) -> str:
    if comparison.metric == CAPACITY:
        return scenario.name
    load = next(load for load in scenario.loads if load.load == comparison.load)
    return f"{scenario.name} at {words.load_short(load)}"


ORDER = ("invalid", "more", "less", "equivalent", "inconclusive")


def _kind(comparison: Comparison) -> str:
    if comparison.verdict in ("faster", "slower"):
        return "more" if (comparison.change_pct or 0.0) > 0 else "less"
    return comparison.verdict


def _words(kind: str, metric: str, group: Sequence[Comparison], margin_pct: float) -> str:
    capacity = metric == CAPACITY
    what = "capacity" if capacity else "p95 response time"
    if kind == "invalid":
        return f"{what} invalid"
    if kind == "inconclusive":
        return f"{what} not told apart"
    if kind == "equivalent":
        return f"{what} the same within ±{margin_pct:g}%"
    changes_pct = [each.change_pct for each in group if each.change_pct is not None]
    size = _span_pct(changes_pct)
    if capacity:
        return f"{size} {'more' if kind == 'more' else 'fewer'} requests per second"
    if min(changes_pct) >= words.TWICE_PCT:
        times = [words.rounded(words.factor(each)) for each in sorted(changes_pct)]
        return f"{what} {' to '.join(dict.fromkeys((times[0], times[-1])))} times as long"
    return f"{what} {size} {'longer' if kind == 'more' else 'shorter'}"


def _span_pct(changes_pct: Sequence[float]) -> str:
    """`18 to 31%`, without signs: the words beside it say the direction."""
    sizes = sorted({f"{abs(change):.0f}" for change in changes_pct}, key=float)
    return f"{sizes[0]}%" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}%"


def lines(told: str) -> list[str]:
    """A headline as a page breaks it: what its parts have in common, then each part.

    A name may hold what stands between parts; then a line ends early, and nothing is lost.
    """
    start, lead, rest = told.partition(LEAD)
    return [f"{start}{lead}".strip(), *rest.split(BREAK)] if lead else [told]


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)


def _nothing_shown(everything: Sequence[Comparison], baseline: str, candidate: str) -> str:
    seen, blind = [], []
    for metric in dict.fromkeys(each.metric for each in everything):
        sizes = [e.mde_pct for e in everything if e.metric == metric and e.mde_pct is not None]
        name = words.metric_name(metric)
        if sizes and min(sizes) >= BLIND_PCT:
            blind.append(name)
        elif sizes:
            seen.append(f"{_span_pct([min(sizes), max(sizes)])} in {name}")
    unseen = [f"a difference of less than {' or '.join(seen)} would not have shown"] if seen else []
    unseen += [f"hardly any in {' or '.join(blind)} would have"] if blind else []
    told = ", and ".join(unseen)
    return f"This run cannot tell {candidate} from {baseline}{f': {told}' if told else ''}."


def _alone(scenarios: Sequence[ScenarioSummary], arm: str) -> str:
    clauses = []
    for scenario in scenarios:
        loads = {load.load: load for load in scenario.loads}
        for result in (each for each in scenario.results if each.request is None):
            load = loads.get(result.load)
            rate, p95_ms = result.throughput_per_s, result.response_ms.p95
            if load is None:
                continue
            where = words.load_phrase(load)
            if load.model == "open" and p95_ms is not None:
                clauses.append(f"{scenario.name} p95 {words.ms(p95_ms)} {where}")
            elif load.model == "closed" and rate is not None:
                clauses.append(f"{scenario.name} {rate:.0f} requests per second {where}")
    said = BREAK.join(clauses) or "nothing was measured"
    return f"{arm} alone, compared with nothing{LEAD}{said}."
