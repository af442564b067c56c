"""PURE: gates on the record: no request and no trial may be lost, doubled or somebody else's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from reports.gates.check import Check, first_few, listed, per_trial
from reports.measures import Bools, LoadData

FAILED_TRIALS_LIMIT_PCT = 10.0
LOST_BLOCKS_LIMIT_PCT = 10.0
DISTURBED_BLOCKS_LIMIT_PCT = 25.0
"""Of blocks disturbed in an arm's own trials (one is always allowed). A choice: no good run here
had any."""


def failed_trials(trials: pd.DataFrame) -> Check:
    """Interrupted trials are nobody's failure; trials whose server failed are the arm's."""
    failed = trials[trials["state"] == "invalid"]
    ended = int(trials["state"].isin(["finished", "invalid", "unstored"]).sum())
    if not ended:
        return None, None, FAILED_TRIALS_LIMIT_PCT, "no trial was finished"
    share_pct = 100.0 * len(failed) / ended
    detail = f"{len(failed)} of {ended} trials failed"
    if len(failed):
        why = first_few(str(reason) for reason in failed["reason"])
        detail += f" and are left out ({why}): see log.txt for what the arm said"
    return share_pct <= FAILED_TRIALS_LIMIT_PCT, share_pct, FAILED_TRIALS_LIMIT_PCT, detail


def counts(trials: pd.DataFrame, data: LoadData, mine: Bools) -> Check:
    """Every planned request is recorded and stored, and sent unless it was given up before."""
    columns = trials[["planned", "sent", "recorded"]]
    if bool(columns.isna().any(axis=None)):
        return None, None, 0.0, "the journal does not hold all counts"
    planned, sent, recorded = (columns[name].to_numpy(dtype="float64") for name in columns)
    stored = trials["rows"].to_numpy(dtype="float64")
    given_up = per_trial(data, trials, mine & data.never_sent)
    gaps = np.abs(planned - recorded) + np.abs(recorded - stored) + np.abs(sent + given_up - stored)
    off = trials["trial"].to_numpy()[gaps > 0]
    detail = (
        f"{planned.sum():.0f} planned, {sent.sum():.0f} sent, {recorded.sum():.0f} recorded, "
        f"{stored.sum():.0f} stored"
    )
    if given_up.any():
        detail += f", {given_up.sum():.0f} timed out while every user was busy"
    if len(off):
        detail += f"; trials {listed(off)} differ: the generator lost requests, measure again"
    return not len(off), float(gaps.sum()), 0.0, detail


def server_count(trials: pd.DataFrame, data: LoadData, mine: Bools) -> Check:
    """The app's own count must equal what was sent, less at most what had no response at all."""
    counted = trials["server_requests"].notna().to_numpy(dtype=bool)
    if not counted.any():
        return None, None, 0.0, "the arm does not tell how many requests it has served"
    served = float(trials["server_requests"][counted].sum())
    sent = float(trials["sent"][counted].sum())
    unanswered = mine & (data.samples["status"] == 0).to_numpy(dtype=bool) & ~data.never_sent
    silent = int(per_trial(data, trials, unanswered)[counted].sum())
    missing = max(served - sent, sent - silent - served, 0.0)
    detail = f"{sent:.0f} sent, {served:.0f} served by the app's own count"
    if silent:
        detail += f", {silent} without a response"
    if not counted.all():
        detail += f"; in {int((~counted).sum())} trials the app did not tell"
    if missing:
        detail += ": somebody else uses this app, or requests got lost on the way"
    return missing == 0, missing, 0.0, detail


def drain(trials: pd.DataFrame, data: LoadData, mine: Bools) -> Check:
    """Nothing of a trial is left when the next one begins: neither here nor in the app."""
    open_here = mine & data.samples["done_ns"].isna().to_numpy(dtype=bool) & ~data.never_sent
    left = float(open_here.sum()) + float(trials["left_in_flight"].sum())
    after_ns = (trials["drained_ns"] - trials["steady_end_ns"]).dropna()
    longest_s = max(0.0, float(after_ns.max()) / 1e9) if len(after_ns) else 0.0
    told = trials["left_in_flight"].notna()
    detail = f"every trial drained, the slowest in {longest_s:.2f} s"
    if not told.all():
        detail += " as seen from here; the app does not tell what it is still at work on"
    if left:
        names = trials["trial"].to_numpy()[(trials["left_in_flight"] > 0).to_numpy(dtype=bool)]
        detail = (
            f"{left:.0f} requests were still at work when the next trial began (after trials "
            f"{listed(names)}): raise timeout_s above what the arm may take, or lower the load"
        )
    return left == 0, left, 0.0, detail


def _seen(disturbed: pd.DataFrame) -> Iterator[str]:
    """What stood still, one by one: the reason of a block may tell several."""
    return (part for reason in disturbed["reason"] for part in str(reason).split("; "))


def interruptions(trials: pd.DataFrame) -> Check:
    """Blocks in which a process was stopped or stood still: lost, or measured again.

    `trials` holds an arm's of every state; disturbed ones say in `reason` what was seen in their
    block, and in `stood_still` whether it was in this trial. They are left out because of that
    sign alone, whatever they measured. An arm in whose own trials it happens again and again may
    have brought it about, and then what was measured again is a selection.
    """
    blocks = trials["block"].nunique()
    if not blocks:
        return None, None, LOST_BLOCKS_LIMIT_PCT, "no block was measured"
    disturbed = trials[trials["state"] == "disturbed"]
    hit = disturbed["block"].unique()
    lost = np.setdiff1d(hit, trials.loc[trials["state"] != "disturbed", "block"])
    own = disturbed.loc[disturbed["stood_still"].astype(bool), "block"].nunique()
    lost_pct, own_pct = (100.0 * count / blocks for count in (len(lost), own))
    if not len(hit):
        return True, lost_pct, LOST_BLOCKS_LIMIT_PCT, f"nothing stood still in {blocks} blocks"
    detail = (
        f"{len(hit)} of {blocks} blocks were disturbed ({first_few(_seen(disturbed))}), "
        f"{len(hit) - len(lost)} of them measured again"
    )
    if lost_pct > LOST_BLOCKS_LIMIT_PCT:
        detail += ": find out what stops processes here, and measure again"
        return False, lost_pct, LOST_BLOCKS_LIMIT_PCT, detail
    if own > 1 and own_pct > DISTURBED_BLOCKS_LIMIT_PCT:
        detail += (
            f"; {own} of them in this arm's own trials: what is left is a selection; find out what "
            "stops processes while it is under load"
        )
        return False, own_pct, DISTURBED_BLOCKS_LIMIT_PCT, detail
    return True, lost_pct, LOST_BLOCKS_LIMIT_PCT, detail
