"""Which sharing of two physical cores measures best: two instances of the async twin under closed
and open load, all processes moved from placement to placement in turn, and what a look at the cores
said.

    .venv/bin/python -m benchmarks.placement.measure [--blocks 20]

Needs two cores, Linux and a MySQL or MariaDB server program. Writes results.json beside this file.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import random
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from loadtests.environment.core_noise import look_at, noise_of
from loadtests.environment.machine import host_facts, usable_cores
from loadtests.environment.probes import HostProbe
from loadtests.environment.proctree import process_tree, threads_of
from loadtests.environment.topology import cores_of
from loadtests.errors import EnvironmentNotReady
from loadtests.generators import Generators
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.schedule import Limits, choose_sizes
from loadtests.spec import Arm, RunSpec, Spec
from loadtests.trials import ClosedLoad, Load, OpenLoad, Target, TrialOrder, TrialOutcome
from loadtests.unrecorded import completions_per_s
from scripts.session import Session, open_session

HERE = Path(__file__).parent
Placements = Mapping[str, Mapping[str, int]]
"""For each name the CPU of each party."""
LOADS: tuple[Load, ...] = (ClosedLoad(16), OpenLoad(300.0, "poisson"))
LOOK_EVERY = 5


def placements(first: int, second: int) -> Placements:
    """The three ways of sharing two cores."""
    return {
        "arms alone on the second": {"generator": first, "database": first, "apps": second},
        "arms alone on the first": {"generator": second, "database": second, "apps": first},
        "generator alone": {"generator": first, "database": second, "apps": second},
    }


def two_cpus() -> tuple[int, int]:
    """A CPU of each of two physical cores. Raises EnvironmentNotReady where there is one."""
    cores = cores_of(usable_cores())
    if len(cores) < 2:
        raise EnvironmentNotReady(
            "This takes two physical cores.", hint="lscpu shows what there is."
        )
    return cores[0].cpus[0], cores[1].cpus[0]


def main() -> None:
    """Measure and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=20)
    blocks: int = parser.parse_args().blocks
    spec = Spec(
        run=RunSpec(instances=2, rounds=1, pairs=1, database="local"),
        arm=(Arm(name="async", app="async"),),
        scenario=(BUILT_IN["read-one"],),
    )
    sizes = choose_sizes(spec, Limits(memory_mb=None, connections=None))
    cpus = two_cpus()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_session(spec, sizes, run="placement", log_folder=Path(folder)) as session,
        Generators.start(
            targets=[instance.target for instance in session.instances],
            scenarios=list(spec.scenario),
            folder=".",
            cores=(),
            log_path=Path(folder) / "generator.log",
        ) as generator,
    ):
        rows = _measured(session, generator, cpus, blocks)
    (HERE / "results.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(_told(rows))


def _measured(
    session: Session, generator: Generators, cpus: tuple[int, int], blocks: int
) -> dict[str, Any]:
    ways = placements(*cpus)
    host, load_before = HostProbe(), os.getloadavg()[0]
    steal_before_s = host.read().steal_s
    trials, looks = [], []
    targets = [instance.target for instance in session.instances]
    order = random.Random(1)
    for block in range(-2, blocks):  # two to warm up
        if block % LOOK_EVERY == 0:
            looks.append([each.slowed_pct for each in noise_of(look_at(cpus))])
        for name in order.sample(list(ways), len(ways)):
            _move(session, generator, ways[name])
            for load in LOADS:
                for target in order.sample(targets, len(targets)):
                    outcome = generator.run_trial(_order(target, load, block + 2))
                    if block >= 0:
                        trials.append(_row(block, name, load, target, outcome))
    steal_s = host.read().steal_s
    return {
        "host": {key: host_facts()[key] for key in ("cpu", "kernel", "cores", "virtual")},
        "load_1min_before": round(load_before, 2),
        "steal_s": None if steal_s is None or steal_before_s is None else steal_s - steal_before_s,
        "cpus": list(cpus),
        "looks_slowed_pct": looks,
        "trials": trials,
    }


def _move(session: Session, generator: Generators, cores: Mapping[str, int]) -> None:
    """Every thread of every party to its core."""
    _pin(generator.pids[0], cores["generator"])
    assert session.database.pid is not None
    _pin(session.database.pid, cores["database"])
    for instance in session.instances:
        assert instance.child is not None
        _pin(instance.child.pid, cores["apps"])


def _pin(pid: int, core: int) -> None:
    for member in process_tree(pid):
        for thread in threads_of(member):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(thread, {core})


def _order(target: Target, load: Load, seed: int) -> TrialOrder:
    return TrialOrder(
        trial=0, round=0, block=0, scenario="read-one", load=load, target=target, seed=seed,
        lead_in_s=0.2, steady_s=0.75,
    )  # fmt: skip


def _row(
    block: int, name: str, load: Load, target: Target, outcome: TrialOutcome
) -> dict[str, Any]:
    samples = outcome.samples.to_pandas()
    steady = samples[(samples["phase"] == "steady") & samples["ok"]]
    response_ms = (steady["done_ns"] - steady["arrival_ns"]) / 1e6
    lag_ms = (steady["sent_ns"] - steady["arrival_ns"]) / 1e6
    return {
        "block": block, "placement": name, "load": load.name, "instance": target.instance,
        "per_s": completions_per_s(outcome), "p95_ms": round(float(response_ms.quantile(0.95)), 3),
        "lag_p99_ms": round(float(lag_ms.quantile(0.99)), 3),
        "generator_cpu_pct": round(100 * outcome.generator_cpu_s / outcome.generator_wall_s, 1),
    }  # fmt: skip


def _told(rows: dict[str, Any]) -> str:
    first, second = rows["cpus"]
    lines = [f"looks (slowed % of {first}, {second}): {rows['looks_slowed_pct']}"]
    for load, metric in ((LOADS[0], "per_s"), (LOADS[1], "p95_ms")):
        for name in placements(first, second):
            chosen = [
                row for row in rows["trials"]
                if row["placement"] == name and row["load"] == load.name
            ]  # fmt: skip
            by_block = defaultdict(dict)
            for row in chosen:
                by_block[row["block"]][row["instance"]] = row[metric]
            logs = [math.log(each[1] / each[0]) for each in by_block.values()]
            lines.append(
                f"{load.name:<10} {name:<26} median {_median(chosen, metric):8.2f} {metric}; sd of "
                f"log ratio {100 * np.std(logs, ddof=1):5.1f}%, of log "
                f"{100 * np.std([math.log(row[metric]) for row in chosen], ddof=1):5.1f}%; lag p99 "
                f"{_median(chosen, 'lag_p99_ms'):.2f} ms; generator "
                f"{_median(chosen, 'generator_cpu_pct'):.0f}% CPU"
            )
    return "\n".join(lines)


def _median(rows: Sequence[dict[str, Any]], key: str) -> float:
    return float(np.median([row[key] for row in rows]))


if __name__ == "__main__":
    main()
