"""PURE: CPU per request, memory, threads and connections of single instances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

PEAKS = {
    "rss_mb": ("app_rss_mb", "rss_mb"),
    "threads": ("app_threads", "threads"),
    "connections": ("connections", "connections"),
}
"""Of each peak, the column of the journal (trial boundaries) and of the telemetry (in between)."""

ByInstance = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Usage:
    """By instance; without those for which a number is not known."""

    cpu_ms: ByInstance
    """CPU time of its processes per request, over its trials."""
    peaks: Mapping[str, ByInstance]
    """Its highest reading, by the keys of PEAKS."""


def usage_of(trials: pd.DataFrame, telemetry: pd.DataFrame | None) -> Usage:
    """Of one arm's finished trials; `telemetry` of the whole run."""
    return Usage(
        _cpu_ms(trials),
        {name: _peak(trials, telemetry, *columns) for name, columns in PEAKS.items()},
    )


def _cpu_ms(trials: pd.DataFrame) -> dict[int, float]:
    known = trials[trials["app_cpu_s"].notna()]
    sums = known.groupby("instance")[["app_cpu_s", "recorded"]].sum()
    sums = sums[sums["recorded"] > 0]
    return _numbers(1000.0 * sums["app_cpu_s"] / sums["recorded"])


def _peak(
    trials: pd.DataFrame, telemetry: pd.DataFrame | None, in_journal: str, in_telemetry: str
) -> dict[int, float]:
    readings = [trials[["instance", in_journal]].set_axis(["instance", "value"], axis=1)]
    wanted = {"trial", "instance", in_telemetry}
    if telemetry is not None and wanted <= set(telemetry.columns):
        during = telemetry[telemetry["trial"].isin(trials["trial"])]
        readings.append(during[["instance", in_telemetry]].set_axis(["instance", "value"], axis=1))
    values = pd.concat([each.astype("float64") for each in readings if len(each)] or readings)
    return _numbers(values.groupby("instance")["value"].max())


def _numbers(values: pd.Series) -> dict[int, float]:
    by_instance = zip(values.index.to_numpy(dtype="int64"), values.to_numpy(), strict=True)
    return {int(each): float(value) for each, value in by_instance if np.isfinite(value)}
