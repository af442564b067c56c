"""What the gates say of stored runs in which nothing was broken, judged anew, as Markdown.

    python -m benchmarks.sabotage.good_runs RESULTS/*

A folder without a run is passed over. The values are those that a gate saw and did not fail for,
also where it could not vouch for anything (null). How often gates call a good run invalid is
bounded by the runs there are: 95% one-sided, Clopper & Pearson (1934).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

from scipy import stats

from loadtests.errors import BenchError
from reports.model import GateResult, Summary
from reports.run_folder import load_run
from reports.summarise import summarise

CONFIDENCE = 0.95
BY_LOAD = frozenset({"steady-state", "trend", "carry-over", "neighbours"})
"""Gates that judge closed and open loads by different things, or not at all."""


@dataclass
class Seen:
    """All outcomes of one gate."""

    outcomes: list[GateResult] = field(default_factory=list)

    def count(self, ok: bool | None) -> int:
        """How many came out so."""
        return sum(gate.ok is ok for gate in self.outcomes)

    def values(self) -> str:
        """The smallest and the largest value that did not fail, beside the limit of the latter."""
        good = (gate for gate in self.outcomes if gate.ok is not False)
        told = [(gate.value, gate.limit) for gate in good if gate.value is not None]
        if not told:
            return ""
        (least, _), (most, limit) = (each(told, key=itemgetter(0)) for each in (min, max))
        return f"{least:.3g} to {most:.3g} ({'–' if limit is None else f'{limit:.3g}'})"


def most_likely_pct(invalid: int, runs: int) -> float:
    """The largest share of invalid runs, in percent, of which so few would be seen in one of 20."""
    if invalid >= runs:
        return 100.0
    return 100.0 * float(stats.beta.ppf(CONFIDENCE, invalid + 1, runs - invalid))


def rows(summaries: Sequence[Summary]) -> list[str]:
    """One line for each gate."""
    seen: dict[str, Seen] = {}
    for summary in summaries:
        for scenario in summary.scenarios:
            for gate in scenario.gates:
                seen.setdefault(_heading(gate), Seen()).outcomes.append(gate)
    return [
        f"| {name} | {each.count(True)} | {each.count(None)} | {each.count(False)} "
        f"| {each.values()} |"
        for name, each in sorted(seen.items())
    ]


def _heading(gate: GateResult) -> str:
    model = (gate.load or "").partition("-")[0]
    return f"`{gate.name}`" + (f" ({model})" if gate.name in BY_LOAD else "")


def main() -> int:
    """Print the table, and each gate that failed; 2 where no folder holds a run."""
    parser = argparse.ArgumentParser(description="What gates say of good runs.")
    parser.add_argument("folders", nargs="+", type=Path)
    summaries: dict[str, Summary] = {}
    for folder in parser.parse_args().folders:
        try:
            summaries[str(folder)] = summarise(load_run(folder))
        except BenchError as error:
            print(f"{folder}: {error}", file=sys.stderr)
    if not summaries:
        return 2
    print(
        "| gate | passed | null | failed | values without failing (limit) |\n|---|---|---|---|---|"
    )
    print(*rows(list(summaries.values())), sep="\n")
    invalid = sum(not summary.valid for summary in summaries.values())
    print(
        f"\n{invalid} of {len(summaries)} runs invalid: with 95% confidence gates call at most "
        f"{most_likely_pct(invalid, len(summaries)):.1f}% of such runs invalid."
    )
    for name, summary in summaries.items():
        for gate in (g for s in summary.scenarios for g in s.gates if g.ok is False):
            print(f"- {name}: {gate.name}, {gate.load}, {gate.arm}: {gate.detail}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
