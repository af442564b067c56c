"""The shape of an answer: what `summary.json` holds, as frozen dataclasses."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

VerdictWord = Literal["faster", "slower", "equivalent", "inconclusive", "invalid"]
Scope = Literal["program", "these instances"]
OpinionWord = Literal["agrees", "differs", "cannot tell", "not made"]
Status = Literal["complete", "interrupted"]


@dataclass(frozen=True, slots=True)
class LatencyMs:
    """Exact percentiles in milliseconds; None where too few samples stand beyond one."""

    mean: float | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None
    p99_9: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class SplitMs:
    """Mean milliseconds per good response by where they went; None where the arm does not tell."""

    thread: float | None
    pool: float | None
    db: float | None
    own: float | None
    total: float | None


CAPACITY, COST, LATENCY = "capacity_per_s", "cpu_ms_per_request", "response_ms"
"""Metrics of `Comparison`; latencies have their percentile behind them: `response_ms.p95`."""
PRIMARY_LATENCY = "response_ms.p95"


@dataclass(frozen=True, slots=True)
class LoadFacts:
    """One load of a scenario."""

    load: str
    model: Literal["closed", "open"]
    users: int | None = None
    rate_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What one arm did at one load; `request` None is the whole."""

    load: str
    arm: str
    request: str | None
    requests: int
    ok: int
    errors: int
    timeouts: int
    throughput_per_s: float | None
    goodput_pct: float | None
    response_ms: LatencyMs
    service_ms: LatencyMs
    split_ms: SplitMs
    cpu_ms_per_request: float | None
    rss_mb_peak: float | None
    threads_peak: int | None
    connections_peak: int | None
    last_error: str | None = None
    """What the last request that the app refused failed for, in the error's own words."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How much a comparison's log ratio varies, as standard deviations in percent."""

    instances_pct: float
    """Between instance pairs, beyond what their few blocks make them differ."""
    blocks_pct: float
    """Between the blocks of one pair."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The smallest effect that twice the budget would find with 80% power, spent either way."""

    twice_instances_pct: float
    twice_rounds_pct: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The candidate against the baseline in one metric at one load, with its verdict.

    `change_pct` and `ci95_pct` are of the candidate relative to the baseline; for primaries the
    interval is adjusted for their number.
    """

    load: str
    metric: str
    request: str | None
    primary: bool
    baseline: str
    candidate: str
    change_pct: float | None
    ci95_pct: tuple[float, float] | None
    mde_pct: float | None
    instances: int
    rounds: int
    blocks: int
    scope: Scope
    verdict: VerdictWord
    reasons: tuple[str, ...] = ()
    spread: Spread | None = None
    """Of primaries; None where the run cannot tell instances from blocks."""
    outlook: Outlook | None = None
    """Of primaries with a spread."""
    log_standard_error: float | None = None
    """Of log(1 + change_pct/100): with its degrees of freedom what other runs are compared by."""
    degrees_of_freedom: float | None = None


@dataclass(frozen=True, slots=True)
class GateResult:
    """One check that can make results invalid; `ok` None means it could not be checked."""

    name: str
    load: str | None
    arm: str | None
    ok: bool | None
    value: float | None
    limit: float | None
    detail: str


@dataclass(frozen=True, slots=True)
class ScenarioSummary:
    """Everything about one scenario."""

    name: str
    loads: tuple[LoadFacts, ...]
    results: tuple[Result, ...]
    comparisons: tuple[Comparison, ...]
    gates: tuple[GateResult, ...]


@dataclass(frozen=True, slots=True)
class ArmsSeen:
    """A candidate's capacity against its baseline's as each tool saw it in the same turns."""

    baseline: str
    candidate: str
    change_pct: float | None
    ci95_pct: tuple[float, float] | None
    wrk_change_pct: float | None
    wrk_ci95_pct: tuple[float, float] | None
    contradict: bool
    """Whether the two intervals have nothing in common."""


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """Our generator beside wrk: capacity of the same processes, in turn. It decides no verdict."""

    word: OpinionWord
    detail: str
    scenario: str | None = None
    load: str | None = None
    pairs: int = 0
    difference_pct: float | None = None
    """Our generator's capacity relative to wrk's."""
    ci95_pct: tuple[float, float] | None = None
    arms: tuple[ArmsSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """A run's answer."""

    schema: int
    run: str
    status: Status
    valid: bool
    headline: str
    scenarios: tuple[ScenarioSummary, ...]
    notes: tuple[str, ...] = ()
    """What is missing or damaged in the run's folder."""
    second_opinion: SecondOpinion | None = None
    """None for runs that did not come to their end."""

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values, in the order of the contract."""
        return asdict(self)
