"""Repeats a run whose answer is known, and tabulates what it said.

    python -m benchmarks.known.run aa --runs 20 --out DIR        # a twin against itself
    python -m benchmarks.known.run heavier --runs 8 --out DIR    # against itself and 10% more work
    python -m benchmarks.known.run aa --out DIR --judge          # judge what is stored anew

`--set KEY=VALUE` goes to `bench run`.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from reports.statistics import Doubt, t_estimate

BENCH = Path(sys.executable).with_name("bench")
SPECS = Path(__file__).parent
RUN_LIMIT_S = 900


def run(spec: str, number: int, folder: Path, overrides: list[str]) -> None:
    """One run, its seed its number; what it says goes to a file beside it, how it ended last."""
    command = [str(BENCH), "run", str(SPECS / f"{spec}.toml"), "--seed", str(number)]
    more = [word for override in overrides for word in ("--set", override)]
    with said_by(folder).open("w") as said:
        try:
            done = subprocess.run(
                [*command, "--out", str(folder), *more], stdout=said, stderr=said,
                timeout=RUN_LIMIT_S, check=False, env={**os.environ, "PATH": _path()},
            )  # fmt: skip
            ending = f"exit {done.returncode}"
        except subprocess.TimeoutExpired:
            ending = f"ended after {RUN_LIMIT_S} s"
    with said_by(folder).open("a") as said:
        said.write(f"\n{ending}\n")


def said_by(folder: Path) -> Path:
    """What a run wrote on the screen."""
    return folder.parent / f"{folder.name}.txt"


def _path() -> str:
    """With the interpreter that runs this first, which the specs call `python`."""
    return os.pathsep.join([str(BENCH.parent), os.environ.get("PATH", "")])


def judge_anew(folder: Path) -> None:
    """Summarise the stored samples with the code as it is now. Raises SystemExit when it cannot."""
    done = subprocess.run(
        [str(BENCH), "report", str(folder)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{folder} could not be judged anew: {done.stderr.strip()}")


def all_runs(out: Path) -> list[Path]:
    """The folders of all runs that were begun, also of those that left none."""
    names = {path.stem for path in out.glob("*.txt")} | {
        p.name for p in out.iterdir() if p.is_dir()
    }
    return [out / name for name in sorted(names)]


def rows(folder: Path) -> Iterator[str]:
    """Markdown: what one run said about each comparison; or that it failed, and how it ended."""
    stored = folder / "summary.json"
    if not stored.is_file():
        yield f"| {folder.name} | – | – | – | no result: {_ending(folder)} | failed |"
        return
    summary = json.loads(stored.read_text(encoding="utf-8"))
    name = folder.name if summary["status"] == "complete" else f"{folder.name} (interrupted)"
    for scenario in summary["scenarios"]:
        for each in scenario["comparisons"]:
            yield _row(name, each)


def together(folders: Sequence[Path]) -> Iterator[str]:
    """What all complete runs say of capacity and of its cost: mean log change, t interval over
    runs at 95%."""
    logs: dict[str, list[float]] = {}
    for folder in folders:
        for each in _comparisons(folder):
            if each["load"].startswith("closed") and each.get("change_pct") is not None:
                change = math.log1p(each["change_pct"] / 100.0)
                logs.setdefault(each["metric"], []).append(change)
    for metric, changes in logs.items():
        estimate = t_estimate(np.array(changes))
        if not isinstance(estimate, Doubt):
            low, high = estimate.interval_pct()
            said = f"{estimate.change_pct:+.1f}% [{low:+.1f}, {high:+.1f}]"
            yield f"{len(changes)} runs together, closed load, {metric}: {said}"


def _comparisons(folder: Path) -> list[dict[str, Any]]:
    stored = folder / "summary.json"
    summary = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else {}
    if summary.get("status") != "complete":
        return []
    return [each for scenario in summary["scenarios"] for each in scenario["comparisons"]]


def _ending(folder: Path) -> str:
    """The last line of what a run wrote."""
    said = said_by(folder)
    lines = said.read_text(encoding="utf-8").split("\n") if said.is_file() else []
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")


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
    for folder in all_runs(chosen.out):
        if chosen.judge and (folder / "manifest.json").is_file():
            judge_anew(folder)
        print("\n".join(rows(folder)))
    print("", *together(all_runs(chosen.out)), sep="\n")


if __name__ == "__main__":
    main()
