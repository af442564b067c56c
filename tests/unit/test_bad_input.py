"""Whatever is measured, the answer is a verdict with its reason: never NaN, never a traceback."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadtests.spreads import Spreads
from reports.resolution import outlook
from reports.run_folder import StoredRun
from reports.spreads import percentile_spreads, rate_spreads
from reports.statistics import (
    Doubt,
    Estimate,
    Latencies,
    adjusted_alpha,
    percentile_log_ratio,
    rate_log_ratio,
    t_estimate,
)
from reports.summarise import interim, summarise
from reports.verdicts import MORE_IS_BETTER, judge
from tests.support.run_builder import MS, Columns, Trial, build_run

PAIRS = st.integers(0, 3)
RATES = st.one_of(
    st.just(0.0),
    st.floats(1e-3, 1e9),
    st.integers(0, 3).map(float),
    st.just(float("nan")),
    st.just(float("inf")),
)
BLOCKS = st.lists(st.tuples(PAIRS, RATES, RATES), max_size=12)
LATENCIES_MS = st.one_of(st.just(0.0), st.just(5.0), st.floats(1e-6, 1e9))
REQUESTS = st.lists(st.tuples(st.integers(0, 5), LATENCIES_MS), max_size=40)


def is_an_answer(metric: str, found: Estimate | Doubt, primaries: int) -> None:
    """A verdict with reasons, numbers that exist, and an interval that agrees with the word."""
    alpha = adjusted_alpha(primaries)
    verdict = judge(metric, found, alpha=alpha, equivalence_pct=5.0)
    numbers = [verdict.change_pct, verdict.mde_pct, *(verdict.ci_pct or ())]
    json.dumps(numbers, allow_nan=False)
    assert verdict.reasons
    if isinstance(found, Doubt):
        assert (verdict.word, verdict.ci_pct) == ("inconclusive", None)
        return
    if verdict.ci_pct is None:
        assert verdict.word == "inconclusive"
        return
    low, high = verdict.ci_pct
    assert verdict.change_pct is not None
    assert low <= verdict.change_pct <= high
    if verdict.word in ("faster", "slower"):
        assert (low > 0) if (verdict.word == "faster") == (metric in MORE_IS_BETTER) else high < 0
    elif verdict.word == "equivalent":
        assert max(-low, high) <= 5.0
    else:
        assert low <= 0 <= high


def says_what_would_help(found: Estimate | Doubt, spreads: Spreads | None, blocks: float) -> None:
    if isinstance(found, Doubt) or spreads is None:
        return
    ahead = outlook(found, spreads, blocks, 0.05)
    assert math.isfinite(spreads.instance_sd + spreads.block_sd)
    assert 0 < ahead.twice_instances_pct < math.inf
    assert ahead.twice_rounds_pct <= found.mde_pct() * 1.001


@given(BLOCKS, st.integers(1, 24))
def test_rates(blocks: list[tuple[int, float, float]], primaries: int) -> None:
    pair = np.array([each[0] for each in blocks], dtype=np.int64)
    baseline, candidate = (np.array([each[i] for each in blocks], dtype=float) for i in (1, 2))
    found = rate_log_ratio(baseline, candidate, pair)
    is_an_answer("capacity_per_s", found, primaries)
    if isinstance(found, Estimate):
        blocks_each = len(pair) / len(np.unique(pair))
        says_what_would_help(found, rate_spreads(baseline, candidate, pair), blocks_each)


@given(REQUESTS, REQUESTS, st.integers(1, 4), st.sampled_from([0.5, 0.95, 0.99]))
def test_percentiles(
    baseline: list[tuple[int, float]],
    candidate: list[tuple[int, float]],
    blocks_per_pair: int,
    q: float,
) -> None:
    arms = [_latencies(each, blocks_per_pair) for each in (baseline, candidate)]
    found = percentile_log_ratio(arms[0], arms[1], q, resamples=50)
    is_an_answer("response_ms.p95", found, 6)
    if isinstance(found, Estimate):
        says_what_would_help(found, percentile_spreads(arms[0], arms[1], q), blocks_per_pair)


def _latencies(requests: list[tuple[int, float]], blocks_per_pair: int) -> Latencies:
    block = np.array([each[0] for each in requests], dtype=np.int64)
    values = np.array([each[1] for each in requests], dtype=np.float64)
    return Latencies(values, block, block // blocks_per_pair)


@given(st.lists(st.one_of(st.floats(-30, 30), st.just(math.nan), st.just(math.inf)), max_size=8))
def test_log_ratios(units: list[float]) -> None:
    is_an_answer("cpu_ms_per_request", t_estimate(np.array(units)), 1)


FATES = (
    "as it was",
    "nobody came",
    "all errors",
    "no answers",
    "all alike",
    "at once",
    "no window",
)


def _trial(fates: dict[int, str]) -> Any:
    def edit(trial: Trial) -> Trial:
        fate = fates.get(trial["trial"], FATES[0])
        if fate == "no window":
            return {**trial, "steady_end_ns": trial["steady_start_ns"]}
        if fate == "failed":
            return {**trial, "state": "invalid", "reason": "exited"}
        return trial

    return edit


def _samples(fates: dict[int, str]) -> Any:
    def edit(trial: Trial, columns: Columns) -> Columns:
        fate = fates.get(trial["trial"], FATES[0])
        count = len(columns["ok"])
        if fate == "nobody came":
            return {name: values[:0] for name, values in columns.items()}
        if fate == "all errors":
            bad = {"ok": np.zeros(count, bool), "status": np.full(count, 500, "int16")}
            return {**columns, **bad, "error": ["refused"] * count}
        if fate == "no answers":
            gone = {"ok": np.zeros(count, bool), "status": np.zeros(count, "int16")}
            return {**columns, **gone, "done_ns": [None] * count}
        if fate == "all alike":
            return {**columns, "done_ns": columns["sent_ns"] + 4 * MS}
        if fate == "at once":
            return {**columns, "sent_ns": columns["arrival_ns"], "done_ns": columns["arrival_ns"]}
        return columns

    return edit


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    instances=st.integers(1, 3),
    rounds=st.integers(0, 2),
    everywhere=st.sampled_from((*FATES, "failed")),
    fates=st.dictionaries(st.integers(0, 23), st.sampled_from((*FATES, "failed")), max_size=24),
)
def test_whole_runs(
    tmp_path_factory: Any, instances: int, rounds: int, everywhere: str, fates: dict[int, str]
) -> None:
    """Any mixture of trials that went wrong, to a summary that is strict JSON."""
    chosen = dict.fromkeys(range(24), everywhere) | fates
    folder = build_run(
        tmp_path_factory.mktemp("bad") / "run",
        instances=instances,
        rounds=rounds,
        block_s=0.2,
        edit_trial=_trial(chosen),
        edit_samples=_samples(chosen),
    )
    run = StoredRun.load(folder)
    summary = summarise(run)
    json.dumps(summary.to_json(), allow_nan=False)
    assert summary.headline
    for each in (c for scenario in summary.scenarios for c in scenario.comparisons):
        assert each.reasons
        if each.ci95_pct is None:
            assert each.verdict in ("inconclusive", "invalid")
    assert all(each.half_width_pct is None or each.half_width_pct >= 0 for each in interim(run))
