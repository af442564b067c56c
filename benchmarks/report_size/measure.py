"""What `bench report` takes for stored runs of growing size: time, memory, the page's size.

    .venv/bin/python -m benchmarks.report_size.measure [--millions 0.3 1 3] [--largest]

Runs are simulated in the format of real ones, and grow by rounds, as real ones do; `--largest` adds
one in the shape of the largest profile. Sizes take turns, so that a slow minute of the machine
meets them all.
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
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow.parquet as pq

from loadtests.spec import Spec, load_spec
from loadtests.trials import ClosedLoad, Load, OpenLoad
from tests.support.run_builder import build_run

BENCH = Path(sys.executable).parent / "bench"
SCENARIOS = ("read-one", "read-page", "crud-mix")
LOADS = (ClosedLoad(16), OpenLoad(240.0))
INSTANCES = 27
SAMPLES_OF_A_ROUND = 111_000
"""About; two arms, three scenarios, two loads, 27 instances, blocks of a second."""
LONGEST_S = 600
WATCH_S = 0.1


@dataclass(frozen=True, slots=True)
class Cost:
    """What one `bench report` took. `peak_mb`: the most memory that its processes had resident
    together, seen every WATCH_S; what they share counts more than once."""

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
    parser.add_argument("--largest", action="store_true", help="a run like those of profile full")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="keep the runs there, and use what is there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as passing:
        folder = options.folder or Path(passing)
        sizes = [built(folder, round(1e6 * each)) for each in options.millions]
        if options.largest:
            sizes.append(largest(folder))
        costs: dict[Path, list[Cost]] = {size.folder: [] for size in sizes}
        for _ in range(options.repeats):
            for size in sizes:
                costs[size.folder].append(reported(size.folder))
        print("\n".join(table(sizes, [costs[size.folder] for size in sizes])))


def built(folder: Path, samples: int) -> Size:
    """A run of about so many samples."""
    rounds = max(1, round(samples / SAMPLES_OF_A_ROUND))
    return _size_of(folder / str(samples), dict.fromkeys(SCENARIOS, LOADS), rounds)


def largest(folder: Path) -> Size:
    """One round of the scenarios and loads of the largest profile."""
    return _size_of(folder / "full", _loads_of(load_spec("full")), rounds=1)


def _loads_of(spec: Spec) -> dict[str, tuple[Load, ...]]:
    closed, judged = LOADS
    return {
        each.name: (closed, *_staircase(each.load.open_shares, judged.rate_per_s))
        for each in spec.scenario
    }


def _staircase(shares: Sequence[float], judged_per_s: float) -> Iterator[OpenLoad]:
    """The offered loads; the first, at which response times are judged, at `judged_per_s`."""
    return (OpenLoad(judged_per_s * share / shares[0]) for share in shares)


def _size_of(made: Path, loads: Mapping[str, Sequence[Load]], rounds: int) -> Size:
    """Built by a process of its own, so that what that needs is not resident here."""
    if not (made / "manifest.json").exists():
        child = multiprocessing.get_context("spawn").Process(
            target=_build, args=(made, loads, rounds)
        )
        child.start()
        child.join()
        if child.exitcode:
            raise SystemExit(f"building the run {made.name} failed")
    files = sorted((made / "samples").rglob("*.parquet"))
    stored = sum(pq.read_metadata(file).num_rows for file in files)
    return Size(made, stored, 2 * rounds * INSTANCES * sum(map(len, loads.values())))


def _build(folder: Path, loads: Mapping[str, Sequence[Load]], rounds: int) -> None:
    build_run(folder, scenarios=tuple(loads), loads=loads, instances=INSTANCES, rounds=rounds)


def reported(folder: Path) -> Cost:
    """Run `bench report` once."""
    began_s = time.perf_counter()
    child = psutil.Popen([BENCH, "report", folder], stdout=subprocess.DEVNULL)
    peak_bytes = 0
    while (found := os.wait4(child.pid, os.WNOHANG))[0] == 0:
        peak_bytes = max(peak_bytes, _resident_bytes(child))
        if time.perf_counter() - began_s > LONGEST_S:
            child.kill()
        time.sleep(WATCH_S)
    wall_s = time.perf_counter() - began_s
    _, status, used = found
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"bench report {folder} ended with {code}")
    return Cost(wall_s, used.ru_utime + used.ru_stime, peak_bytes / 1e6)


def _resident_bytes(process: psutil.Process) -> int:
    """Of a process and those it started."""
    total = 0
    for each in [process, *process.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):  # it has just ended
            total += each.memory_info().rss
    return total


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
