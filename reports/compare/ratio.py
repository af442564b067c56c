"""PURE: how the ratio of two arms differs between two runs, and with what uncertainty.

Within a run the arms were loaded in turn, so that their ratio holds whatever the machine did. Two
runs were not, so that only these ratios may be compared: (candidate_B / common_B) over
(candidate_A / common_A). The runs are independent, so variances add on the logarithmic scale: the
interaction of two estimates (Altman & Bland 2003, BMJ 326:219), or, where the candidates are not
the same, the adjusted indirect comparison by a common comparator (Bucher et al. 1997, Journal of
Clinical Epidemiology 50:683).
"""

from __future__ import annotations

import math

from reports.compare.model import ClaimWord
from reports.model import CAPACITY
from reports.statistics import Doubt, Estimate
from reports.verdicts import Verdict, judge


def ratio_of_ratios(reference: Estimate, other: Estimate) -> Estimate:
    """The log of the other run's ratio over the reference run's.

    Degrees of freedom after Welch and Satterthwaite (Welch 1947, Biometrika 34:28):
    (a + b)² / (a²/df_a + b²/df_b) of the two variances a and b.
    """
    first, second = reference.standard_error**2, other.standard_error**2
    df = (first + second) ** 2 / (first**2 / reference.df + second**2 / other.df)
    return Estimate(other.log_ratio - reference.log_ratio, math.sqrt(first + second), df)


def inverted(estimate: Estimate) -> Estimate:
    """The same of baseline over candidate."""
    return Estimate(-estimate.log_ratio, estimate.standard_error, estimate.df)


WORDS: dict[str, ClaimWord] = {
    "faster": "changed",
    "slower": "changed",
    "equivalent": "equivalent",
    "inconclusive": "inconclusive",
}


def judged(
    found: Estimate | Doubt, *, alpha: float, equivalence_pct: float
) -> tuple[ClaimWord, Verdict]:
    """The word for a difference between runs and its numbers: better or worse plays no part."""
    verdict = judge(CAPACITY, found, alpha=alpha, equivalence_pct=equivalence_pct)
    return WORDS[verdict.word], verdict
