"""Reads what a comparison needs of a run's folder: stored answers where they are good, else made
again from the samples, which are let go of as soon as their curves are known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from loadtests.errors import UsageError
from loadtests.manifest import kind_of, read_manifest
from reports.charts.capacity import completions
from reports.charts.caveats import Caveats, caveats_of
from reports.charts.latency import MOST_POINTS, READ_AT, judged_load, response_times, spectrum
from reports.compare.model import Source
from reports.compare.record import Curve, Point, RunRecord
from reports.measures import tidy
from reports.model import CAPACITY, LATENCY, LoadFacts, Result, Summary
from reports.percentiles import Floats, Ints, clustered_quantiles, exact_percentile
from reports.run_folder import StoredRun, load_run
from reports.statistics import (
    ALPHA,
    RESAMPLING_SEED,
    Doubt,
    Estimate,
    from_replicates,
    resampling_weights,
    t_estimate,
)
from reports.stored_summary import read_summary
from reports.summarise import summarise
from reports.tables import measured_value

P95 = "response_ms.p95"
RESAMPLES = 200
"""Enough for the interval of a point that no verdict rests on."""
OTHER_KINDS = {
    "selftest.json": "a selftest",
    "compare.json": "a comparison of runs",
    "map.json": "a map",
}


def read_run(folder: Path) -> RunRecord:
    """One run. Raises UsageError for a folder that holds none that can be compared, StorageError
    for one that is damaged or from a newer version."""
    refuse_other_kinds(folder)
    stored = load_run(folder)
    summary, source, remarks = _answer(stored)
    caveats = caveats_of(stored, summary, "")
    return RunRecord(
        manifest=stored.manifest,
        spec=stored.spec,
        arms=stored.arms,
        summary=summary,
        answer_from=source,
        remarks=(*remarks, *summary.notes),
        points=tuple(_points(stored, summary, caveats)),
        curves=tuple(_curves(stored, caveats)),
    )


def refuse_other_kinds(folder: Path) -> None:
    """Raises UsageError for what is no run of `bench run`, StorageError for a damaged manifest."""
    for name, what in OTHER_KINDS.items():
        if (folder / name).is_file() and not (folder / "manifest.json").is_file():
            raise UsageError(
                f"{folder} holds {what}, not a run.",
                hint="bench compare takes folders that bench run has made.",
            )
    kind = kind_of(read_manifest(folder))
    if kind != "run":
        raise UsageError(
            f"{folder} was made by bench {kind}, not by bench run: its arms were searched, not "
            "compared.",
            hint=f"bench report {folder} shows what it found.",
        )


def _answer(stored: StoredRun) -> tuple[Summary, Source, tuple[str, ...]]:
    summary, why = read_summary(stored.folder)
    if summary is not None and (summary.run, summary.status) != (stored.run, stored.status):
        summary, why = None, "summary.json is not of the run as it is now"
    if summary is None:
        return summarise(stored), "samples", (f"Computed anew from its samples: {why}.",)
    return summary, "summary.json", ()


def _points(stored: StoredRun, summary: Summary, caveats: Caveats) -> Iterator[Point]:
    """Capacity at the first closed load, p95 of the judged request at the first open one."""
    for scenario in summary.scenarios:
        results = {(each.load, each.arm, each.request): each for each in scenario.results}
        closed = next((each for each in scenario.loads if each.model == "closed"), None)
        if closed is not None:
            yield from _capacities(stored, scenario.name, closed, results, caveats)
        opened = next((each for each in scenario.loads if each.model == "open"), None)
        if opened is not None and not stored.scenario(scenario.name).expect_errors:
            yield from _latencies(stored, scenario.name, opened, results, caveats)


Results = Mapping[tuple[str, str, str | None], Result]


def _capacities(
    stored: StoredRun, scenario: str, load: LoadFacts, results: Results, caveats: Caveats
) -> Iterator[Point]:
    trials = completions(stored, scenario, load)
    for arm in stored.arms_of(scenario):
        result = results.get((load.load, arm, None))
        if result is not None:
            value = measured_value(result, CAPACITY)
            own = trials[trials["arm"] == arm]
            means = own.groupby("instance")["per_s"].mean().to_numpy(dtype="float64")
            valid = not caveats.failures((scenario, load.load, arm), CAPACITY)
            ci = interval_of_mean(value, means)
            yield Point(scenario, load, arm, CAPACITY, None, value, ci, valid)


def interval_of_mean(value: float | None, instances: Floats) -> tuple[float, float] | None:
    """A t interval of a mean over instances; None where there is no telling."""
    if value is None or value <= 0:
        return None
    found = t_estimate(instances / value)
    if isinstance(found, Doubt):
        return None
    half = value * found.half_width_log(ALPHA)  # of shares of the mean: no logarithm was taken
    return tidy(max(0.0, value - half)) or 0.0, tidy(value + half) or 0.0


def _latencies(
    stored: StoredRun, scenario: str, load: LoadFacts, results: Results, caveats: Caveats
) -> Iterator[Point]:
    judged = stored.scenario(scenario).judged_request
    times = response_times(stored, scenario, load)
    for arm in stored.arms_of(scenario):
        result = results.get((load.load, arm, judged))
        if result is not None:
            value, ci = measured_value(result, P95), None
            if value is not None and arm in times:
                ci = interval_of_p95(
                    times[arm]["response_ms"].to_numpy(dtype="float64"),
                    times[arm]["instance"].to_numpy(dtype="int64"),
                )
            valid = not caveats.failures((scenario, load.load, arm), LATENCY)
            yield Point(scenario, load, arm, P95, judged, value, ci, valid)


def interval_of_p95(values_ms: Floats, instance: Ints) -> tuple[float, float] | None:
    """A 95% interval of p95 that draws whole instances again; None where there is no telling."""
    instances, unit = np.unique(instance, return_inverse=True)
    if len(instances) < 2:
        return None
    weights = resampling_weights(len(instances), RESAMPLES, RESAMPLING_SEED)
    logs = np.log(clustered_quantiles(values_ms, unit.astype(np.int64), weights, 0.95))
    found = from_replicates(float(logs[0]), logs, len(instances))
    if not isinstance(found, Estimate):
        return None
    half = found.half_width_log(ALPHA)
    return (
        tidy(math.exp(found.log_ratio - half)) or 0.0,
        tidy(math.exp(found.log_ratio + half)) or 0.0,
    )


def _curves(stored: StoredRun, caveats: Caveats) -> Iterator[Curve]:
    for scenario in stored.scenarios:
        load = judged_load(stored.loads(scenario))
        if load is None or stored.scenario(scenario).expect_errors:
            continue
        for arm, frame in response_times(stored, scenario, load).items():
            values = frame["response_ms"].to_numpy(dtype="float64")
            share, value_ms = spectrum(values, MOST_POINTS)
            read = {each: exact_percentile(values, each / 100.0) for each in READ_AT}
            yield Curve(
                scenario=scenario,
                arm=arm,
                load=load,
                share=share,
                value_ms=value_ms,
                read_ms={each: found for each, found in read.items() if found is not None},
                answers=len(values),
                valid=not caveats.failures((scenario, load.load, arm), LATENCY),
            )
