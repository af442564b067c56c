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
    """Of one arm; by instance without those for which a number is not known."""

    cpu_ms_per_request: float | None
    """CPU time of its processes over all requests, answered well or not."""
    cpu_ms: ByInstance
    """The same of each instance."""
    peaks: Mapping[str, ByInstance]
    """Each instance's highest reading, by the keys of PEAKS."""

    def peak(self, key: str) -> float | None:
        """The highest reading of one instance."""
        return max(self.peaks[key].values(), default=None)


NOT_WATCHED = Usage(None, {}, {key: {} for key in PEAKS})


def usage_of(trials: pd.DataFrame, telemetry: pd.DataFrame | None) -> Usage:
    """Of one arm's finished trials; `telemetry` of the whole run."""
    known = trials[trials["app_cpu_s"].notna()]
    sums = known.groupby("instance")[["app_cpu_s", "recorded"]].sum()
    cpu_s, requests = (float(sums[name].sum()) for name in ("app_cpu_s", "recorded"))
    busy = sums[sums["recorded"] > 0]
    return Usage(
        1000.0 * cpu_s / requests if requests else None,
        _by_instance(1000.0 * busy["app_cpu_s"] / busy["recorded"]),
        {name: _peak(trials, telemetry, *columns) for name, columns in PEAKS.items()},
    )


def _peak(
    trials: pd.DataFrame, telemetry: pd.DataFrame | None, in_journal: str, in_telemetry: str
) -> dict[int, float]:
    """At trial boundaries or in between."""
    readings = [trials[["instance", in_journal]].set_axis(["instance", "value"], axis=1)]
    wanted = {"trial", "instance", in_telemetry}
    if telemetry is not None and wanted <= set(telemetry.columns):
        during = telemetry[telemetry["trial"].isin(trials["trial"])]
        readings.append(during[["instance", in_telemetry]].set_axis(["instance", "value"], axis=1))
    values = pd.concat([each.astype("float64") for each in readings if len(each)] or readings)
    finite = values[np.isfinite(values["value"].to_numpy(dtype="float64"))]
    return _by_instance(finite.groupby("instance")["value"].max())


def _by_instance(values: pd.Series) -> dict[int, float]:
    pairs = zip(values.index.to_numpy(dtype="int64"), values.to_numpy(), strict=True)
    return {int(each): float(value) for each, value in pairs if np.isfinite(value)}
