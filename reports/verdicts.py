"""PURE: numbers to words: faster, slower, equivalent, inconclusive or invalid, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.model import CAPACITY, VerdictWord
from reports.statistics import WIDEST_LOG, Doubt, Estimate

MORE_IS_BETTER = frozenset({CAPACITY})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A verdict with its numbers; `ci_pct` and `mde_pct` are None where they do not exist."""

    word: VerdictWord
    reasons: tuple[str, ...]
    change_pct: float | None = None
    ci_pct: tuple[float, float] | None = None
    mde_pct: float | None = None


def judge(
    metric: str,
    estimate: Estimate | Doubt,
    *,
    alpha: float,
    equivalence_pct: float,
    failed_gates: Sequence[str] = (),
    remarks: Sequence[str] = (),
) -> Verdict:
    """The verdict on one comparison. `failed_gates`: details of gates that concern it and failed;
    `remarks`: what a reader must know though it decides nothing.

    Numbers are given even where a gate makes them invalid: shown, never hidden.
    """
    if isinstance(estimate, Doubt):
        if failed_gates:
            return Verdict("invalid", (*failed_gates, f"{estimate.reason}", *remarks))
        return Verdict("inconclusive", (estimate.reason, *remarks))
    if estimate.half_width_log(alpha) > WIDEST_LOG:
        word: VerdictWord = "invalid" if failed_gates else "inconclusive"
        reasons = (*failed_gates, "the interval is wider than a factor of 100", *remarks)
        return Verdict(word, reasons, change_pct=estimate.change_pct)
    interval = estimate.interval_pct(alpha)
    if failed_gates:
        word, reasons = "invalid", tuple(failed_gates)
    else:
        word, reason = _word(metric, interval, equivalence_pct)
        reasons = (reason,)
    return Verdict(
        word,
        (*reasons, *remarks),
        change_pct=estimate.change_pct,
        ci_pct=interval,
        mde_pct=estimate.mde_pct(alpha),
    )


def _word(metric: str, interval: tuple[float, float], margin_pct: float) -> tuple[VerdictWord, str]:
    low, high = interval
    differs = low > 0 or high < 0
    within = -margin_pct <= low and high <= margin_pct
    if within and differs:
        return "equivalent", (
            f"there is a difference, but provably of less than {margin_pct:g}%: the whole interval "
            f"lies within ±{margin_pct:g}%"
        )
    if within:
        return "equivalent", f"the whole interval lies within ±{margin_pct:g}%"
    if differs:
        better = (low > 0) == (metric in MORE_IS_BETTER)
        return "faster" if better else "slower", "the whole interval lies on one side of no change"
    return "inconclusive", (
        f"the interval holds no change as well as changes beyond ±{margin_pct:g}%"
    )
