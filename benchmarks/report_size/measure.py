"""What `bench report` takes for stored runs of growing size: time, memory, the page's size.

    .venv/bin/python -m benchmarks.report_size.measure [--millions 0.3 1 3] [--repeats 3]

Runs are simulated in the format of real ones, and grow by rounds, as real ones do. Sizes take
turns, so that a slow minute of the machine meets them all.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from loadtests.trials import ClosedLoad, OpenLoad
from tests.support.run_builder import build_run

BENCH = Path(sys.executable).parent / "bench"
SCENARIOS = ("read-one", "read-page", "crud-mix")
LOADS = (ClosedLoad(16), OpenLoad(240.0))
INSTANCES = 27
SAMPLES_OF_A_ROUND = 111_000
"""About; two arms, three scenarios, two loads, 27 instances, blocks of a second."""
LONGEST_S = 600


@dataclass(frozen=True, slots=True)
class Cost:
    """What one `bench report` took. `peak_mb`: the most memory its process had resident."""

    wall_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Size:
    """A stored run of a given size."""

    folder: Path
    samples: int
    trials: int

    @property
    def page_kb(self) -> float:
        """The size of the page that was written last."""
        return (self.folder / "report.html").stat().st_size / 1e3


def main() -> None:
    """Build, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--millions", type=float, nargs="+", default=[0.3, 1.0, 3.0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the runs there, and use what is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = options.folder or Path(passing)
        sizes = [built(folder, round(1e6 * each)) for each in options.millions]
        costs: dict[Path, list[Cost]] = {size.folder: [] for size in sizes}
        for _ in range(options.repeats):
            for size in sizes:
                costs[size.folder].append(reported(size.folder))
        print("\n".join(table(sizes, [costs[size.folder] for size in sizes])))


def built(folder: Path, samples: int) -> Size:
    """A run of about so many samples. It is built by a process of its own: what is resident here
    when `bench report` is started would count as its memory (Linux keeps the peak over exec)."""
    made = folder / str(samples)
    rounds = max(1, round(samples / SAMPLES_OF_A_ROUND))
    if not (made / "manifest.json").exists():
        child = multiprocessing.get_context("spawn").Process(target=_build, args=(made, rounds))
        child.start()
        child.join()
        if child.exitcode:
            raise SystemExit(f"building a run of {samples} samples failed")
    files = sorted((made / "samples").rglob("*.parquet"))
    stored = sum(pq.read_metadata(file).num_rows for file in files)
    trials = rounds * INSTANCES * len(SCENARIOS) * len(LOADS) * 2
    return Size(made, stored, trials)


def _build(folder: Path, rounds: int) -> None:
    build_run(folder, scenarios=SCENARIOS, loads=LOADS, instances=INSTANCES, rounds=rounds)


def reported(folder: Path) -> Cost:
    """Run `bench report` once."""
    began_s = time.perf_counter()
    child = subprocess.Popen(
        ["timeout", str(LONGEST_S), BENCH, "report", folder], stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    wall_s = time.perf_counter() - began_s
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"bench report {folder} ended with {child.returncode}")
    return Cost(wall_s, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def table(sizes: Sequence[Size], costs: Sequence[Sequence[Cost]]) -> Iterator[str]:
    """Medians of each size, and over those of the first size, as a Markdown table."""
    yield "| samples | trials | wall s | CPU s | peak memory MB | page kB | × the first |"
    yield "|---:|---:|---:|---:|---:|---:|---|"
    first = _medians(costs[0])
    for size, each in zip(sizes, costs, strict=True):
        now = _medians(each)
        ratios = ", ".join(
            f"{name} {value:.2f}"
            for name, value in (
                ("samples", size.samples / sizes[0].samples),
                ("CPU", now.cpu_s / first.cpu_s),
                ("memory", now.peak_mb / first.peak_mb),
                ("page", size.page_kb / sizes[0].page_kb),
            )
        )
        yield (
            f"| {size.samples:,} | {size.trials:,} | {now.wall_s:.1f} | {now.cpu_s:.1f} "
            f"| {now.peak_mb:.0f} | {size.page_kb:.0f} | {ratios} |"
        )


def _medians(costs: Sequence[Cost]) -> Cost:
    return Cost(
        *(
            statistics.median(getattr(each, name) for each in costs)
            for name in ("wall_s", "cpu_s", "peak_mb")
        )
    )


if __name__ == "__main__":
    main()
