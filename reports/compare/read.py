"""Reads what a comparison needs of a run's folder: stored answers where they are good, else made
again from the samples, which are let go of as soon as their curves are known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from loadtests.errors import UsageError
from loadtests.manifest import made_by
from reports.charts.capacity import completions
from reports.charts.caveats import caveats_of
from reports.charts.latency import MOST_POINTS, READ_AT, response_times, spectrum
from reports.charts.scene import Scene
from reports.compare.model import Absolute, Source
from reports.compare.record import Curve, RunRecord
from reports.measures import tidy
from reports.model import CAPACITY, LATENCY, LoadFacts, Result, ScenarioSummary, Summary
from reports.percentiles import Floats, Ints, clustered_quantiles, exact_percentile
from reports.run_folder import StoredRun, load_run
from reports.statistics import (
    ALPHA,
    RESAMPLING_SEED,
    Doubt,
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


def read_run(folder: Path) -> RunRecord:
    """One run. Raises UsageError for a folder that holds none that can be compared, StorageError
    for one that is damaged or from a newer version."""
    refuse_other_kinds(folder)
    stored = load_run(folder)
    summary, source, remarks = _answer(stored)
    points, curves = _reached(stored, summary)
    return RunRecord(
        manifest=stored.manifest,
        spec=stored.spec,
        summary=summary,
        answer_from=source,
        remarks=(*remarks, *summary.notes),
        points=tuple(points),
        curves=tuple(curves),
    )


def refuse_other_kinds(folder: Path) -> None:
    """Raises UsageError for what is no run of `bench run`, StorageError for a damaged manifest."""
    if (command := made_by(folder)) != "run":
        raise UsageError(
            f"{folder} was made by bench {command}; only what bench run has made can be compared.",
            hint="Its own page shows what it found.",
        )


def _answer(stored: StoredRun) -> tuple[Summary, Source, tuple[str, ...]]:
    summary, why = read_summary(stored.folder)
    if summary is not None and (summary.run, summary.status) != (stored.run, stored.status):
        summary, why = None, "summary.json is not of the run as it is now"
    if summary is None:
        return summarise(stored), "samples", (f"Computed anew from its samples: {why}.",)
    return summary, "summary.json", ()


def _reached(stored: StoredRun, summary: Summary) -> tuple[list[Absolute], list[Curve]]:
    """Capacity at each scenario's first closed load; p95 and spectra where latency is judged."""
    caveats = caveats_of(stored, summary, "")
    points: list[Absolute] = []
    curves: list[Curve] = []
    for number, scenario in enumerate(summary.scenarios, start=1):
        scene = Scene(stored, scenario, number, {}, caveats)
        closed = next((each for each in scenario.loads if each.model == "closed"), None)
        if closed is not None:
            points += _capacities(scene, closed)
        judged = scene.judged_load
        if judged is not None and not scene.expects_errors:
            times = response_times(scene)
            curves += _curves(scene, judged, times)
            if judged.model == "open":
                points += _latencies(scene, judged, times)
    return points, curves


def _capacities(scene: Scene, load: LoadFacts) -> Iterator[Absolute]:
    trials = completions(scene.at(load))
    for result in _results(scene.summary, load, None):
        value = measured_value(result, CAPACITY)
        own = trials[trials["arm"] == result.arm]
        means = own.groupby("instance")["per_s"].mean().to_numpy(dtype="float64")
        valid = not scene.failed(load, result.arm, CAPACITY)
        ci = interval_of_mean(value, means)
        yield Absolute("", scene.name, load, result.arm, CAPACITY, None, value, ci, valid)


def _latencies(
    scene: Scene, load: LoadFacts, times: Mapping[str, pd.DataFrame]
) -> Iterator[Absolute]:
    judged = scene.judged_request
    for result in _results(scene.summary, load, judged):
        value, ci = measured_value(result, P95), None
        if value is not None and result.arm in times:
            own = times[result.arm]
            ci = interval_of_p95(
                own["response_ms"].to_numpy(dtype="float64"),
                own["instance"].to_numpy(dtype="int64"),
            )
        valid = not scene.failed(load, result.arm, LATENCY)
        yield Absolute("", scene.name, load, result.arm, P95, judged, value, ci, valid)


def _results(scenario: ScenarioSummary, load: LoadFacts, request: str | None) -> list[Result]:
    """The results of every arm at one load."""
    return [each for each in scenario.results if (each.load, each.request) == (load.load, request)]


def _curves(scene: Scene, load: LoadFacts, times: Mapping[str, pd.DataFrame]) -> Iterator[Curve]:
    for arm, frame in times.items():
        values = frame["response_ms"].to_numpy(dtype="float64")
        share, value_ms = spectrum(values, MOST_POINTS)
        read = {each: exact_percentile(values, each / 100.0) for each in READ_AT}
        yield Curve(
            scenario=scene.name,
            arm=arm,
            load=load,
            share=share,
            value_ms=value_ms,
            read_ms={each: found for each, found in read.items() if found is not None},
            answers=len(values),
            valid=not scene.failed(load, arm, LATENCY),
        )


def interval_of_mean(value: float | None, instances: Floats) -> tuple[float, float] | None:
    """A t interval of a mean over instances; None where there is no telling."""
    if value is None or value <= 0:
        return None
    found = t_estimate(instances / value)
    if isinstance(found, Doubt):
        return None
    half = value * found.half_width_log(ALPHA)  # of shares of the mean: no logarithm was taken
    return tidy(max(0.0, value - half)) or 0.0, tidy(value + half) or 0.0


def interval_of_p95(values_ms: Floats, instance: Ints) -> tuple[float, float] | None:
    """A 95% interval of p95 that draws whole instances again; None where there is no telling."""
    instances, unit = np.unique(instance, return_inverse=True)
    if len(instances) < 2:
        return None
    weights = resampling_weights(len(instances), RESAMPLES, RESAMPLING_SEED)
    quantiles = clustered_quantiles(values_ms, unit.astype(np.int64), weights, 0.95)
    if not np.all(quantiles > 0):
        return None
    logs = np.log(quantiles)
    found = from_replicates(float(logs[0]), logs, len(instances))
    if isinstance(found, Doubt):
        return None
    half = found.half_width_log(ALPHA)
    low, high = (math.exp(found.log_ratio + sign * half) for sign in (-1.0, 1.0))
    return tidy(low) or 0.0, tidy(high) or 0.0
