"""PURE: gates on failed requests: how many there may be, and that arms are alike in them."""

from __future__ import annotations

from collections.abc import Sequence

from reports.gates.check import Check
from reports.measures import LoadData, largest

ANY_NUMBER_PCT = 100.0
"""The limit of failed requests where errors are what a scenario is to show."""
PARITY_LIMIT_POINTS = 0.5
"""A tenth of what stands beyond a p95."""


def errors(data: LoadData, arm: str, limit_pct: float) -> Check:
    """Steady requests that were not answered well, timeouts included."""
    counted = data.steady & data.of_arm(arm)
    total = int(counted.sum())
    if not total:
        return False, None, limit_pct, "no request was sent in any steady window"
    bad = counted & ~data.ok
    share_pct = 100.0 * int(bad.sum()) / total
    expected = " as the scenario expects" if limit_pct == ANY_NUMBER_PCT else ""
    detail = f"{int(bad.sum())} of {total} requests failed{expected}"
    if bad.any():
        errors = data.samples["error"][bad].astype("str").fillna("unexpected status")
        most = errors.value_counts().sort_index().sort_values(ascending=False, kind="stable")
        detail += ", mostly: " + str(most.index[0])
        if (said := data.last_error(arm)) is not None:
            detail += f"; the app's last words: {said}"
    return share_pct <= limit_pct, share_pct, limit_pct, detail


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


def error_parity(data: LoadData, arms: Sequence[str]) -> Check:
    """How far apart the arms are in requests that were answered badly.

    Bad answers leave an arm's latencies; timeouts do not, they count as at least the timeout. If
    more are missing from one arm, its percentiles are those of a selection.
    """
    counts, shares = [], []
    for arm in arms:
        counted = data.steady & data.of_arm(arm)
        counts.append(int(counted.sum()))
        bad = counted & ~data.ok & ~data.timed_out
        shares.append(100.0 * int(bad.sum()) / max(1, counts[-1]))
    if not all(counts):
        return None, None, PARITY_LIMIT_POINTS, "an arm was sent no request in any steady window"
    gap = max(shares) - min(shares)
    told = " and ".join(f"{s:.2f}% of {arm}" for s, arm in zip(shares, arms, strict=True))
    detail = f"answered badly: {told}"
    ok = gap <= PARITY_LIMIT_POINTS
    if not ok:
        detail += (
            ": what is compared of the better answers is a selection; end the errors (log.txt, "
            "logs/ say what they are), or compare capacity, which counts good answers alone"
        )
    return ok, gap, PARITY_LIMIT_POINTS, detail
