"""Trials of a journal as a table: one row per trial, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from reports.samples import count_rows, sample_file

IDENTITY = ("trial", "round", "block", "scenario", "load", "arm", "instance", "state")
WHOLE = ("trial", "round", "block", "instance")
# Nanoseconds stay whole numbers: float64 would round them after 104 days of uptime.
TIMES = ("start_ns", "steady_start_ns", "steady_end_ns", "drained_ns", "server_arrival_ns")
COUNTS = ("planned", "sent", "recorded", "no_free_user", "left_in_flight", "server_requests")
MEASURES = (
    *("position", "generator_cpu_s", "generator_wall_s", "app_cpu_s", "app_rss_mb"),
    *("app_threads", "connections", "database_cpu_s", "relay_cpu_s", "steal_pct"),
    *("server_in_flight_s", "apps_busy_s", "watched_s", "pressure_pct"),
)
LARGEST_WHOLE = 2**62
"""In 64 bits, with room for a difference."""
LARGEST_NUMBER = 1e18
"""Nothing that is counted or measured here is larger; sums and squares of it still exist."""
TRIAL_COLUMNS = [*IDENTITY, *TIMES, *COUNTS, *MEASURES, "last_error", "reason"]


def trial_frame(events: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """One row per trial (the last event of a trial number counts), unknown numbers as NaN."""
    last = {e["trial"]: e for e in events if e["event"] == "trial" and _identified(e)}
    columns: dict[str, Any] = {}
    for name in TRIAL_COLUMNS:
        values = [event.get(name) for event in last.values()]
        if name in WHOLE:
            columns[name] = pd.array(values, dtype="int64")
        elif name in TIMES:
            columns[name] = pd.array([_whole(value) for value in values], dtype="Int64")
        elif name in COUNTS or name in MEASURES:
            columns[name] = pd.array([_number(value) for value in values], dtype="float64")
        else:
            columns[name] = pd.array(values, dtype="object")
    return pd.DataFrame(columns)


def unreadable_trials(events: Sequence[Mapping[str, Any]]) -> list[str]:
    """A note where trial events lack what tells which trial they are of."""
    lost = sum(1 for e in events if e["event"] == "trial" and not _identified(e))
    if not lost:
        return []
    return [f"{lost} trial event(s) of the journal are not as this version writes them: left out."]


def _whole(value: Any) -> int | None:
    return value if type(value) is int and abs(value) < LARGEST_WHOLE else None


def _number(value: Any) -> float:
    """A number that can be counted with; NaN for all else (JSON has whole numbers of any size)."""
    if isinstance(value, int | float) and abs(value) < LARGEST_NUMBER:
        return float(value)
    return float("nan")


def _identified(event: Mapping[str, Any]) -> bool:
    return all(
        _whole(event.get(name)) is not None if name in WHOLE else isinstance(event.get(name), str)
        for name in IDENTITY
    )


def with_row_counts(trials: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, list[str]]:
    """`trials` with `rows`; finished trials whose samples are not there become `unstored`."""
    rows: dict[int, int] = {}
    for scenario, load, round_number in _places(trials):
        file = sample_file(folder, scenario, load, round_number)
        if file.exists():
            rows.update(count_rows(file))
    trials = trials.assign(rows=trials["trial"].map(rows).fillna(0).astype("int64"))
    lost = (trials["state"] == "finished") & (trials["rows"] == 0) & (trials["recorded"] > 0)
    trials = trials.assign(state=trials["state"].mask(lost, "unstored"))
    return trials, [
        f"{count} trial(s) of {scenario} at {load} in round {round_number} are left out: their "
        "samples are not stored."
        for (scenario, load, round_number), count in _counts(trials[lost]).items()
    ]


def _places(trials: pd.DataFrame) -> list[tuple[str, str, int]]:
    return sorted(_counts(trials))


def _counts(trials: pd.DataFrame) -> dict[tuple[str, str, int], int]:
    counted: dict[tuple[str, str, int], int] = {}
    columns = (trials["scenario"], trials["load"], trials["round"])
    for place in zip(*(column.tolist() for column in columns), strict=True):
        counted[place] = counted.get(place, 0) + 1
    return counted


def without_disturbed(
    trials: pd.DataFrame, events: Sequence[Mapping[str, Any]]
) -> tuple[pd.DataFrame, list[str]]:
    """Finished trials of blocks that were dropped become `disturbed`; a note about each block.

    `stood_still` is true of the trials in which something did (of all of a block's, where an older
    journal does not tell which).
    """
    dropped = [e for e in events if e["event"] == "block" and e.get("state") == "dropped"]
    reasons = {t: str(e.get("reason")) for e in dropped for t in e.get("trials") or ()}
    hit = trials["trial"].isin(list(reasons)) & (trials["state"] == "finished")
    still = {t for e in dropped for t in e.get("stood_still", e.get("trials")) or ()}
    trials = trials.assign(
        state=trials["state"].mask(hit, "disturbed"),
        stood_still=hit & trials["trial"].isin(list(still)),
        reason=trials["reason"].mask(hit, trials["trial"].map(reasons)),
    )
    return trials, [
        f"Block {e.get('block')} ({e.get('scenario')} at {e.get('load')}, round {e.get('round')}) "
        + ("was measured again" if e.get("again") else "is left out")
        + f": {e.get('reason')}."
        for e in dropped
    ]
