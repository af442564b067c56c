"""PURE: every check that can make a result invalid, each with value, limit, words and remedy.

A gate judges all finished trials of one arm at one load together, so that one bad second does not
condemn a good run. Where the worst trials are set aside, the detail names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from loadtests.spec import Arm
from reports.measures import Bools, Floats, LoadData, largest, tidy
from reports.model import GateResult
from reports.percentiles import rank

DISTANCE_LIMIT_MS = 0.2
DISTANCE_LIMIT_SHARE = 0.1
DISTANCE_REMEDY = (
    "end what else runs here, give the relay a core with time to spare and real-time priority "
    "(root or CAP_SYS_NICE), or ask for what was measured"
)
SEND_LAG_LIMIT_MS = 1.0
SEND_LAG_SHARE_OF_P95 = 0.1
SEND_LAG_SHARE_OF_MEDIAN = 0.5
NO_FREE_USER_LIMIT_PCT = 0.1
GENERATOR_CPU_LIMIT_PCT = 80.0
FAILED_TRIALS_LIMIT_PCT = 10.0
SET_ASIDE_ONE_IN = 20
FEWEST_TRIALS_TO_SET_ASIDE = 5
ANY_NUMBER_PCT = 100.0
"""The limit of failed requests where errors are what a scenario is to show."""
SATURATED_BELOW = 0.95
LATENCY_ONLY = frozenset({"send-lag", "no-free-user"})
"""Gates that speak of when requests were sent: they do not touch CPU cost."""
IDENTITY_KEYS = frozenset({"app", "driver", "pid", "telemetry"})

Check = tuple[bool | None, float | None, float | None, str]
"""ok, value, limit, detail."""


def load_gates(
    data: LoadData,
    arm: str,
    all_trials: pd.DataFrame,
    max_error_pct: float,
    *,
    expect_errors: bool = False,
) -> list[GateResult]:
    """All gates of one arm at one load; `all_trials` holds failed ones too.

    With `expect_errors` (never for a baseline) any number of requests may fail.
    """
    trials = data.trials[data.trials["arm"] == arm]
    mine = data.of_arm(arm)
    checks: list[tuple[str, Check]] = [("failed-trials", _failed_trials(all_trials))]
    if len(trials):
        checks += [
            ("counts", _counts(trials, data, mine)),
            ("server-count", _server_count(trials, data, mine)),
            ("errors", _errors(data, arm, ANY_NUMBER_PCT if expect_errors else max_error_pct)),
            ("drain", _drain(trials, data, mine)),
            ("generator-cpu", _generator_cpu(trials)),
        ]
        if data.facts.model == "open":
            checks += [
                ("send-lag", _send_lag(data, mine)),
                ("no-free-user", _no_free_user(trials)),
            ]
    return [
        GateResult(name, data.facts.load, arm, ok, tidy(value), tidy(limit), detail)
        for name, (ok, value, limit, detail) in checks
    ]


def _failed_trials(trials: pd.DataFrame) -> Check:
    """Interrupted trials are nobody's failure; trials whose server failed are the arm's."""
    failed = trials[trials["state"] == "invalid"]
    ended = int(trials["state"].isin(["finished", "invalid", "unstored"]).sum())
    if not ended:
        return None, None, FAILED_TRIALS_LIMIT_PCT, "no trial was finished"
    share_pct = 100.0 * len(failed) / ended
    detail = f"{len(failed)} of {ended} trials failed"
    if len(failed):
        why = ", ".join(dict.fromkeys(str(reason) for reason in failed["reason"]))
        detail += f" and are left out ({why}): see log.txt for what the arm said"
    return share_pct <= FAILED_TRIALS_LIMIT_PCT, share_pct, FAILED_TRIALS_LIMIT_PCT, detail


def _counts(trials: pd.DataFrame, data: LoadData, mine: Bools) -> Check:
    """Every planned request is recorded and stored, and sent unless it was given up before."""
    columns = trials[["planned", "sent", "recorded"]]
    if bool(columns.isna().any(axis=None)):
        return None, None, 0.0, "the journal does not hold all counts"
    planned, sent, recorded = (columns[name].to_numpy(dtype="float64") for name in columns)
    stored = trials["rows"].to_numpy(dtype="float64")
    given_up = _per_trial(data, trials, mine & data.never_sent)
    gaps = np.abs(planned - recorded) + np.abs(recorded - stored) + np.abs(sent + given_up - stored)
    off = trials["trial"].to_numpy()[gaps > 0]
    detail = (
        f"{planned.sum():.0f} planned, {sent.sum():.0f} sent, {recorded.sum():.0f} recorded, "
        f"{stored.sum():.0f} stored"
    )
    if given_up.any():
        detail += f", {given_up.sum():.0f} timed out while every user was busy"
    if len(off):
        detail += f"; trials {_listed(off)} differ: the generator lost requests, measure again"
    return not len(off), float(gaps.sum()), 0.0, detail


def _server_count(trials: pd.DataFrame, data: LoadData, mine: Bools) -> Check:
    """The app's own count must equal what was sent, less at most what had no response at all."""
    counted = trials["server_requests"].notna().to_numpy(dtype=bool)
    if not counted.any():
        return None, None, 0.0, "the arm does not tell how many requests it has served"
    served = float(trials["server_requests"][counted].sum())
    sent = float(trials["sent"][counted].sum())
    unanswered = mine & (data.samples["status"] == 0).to_numpy(dtype=bool) & ~data.never_sent
    silent = int(_per_trial(data, trials, unanswered)[counted].sum())
    missing = max(served - sent, sent - silent - served, 0.0)
    detail = f"{sent:.0f} sent, {served:.0f} served by the app's own count"
    if silent:
        detail += f", {silent} without a response"
    if not counted.all():
        detail += f"; in {int((~counted).sum())} trials the app did not tell"
    if missing:
        detail += ": somebody else uses this app, or requests got lost on the way"
    return missing == 0, missing, 0.0, detail


def _per_trial(data: LoadData, trials: pd.DataFrame, chosen: Bools) -> Floats:
    """How many of the chosen samples each of `trials` (rows of `data.trials`) has."""
    counts = np.bincount(data.row[chosen], minlength=len(data.trials)).astype(np.float64)
    return np.asarray(counts[trials.index.to_numpy()], dtype=np.float64)


def _errors(data: LoadData, arm: str, limit_pct: float) -> Check:
    counted = data.steady & data.of_arm(arm)
    total = int(counted.sum())
    if not total:
        return False, None, limit_pct, "no request was sent in any steady window"
    bad = counted & ~data.ok
    share_pct = 100.0 * int(bad.sum()) / total
    expected = " as the scenario expects" if limit_pct == ANY_NUMBER_PCT else ""
    detail = f"{int(bad.sum())} of {total} requests failed{expected}"
    if bad.any():
        errors = data.samples["error"].fillna("unexpected status")[bad]
        most = errors.value_counts().sort_index().sort_values(ascending=False, kind="stable")
        detail += ", mostly: " + str(most.index[0])
        if (said := data.last_error(arm)) is not None:
            detail += f"; the app's last words: {said}"
    return share_pct <= limit_pct, share_pct, limit_pct, detail


def _drain(trials: pd.DataFrame, data: LoadData, mine: Bools) -> Check:
    """Nothing of a trial is left when the next one begins: neither here nor in the app."""
    open_here = mine & data.samples["done_ns"].isna().to_numpy(dtype=bool) & ~data.never_sent
    left = float(open_here.sum()) + float(trials["left_in_flight"].sum())
    after_ns = (trials["drained_ns"] - trials["steady_end_ns"]).dropna()
    longest_s = float(after_ns.max()) / 1e9 if len(after_ns) else 0.0
    told = trials["left_in_flight"].notna()
    detail = f"every trial drained, the slowest in {longest_s:.2f} s"
    if not told.all():
        detail += " as seen from here; the app does not tell what it is still at work on"
    if left:
        names = trials["trial"].to_numpy()[(trials["left_in_flight"] > 0).to_numpy(dtype=bool)]
        detail = (
            f"{left:.0f} requests were still at work when the next trial began (after trials "
            f"{_listed(names)}): raise timeout_s above what the arm may take, or lower the load"
        )
    return left == 0, left, 0.0, detail


def _generator_cpu(trials: pd.DataFrame) -> Check:
    wall_s = float(trials["generator_wall_s"].sum())
    if not wall_s or not trials["generator_cpu_s"].notna().all():
        return None, None, GENERATOR_CPU_LIMIT_PCT, "the generator's CPU time is not known"
    share_pct = 100.0 * float(trials["generator_cpu_s"].sum()) / wall_s
    detail = f"the load generator used {share_pct:.0f}% of its core"
    ok = share_pct <= GENERATOR_CPU_LIMIT_PCT
    if not ok:
        detail += ": it was the bottleneck; load less, or give it a faster core"
    return ok, share_pct, GENERATOR_CPU_LIMIT_PCT, detail


def _send_lag(data: LoadData, mine: Bools) -> Check:
    counted = mine & data.steady & np.isfinite(data.lag_ms)
    if not counted.any():
        return None, None, SEND_LAG_LIMIT_MS, "no request was sent in any steady window"
    limit_ms = send_lag_limit_ms(data.response_ms[mine & data.steady])
    lag_ms, trial = data.lag_ms[counted], data.row[counted]
    names = data.trials["trial"].to_numpy()
    ok, p99_ms, aside = _worst_set_aside(
        trial, limit_ms, lambda kept: _nearest_rank(lag_ms[np.isin(trial, kept)], 0.99), lag_ms
    )
    detail = f"99 of 100 requests were sent within {p99_ms:.2f} ms of their planned instant"
    detail += _aside_words(names[aside])
    if not ok:
        detail += ": the generator was late; stop what else runs here, or lower the rate"
    return ok, p99_ms, limit_ms, detail


def send_lag_limit_ms(response_ms: Floats) -> float:
    """How late the 99th percentile of requests may be sent.

    Lateness is part of the response time, of every arm alike: what matters is how large it is
    beside what is compared. Allowed is a tenth of the p95 response time, 1 ms at least; but never
    more than half of the median.
    """
    counted = response_ms[np.isfinite(response_ms)]
    if not len(counted):
        return SEND_LAG_LIMIT_MS
    tenth_ms = SEND_LAG_SHARE_OF_P95 * _nearest_rank(counted, 0.95)
    half_ms = SEND_LAG_SHARE_OF_MEDIAN * _nearest_rank(counted, 0.5)
    return min(half_ms, max(SEND_LAG_LIMIT_MS, tenth_ms))


def _worst_set_aside(
    trial: Any, limit: float, value_of: Callable[[Any], float], badness: Floats
) -> tuple[bool, float, list[int]]:
    """Judge all trials; if that fails, judge again without the worst one in twenty (one at least).

    `trial`: the trial of each entry; `badness`: a number per entry whose 99th percentile ranks
    the trials. Returns ok, value, and the trials set aside.
    """
    trials = np.unique(trial)
    value = value_of(trials)
    if value <= limit or len(trials) < FEWEST_TRIALS_TO_SET_ASIDE:
        return value <= limit, value, []
    worst_first = sorted(trials, key=lambda each: -_nearest_rank(badness[trial == each], 0.99))
    aside = [int(each) for each in worst_first[: max(1, len(trials) // SET_ASIDE_ONE_IN)]]
    trimmed = value_of(np.setdiff1d(trials, aside))
    return (True, trimmed, aside) if trimmed <= limit else (False, value, [])


def _aside_words(trials: Any) -> str:
    if not len(trials):
        return ""
    return f", setting aside the worst one in {SET_ASIDE_ONE_IN} (trial {_listed(trials)})"


def _no_free_user(trials: pd.DataFrame) -> Check:
    waiting = trials["no_free_user"].to_numpy(dtype="float64")
    planned = trials["planned"].to_numpy(dtype="float64")
    if not np.all(np.isfinite(waiting)) or not planned.sum():
        return None, None, NO_FREE_USER_LIMIT_PCT, "the generator does not tell"
    places = np.arange(len(trials))
    ok, share_pct, aside = _worst_set_aside(
        places,
        NO_FREE_USER_LIMIT_PCT,
        lambda kept: 100.0 * float(waiting[kept].sum()) / max(1.0, float(planned[kept].sum())),
        waiting,
    )
    detail = f"{share_pct:.2f}% of arrivals found every user busy"
    detail += _aside_words(trials["trial"].to_numpy()[aside])
    if not ok:
        detail += ": the arm cannot keep up, or the load needs more users; lower the rate"
    return ok, share_pct, NO_FREE_USER_LIMIT_PCT, detail


def _nearest_rank(values: Floats, q: float) -> float:
    return float(np.sort(values)[rank(len(values), q) - 1])


def _listed(trials: Any, most: int = 5) -> str:
    names = [str(int(each)) for each in trials[:most]]
    return ", ".join(names) + (" …" if len(trials) > most else "")


def distance_gate(
    asked_ms: float, measured: Sequence[Mapping[str, Any]], relay_core_pct: float | None
) -> GateResult:
    """Whether the distance to the database is what the spec asks for; it is the same for all arms.

    `measured`: the facts of each start of the run (the journal's `distance`); the worst counts.
    `relay_core_pct`: how much of its core the relay used while trials ran.
    """
    limit_ms = max(DISTANCE_LIMIT_MS, DISTANCE_LIMIT_SHARE * asked_ms)
    added = [facts["added_ms"] for facts in measured if isinstance(facts.get("added_ms"), Mapping)]
    if not added:
        detail = f"{asked_ms:g} ms to the database were asked for, but none were measured"
        return GateResult("database-distance", None, None, None, None, tidy(limit_ms), detail)
    worst = max(added, key=lambda each: abs(float(each["p50"]) - asked_ms))
    off_ms = abs(float(worst["p50"]) - asked_ms)
    ok = off_ms <= limit_ms
    detail = (
        f"{asked_ms:g} ms to the database asked for, {worst['p50']:.2f} ms added "
        f"(p99 {worst['p99']:.2f} ms), measured where the apps run"
    )
    if relay_core_pct is not None:
        detail += f"; the relay used {relay_core_pct:.0f}% of a core while trials ran"
    if not ok:
        detail += f": {DISTANCE_REMEDY}"
    return GateResult("database-distance", None, None, ok, tidy(off_ms), tidy(limit_ms), detail)


def settings_gate(arm: Arm, baseline: Arm, told: Mapping[str, Mapping[str, Any]]) -> GateResult:
    """Whether two arms run as the spec says, and otherwise alike.

    `told`: per arm what its `/stats` said (the manifest's `arms`). What the spec itself sets
    differently is what is compared, and passes.
    """
    mine, other = (_told(told.get(each.name)) for each in (arm, baseline))
    if not mine or not other:
        silent = arm.name if not mine else baseline.name
        return _settings_result(arm, None, None, f"{silent} does not tell its settings")
    wrong = [*_against_spec(arm, mine), *_against_spec(baseline, other)]
    wrong += [
        f"{key} is {mine[key]} in {arm.name} and {other[key]} in {baseline.name}"
        for key in sorted(mine.keys() & other.keys())
        if key not in IDENTITY_KEYS and key not in Arm.model_fields and mine[key] != other[key]
    ]
    named = [
        name
        for name in Arm.model_fields
        if name != "name" and getattr(arm, name) != getattr(baseline, name)
    ]
    detail = "; ".join(dict.fromkeys(wrong)) or f"equal but for {', '.join(named) or 'nothing'}"
    return _settings_result(arm, not wrong, float(len(wrong)), detail)


def _settings_result(arm: Arm, ok: bool | None, value: float | None, detail: str) -> GateResult:
    return GateResult("equal-settings", None, arm.name, ok, value, 0.0, detail)


def _told(arm: Mapping[str, Any] | None) -> dict[str, Any]:
    """Settings and runtime as one flat mapping; empty when the arm does not tell."""
    if not arm or not isinstance(arm.get("settings"), Mapping):
        return {}
    runtime = arm.get("runtime")
    return {**(runtime if isinstance(runtime, Mapping) else {}), **arm["settings"]}


def _against_spec(arm: Arm, told: Mapping[str, Any]) -> list[str]:
    wrong = []
    for key in sorted(told.keys() & Arm.model_fields.keys() - IDENTITY_KEYS):
        wanted, is_told = getattr(arm, key), told[key]
        if key == "admission" and wanted == 0 and is_told == arm.pool_size + arm.max_overflow:
            continue  # 0 means "as many as the pool holds", which some apps spell out
        if is_told is not None and is_told != wanted:
            wrong.append(f"{arm.name} runs with {key} = {is_told}, the spec says {wanted}")
    return wrong


def saturation(data: LoadData, arm: str) -> str | None:
    """A remark when an arm could not keep up with an open load; its latency then measures the
    backlog, and depends on how long the trial was."""
    if data.facts.model != "open":
        return None
    mine = data.of_arm(arm)
    offered = int((mine & data.steady).sum())
    answered = int((mine & data.in_window).sum())
    if not offered or answered >= SATURATED_BELOW * offered:
        return None
    return (
        f"{arm} is saturated: it answered {100.0 * answered / offered:.0f}% of the offered load "
        "in time, so its latency grows with the length of a trial"
    )


def unequal_errors(data: LoadData, arms: Sequence[str]) -> str | None:
    """A remark when one arm's good answers are a selection more than the other's."""
    shares = []
    for arm in arms:
        counted = data.steady & data.of_arm(arm)
        shares.append(100.0 * float((~data.ok[counted]).mean()) if counted.any() else 0.0)
    gap_pct = (largest(shares) or 0.0) - min(shares)
    if gap_pct <= 0.1:
        return None
    told = " and ".join(f"{s:.2f}% of {arm}" for s, arm in zip(shares, arms, strict=True))
    return f"errors are not alike ({told}): latency is that of the answers that were good"
