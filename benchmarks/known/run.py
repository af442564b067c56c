"""Repeats a run whose answer is known, and tabulates what it said.

    python -m benchmarks.known.run aa --runs 20 --out DIR        # a twin against itself
    python -m benchmarks.known.run heavier --runs 8 --out DIR    # against itself and 10% more work
    python -m benchmarks.known.run aa --out DIR --judge          # judge what is stored anew

`--set KEY=VALUE` goes to `bench run`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BENCH = Path(sys.executable).with_name("bench")
SPECS = Path(__file__).parent
RUN_LIMIT_S = 900


def run(spec: str, number: int, folder: Path, overrides: list[str]) -> None:
    """One run with a seed of its own; what it says goes to a file beside it."""
    command = [str(BENCH), "run", str(SPECS / f"{spec}.toml"), "--seed", str(number)]
    more = [word for override in overrides for word in ("--set", override)]
    with (folder.parent / f"{folder.name}.txt").open("w") as said:
        subprocess.run(
            [*command, "--out", str(folder), *more], stdout=said, stderr=said,
            timeout=RUN_LIMIT_S, check=False, env={**os.environ, "PATH": _path()},
        )  # fmt: skip


def _path() -> str:
    """With the interpreter that runs this first, which the specs call `python`."""
    return os.pathsep.join([str(BENCH.parent), os.environ.get("PATH", "")])


def judge_anew(folder: Path) -> None:
    """Summarise the stored samples with the code as it is now."""
    subprocess.run([str(BENCH), "report", str(folder)], capture_output=True, check=False)


def rows(folder: Path) -> Iterator[str]:
    """Markdown: what one run said about each comparison."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    for scenario in summary["scenarios"]:
        for each in scenario["comparisons"]:
            yield _row(folder.name, each)


def _row(name: str, each: Mapping[str, Any]) -> str:
    change, interval = each.get("change_pct"), each.get("ci95_pct")
    said = "–" if change is None else f"{change:+.1f}%"
    if interval:
        said += f" [{interval[0]:+.1f}, {interval[1]:+.1f}]"
    kind = "primary" if each.get("primary") else "secondary"
    return (
        f"| {name} | {each.get('load')} | {each['metric']} | {kind} | {said} | {each['verdict']} |"
    )


def main() -> None:
    """Run what is not there yet, and print the table of all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("spec", choices=["aa", "heavier"])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--first", type=int, default=1, help="number and seed of the first run")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--judge", action="store_true", help="only judge what is stored")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    for number in range(chosen.first, chosen.first + chosen.runs):
        folder = chosen.out / f"{number:02}"
        if not chosen.judge and not folder.exists():
            print(f"run {number}", file=sys.stderr, flush=True)
            run(chosen.spec, number, folder, chosen.set)
    print("| run | load | measure | | change, 95% interval | verdict |\n|---|---|---|---|---|---|")
    for folder in sorted(path.parent for path in chosen.out.glob("*/summary.json")):
        if chosen.judge:
            judge_anew(folder)
        print("\n".join(rows(folder)))


if __name__ == "__main__":
    main()
