"""How often a second opinion of so many pairs says "agrees" where both tools truly agree.

    .venv/bin/python -m benchmarks.second_opinion.power

Pairs differ by normal noise; interval and word are the report's own. Seeds are fixed.
"""

from __future__ import annotations

import numpy as np

from reports.second_opinion import word_of
from reports.statistics import t_estimate

DRAWS = 4_000
SPREADS = (0.08, 0.16)
"""Standard deviations of the log ratio of a pair."""
PAIRS = (12, 48, 80, 100, 320)


def main() -> None:
    """Print the table."""
    random = np.random.default_rng(1)
    print("| sd of one pair | " + " | ".join(f"{pairs} pairs" for pairs in PAIRS) + " |")
    print("|---" * (len(PAIRS) + 1) + "|")
    for spread in SPREADS:
        shares = []
        for pairs in PAIRS:
            words = [word_of(t_estimate(random.normal(0.0, spread, pairs))) for _ in range(DRAWS)]
            shares.append(f"{words.count('agrees') / DRAWS:.1%}")
        print(f"| {spread:.0%} | " + " | ".join(shares) + " |")


if __name__ == "__main__":
    main()
