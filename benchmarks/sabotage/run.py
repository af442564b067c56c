"""Every sabotage once, as a Markdown table; `python -m benchmarks.sabotage.run --help`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from benchmarks.sabotage.acts import mend
from benchmarks.sabotage.cases import CASES, Case
from benchmarks.sabotage.stage import Seen, Stage, stage

HEAD = "| what was broken | the run is | gate | what it said |\n|---|---|---|---|"


def main() -> int:
    """Break one run for each case; 1 when a gate did not name what was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="words that the cases to perform contain")
    words = parser.parse_args().cases
    chosen = [case for case in CASES if not words or any(word in case.broken for word in words)]
    print(f"Load average {os.getloadavg()[0]:.1f} at the start.", file=sys.stderr)
    print(HEAD)
    all_caught = True
    for cases in shared_stages(chosen):
        with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as prepared:
            for case in cases:
                seen = perform(prepared, case)
                all_caught &= caught(case, seen)
                print(*rows(case, seen), sep="\n", flush=True)
    print(f"Load average {os.getloadavg()[0]:.1f} at the end.", file=sys.stderr)
    return 0 if all_caught else 1


def shared_stages(cases: Sequence[Case]) -> list[list[Case]]:
    """Cases that may share a stage; what lasts is alone on its own."""
    shared = [case for case in cases if not case.lasts]
    return [*([shared] if shared else []), *([case] for case in cases if case.lasts)]


def perform(stage: Stage, case: Case) -> Seen:
    """Break one run; what it said of itself."""
    try:
        with case.around(stage):
            return stage.run(case.sabotage, case.scenario)
    finally:
        mend(stage)


def caught(case: Case, seen: Seen, spared: Collection[str] = ()) -> bool:
    """Whether the run said what the case expects of it; where it is to be good, no gate may have
    failed but those `spared`."""
    if case.gate and not case.named:
        said = [gate.detail for gate in seen.failed if gate.name == case.gate]
        return any(case.says in detail for detail in said) and not seen.summary.valid
    good = all(gate.name in spared for gate in seen.failed)
    again = [note for note in seen.summary.notes if "measured again" in note]
    return good and (not case.named or any(case.says in note for note in again))


def rows(case: Case, seen: Seen) -> Iterator[str]:
    """Lines of the table: one for each gate that failed, or that named what was repaired."""
    word = "valid" if seen.summary.valid else "invalid"
    word += "" if caught(case, seen) else ", NOT AS EXPECTED"
    told = [(gate.name, f"{gate.arm or 'all arms'}: {gate.detail}") for gate in seen.failed]
    if case.named:
        told += [(case.gate, note) for note in seen.summary.notes]
    for name, detail in dict.fromkeys(told or [("", "no gate failed")]):
        yield f"| {case.broken} | {word} | {name and f'`{name}`'} | {detail} |"


if __name__ == "__main__":
    sys.exit(main())
