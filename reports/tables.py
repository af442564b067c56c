"""The tables that every form of the report shows, as rows of words; nothing here knows a format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from reports import gate_words, verdict_words, words
from reports.model import (
    CAPACITY,
    COST,
    Comparison,
    GateResult,
    LoadFacts,
    Result,
    ScenarioSummary,
    Summary,
)


@dataclass(frozen=True, slots=True)
class Table:
    """Column heads and rows of cells."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One comparison ready to be shown."""

    scenario: str
    load: str
    measure: str
    baseline: str
    candidate: str
    baseline_value: str
    candidate_value: str
    change: str
    interval: str
    verdict: str
    """The contract's word."""
    said: str
    """The verdict in a few words."""
    brief: str
    """The same where the measure stands beside it."""
    winner: str | None
    clause: str
    """The verdict as a part of a sentence, with load and interval."""
    remark: str
    """What stands beside it: doubts, what could not have been seen; may be empty."""
    smallest_effect: str
    smallest_ahead: tuple[str, str]
    """The same with twice the instances, and with twice the rounds."""
    instances: int
    rounds: int
    blocks: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What a run says about one scenario."""

    scenario: str
    rows: tuple[VerdictRow, ...]
    """The primary comparisons, candidate by candidate, invalid ones first."""

    @property
    def lines(self) -> list[tuple[VerdictRow, str]]:
        """Each with its part of the sentence that says all of a candidate against its baseline."""
        said: list[tuple[VerdictRow, str]] = []
        for _, rows in groupby(self.rows, key=lambda row: (row.candidate, row.baseline)):
            first, *others = rows
            clauses = [words.capital(first.clause), *(row.clause for row in others)]
            ends = [";"] * len(others) + ["."]
            said += zip((first, *others), map(str.__add__, clauses, ends), strict=True)
        return said


@dataclass(frozen=True, slots=True)
class GateRow:
    """One gate over a whole run: how often it passed and its worst outcome."""

    name: str
    checks: str
    passed: int
    failed: int
    unchecked: int
    worst: str
    limit: str
    detail: str

    @property
    def outcome(self) -> str:
        """`passed`, `3 of 12 failed`, `not checked`."""
        if self.failed:
            return f"{self.failed} of {self.passed + self.failed + self.unchecked} failed"
        if not self.passed:
            return "not checked"
        return "passed" + (f", {self.unchecked} not checked" if self.unchecked else "")


def answers(summary: Summary, equivalence_pct: float) -> list[Answer]:
    """Per scenario its primary comparisons; scenarios with anything invalid first."""
    found = []
    for scenario in summary.scenarios:
        rows = [
            verdict_row(scenario, each, equivalence_pct)
            for each in scenario.comparisons
            if each.primary
        ]
        found.append(Answer(scenario.name, tuple(sorted(rows, key=_invalid_first(rows)))))
    return sorted(found, key=lambda each: all(row.verdict != "invalid" for row in each.rows))


def _invalid_first(rows: Sequence[VerdictRow]) -> Callable[[VerdictRow], tuple[bool, int, bool]]:
    """Candidates with anything invalid before others, and of a candidate what is invalid."""
    pairs = [(row.candidate, row.baseline) for row in rows]
    doubted = {pair for pair, row in zip(pairs, rows, strict=True) if row.verdict == "invalid"}

    def key(row: VerdictRow) -> tuple[bool, int, bool]:
        pair = (row.candidate, row.baseline)
        return pair not in doubted, pairs.index(pair), row.verdict != "invalid"

    return key


def verdict_rows(summary: Summary, equivalence_pct: float, *, primary: bool) -> list[VerdictRow]:
    """All primary, or all secondary, comparisons of a run."""
    return [
        verdict_row(scenario, each, equivalence_pct)
        for scenario in summary.scenarios
        for each in scenario.comparisons
        if each.primary is primary
    ]


def verdict_row(
    scenario: ScenarioSummary, comparison: Comparison, equivalence_pct: float
) -> VerdictRow:
    """One comparison in words."""
    load = load_of(scenario, comparison.load)
    return VerdictRow(
        scenario=scenario.name,
        load=words.load_short(load),
        measure=words.metric_name(comparison.metric, comparison.request),
        baseline=comparison.baseline,
        candidate=comparison.candidate,
        baseline_value=_value(scenario, comparison, comparison.baseline),
        candidate_value=_value(scenario, comparison, comparison.candidate),
        change=words.change(comparison.change_pct),
        interval=words.interval(comparison.ci95_pct),
        verdict=comparison.verdict,
        said=verdict_words.said(comparison),
        brief=verdict_words.brief(comparison),
        winner=verdict_words.better_arm(comparison),
        clause=verdict_words.clause(comparison, load, equivalence_pct),
        remark=verdict_words.remark(comparison),
        smallest_effect=words.size(comparison.mde_pct),
        smallest_ahead=_ahead(comparison),
        instances=comparison.instances,
        rounds=comparison.rounds,
        blocks=comparison.blocks,
    )


def _ahead(comparison: Comparison) -> tuple[str, str]:
    outlook = comparison.outlook
    if outlook is None:
        return words.NOTHING, words.NOTHING
    return words.size(outlook.twice_instances_pct), words.size(outlook.twice_rounds_pct)


def load_of(scenario: ScenarioSummary, name: str) -> LoadFacts:
    """The load called `name`."""
    return next(load for load in scenario.loads if load.load == name)


def _value(scenario: ScenarioSummary, comparison: Comparison, arm: str) -> str:
    """What an arm itself reached in the compared metric."""
    for result in scenario.results:
        place = (result.load, result.arm, result.request)
        if place == (comparison.load, arm, comparison.request):
            metric = comparison.metric
            return words.metric_value(metric, measured_value(result, metric))
    return words.NOTHING


def measured_value(result: Result, metric: str) -> float | None:
    """A metric of the contract (`capacity_per_s`, `response_ms.p95`, …) out of a result."""
    if metric == CAPACITY:
        return result.throughput_per_s
    if metric == COST:
        return result.cpu_ms_per_request
    latency = {"response_ms": result.response_ms, "service_ms": result.service_ms}
    group, _, percentile = metric.partition(".")
    value = getattr(latency.get(group), percentile, None)
    return None if value is None else float(value)


def gate_rows(summary: Summary) -> list[GateRow]:
    """Every gate once, failed ones first, with its worst outcome over scenarios, loads and arms."""
    by_name: dict[str, list[GateResult]] = {}
    for scenario in summary.scenarios:
        for gate in scenario.gates:
            by_name.setdefault(gate.name, []).append(gate)
    rows = [_gate_row(name, gates) for name, gates in by_name.items()]
    return sorted(rows, key=lambda row: -row.failed)


def _gate_row(name: str, gates: Sequence[GateResult]) -> GateRow:
    worst = max(gates, key=_badness)
    return GateRow(
        name=name,
        checks=gate_words.name(name),
        passed=sum(gate.ok is True for gate in gates),
        failed=sum(gate.ok is False for gate in gates),
        unchecked=sum(gate.ok is None for gate in gates),
        worst=gate_words.value(name, worst.value),
        limit=gate_words.limit(name, worst.limit),
        detail=worst.detail,
    )


def _badness(gate: GateResult) -> tuple[int, float]:
    """Failed before passed before unchecked; then by how much of the limit is used up."""
    rank = {False: 2, True: 1, None: 0}[gate.ok]
    if gate.value is None:
        return rank, -1.0
    return rank, gate.value / gate.limit if gate.limit else gate.value


def gate_table(summary: Summary) -> Table:
    """Every single check."""
    return Table(
        ("Scenario", "Gate", "Load", "Arm", "Outcome", "Value", "Limit", "Detail"),
        tuple(
            (
                scenario.name,
                gate.name,
                _load_words(scenario, gate.load),
                gate.arm or "all",
                gate_words.outcome(gate),
                gate_words.value(gate.name, gate.value),
                gate_words.limit(gate.name, gate.limit),
                gate.detail,
            )
            for scenario in summary.scenarios
            for gate in scenario.gates
        ),
    )


def failed_gates(summary: Summary) -> list[str]:
    """One line per failed check: where, and what was seen."""
    lines = []
    for scenario in summary.scenarios:
        for gate in scenario.gates:
            if gate.ok is False:
                place = [scenario.name, _load_words(scenario, gate.load), gate.arm or ""]
                where = ", ".join(part for part in place if part not in ("", "all"))
                lines.append(f"{where}: {gate.detail} ({gate.name})")
    return list(dict.fromkeys(lines))


def _load_words(scenario: ScenarioSummary, name: str | None) -> str:
    return "all" if name is None else words.load_short(load_of(scenario, name))


def evidence_table(rows: Sequence[VerdictRow]) -> Table:
    """What stands behind each primary comparison; candidates are named where there are several."""
    several = len({row.candidate for row in rows}) > 1
    named = ("Scenario", "Load", "Measure", *(("Candidate",) if several else ()))
    return Table(
        (
            *named,
            "Instances",
            "Rounds",
            "Blocks",
            "Smallest effect",
            "twice the instances",
            "twice the rounds",
        ),
        tuple(
            (
                row.scenario,
                row.load,
                row.measure,
                *((row.candidate,) if several else ()),
                words.count(row.instances),
                words.count(row.rounds),
                words.count(row.blocks),
                row.smallest_effect,
                *row.smallest_ahead,
            )
            for row in rows
        ),
    )


def result_table(summary: Summary) -> Table:
    """What each arm did at each load, as a whole and per request."""
    rows = []
    for scenario in summary.scenarios:
        for result in scenario.results:
            times = result.response_ms
            rows.append(
                (
                    scenario.name,
                    _load_words(scenario, result.load),
                    result.arm,
                    result.request or "all",
                    words.count(result.requests),
                    words.count(result.errors),
                    words.count(result.timeouts),
                    words.per_s(result.throughput_per_s),
                    *(words.ms(each) for each in (times.p50, times.p95, times.p99, times.max)),
                )
            )
    head = ("Scenario", "Load", "Arm", "Request", "Requests", "Errors", "Timeouts", "Good answers")
    return Table((*head, "p50", "p95", "p99", "Slowest"), tuple(rows))
