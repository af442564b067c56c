"""PURE: one sentence per candidate that a person can repeat to a colleague."""

from __future__ import annotations

from collections.abc import Sequence

from reports.model import Comparison, ScenarioSummary, Status

MINUS = "\u2212"


def headline(
    scenarios: Sequence[ScenarioSummary],
    arms: Sequence[str],
    equivalence_pct: float,
    status: Status,
) -> str:
    """What the primary comparisons say, honest about what cannot be told.

    `arms`: the baseline first.
    """
    if len(arms) == 1:
        said = _alone(scenarios, arms[0])
    else:
        said = " ".join(
            _candidate(scenarios, arms[0], candidate, equivalence_pct) for candidate in arms[1:]
        )
    return said if status == "complete" else f"Not finished, so far: {said}"


def _candidate(
    scenarios: Sequence[ScenarioSummary], baseline: str, candidate: str, margin_pct: float
) -> str:
    primaries = [
        (scenario.name, [c for c in scenario.comparisons if c.primary and c.candidate == candidate])
        for scenario in scenarios
    ]
    primaries = [(name, found) for name, found in primaries if found]
    if not primaries:
        return f"Nothing was measured that compares {candidate} with {baseline}."
    everything = [comparison for _, found in primaries for comparison in found]
    if all(comparison.verdict == "inconclusive" for comparison in everything):
        return _nothing_shown(everything, baseline, candidate)
    clauses = [
        f"{name}: " + ", ".join(_clause(comparison, margin_pct) for comparison in found)
        for name, found in primaries
    ]
    return f"{candidate} against {baseline} – " + "; ".join(clauses) + "."


def _nothing_shown(everything: Sequence[Comparison], baseline: str, candidate: str) -> str:
    said = f"No difference was shown between {candidate} and {baseline}, nor that there is none"
    seen = [each.mde_pct for each in everything if each.mde_pct is not None]
    if seen:
        span = dict.fromkeys(f"{size:.0f}%" for size in (min(seen), max(seen)))
        said += f": the smallest effects this run could have seen are {' to '.join(span)}"
    return f"{said}."


def _clause(comparison: Comparison, margin_pct: float) -> str:
    capacity = comparison.metric == "capacity_per_s"
    what = "capacity" if capacity else "p95"
    if comparison.verdict == "invalid":
        return f"{what} invalid"
    if comparison.change_pct is None or comparison.ci95_pct is None:
        return f"{what} cannot be told"
    interval = f"[{_signed(comparison.ci95_pct[0])}, {_signed(comparison.ci95_pct[1])}]"
    if comparison.verdict == "inconclusive":
        return f"{what} inconclusive {interval}"
    if comparison.verdict == "equivalent":
        return f"{what} the same within ±{margin_pct:g}% {interval}"
    size = f"{abs(comparison.change_pct):.0f}%"
    more = comparison.change_pct > 0
    if capacity:
        return f"{size} {'more' if more else 'fewer'} requests per second {interval}"
    return f"p95 response time {size} {'longer' if more else 'shorter'} {interval}"


def _signed(value_pct: float) -> str:
    text = f"{abs(value_pct):.0f}"
    return text if text == "0" else f"{'+' if value_pct > 0 else MINUS}{text}"


def _alone(scenarios: Sequence[ScenarioSummary], arm: str) -> str:
    clauses = []
    for scenario in scenarios:
        models = {load.load: load.model for load in scenario.loads}
        for result in scenario.results:
            if result.request is None and models.get(result.load) == "closed":
                if result.throughput_per_s is not None:
                    rate = f"{result.throughput_per_s:.0f} requests per second"
                    clauses.append(f"{scenario.name} {rate} at {result.load}")
            elif result.request is None and result.response_ms.p95 is not None:
                p95 = f"p95 {result.response_ms.p95:.1f} ms"
                clauses.append(f"{scenario.name} {p95} at {result.load}")
    said = "; ".join(clauses) or "nothing was measured"
    return f"{arm} alone, compared with nothing – {said}."
