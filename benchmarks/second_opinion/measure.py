"""Our generator beside wrk on both twins, in turn, as the second opinion of a run, but longer.

    .venv/bin/python -m benchmarks.second_opinion.measure [--alternations 40] [--scenario read-one]

One instance of each twin, cores as in a run. Prints the figures; `--out` keeps every turn. Needs
wrk and a MySQL or MariaDB server program.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from loadtests.environment.live_bed import SETTLE_LIMIT_S
from loadtests.environment.probes import cpu_clock_s
from loadtests.environment.servers import RunningInstance
from loadtests.errors import EnvironmentNotReady
from loadtests.generators import Generators
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.scenarios.model import Scenario
from loadtests.second_opinion.alternate import alternate
from loadtests.second_opinion.ours import counted
from loadtests.second_opinion.plan import TURN_S, Plan
from loadtests.second_opinion.record import Opinion, Tool
from loadtests.second_opinion.wrk import Counted, load_with_wrk
from loadtests.spec import Arm, RunSpec, Spec
from loadtests.trials import Target
from loadtests.unrecorded import unrecorded_order
from reports.measures import Floats
from reports.second_opinion import TOOLS, judge_opinion, rates_of
from reports.statistics import Doubt, t_estimate
from scripts.session import open_session, sizes_here

ARMS = ("sync", "async")


@dataclass
class Bench:
    """What both tools load, and what each turn cost the app."""

    scenario: Scenario
    generator: Generators
    instances: Mapping[str, RunningInstance]
    cpu_ms: dict[tuple[Tool, str], list[float]] = field(default_factory=dict)
    """The app's CPU time per request that it counted, which a busy neighbour disturbs far less
    than it disturbs a rate."""
    generator_share: dict[str, list[float]] = field(default_factory=dict)

    def ours(self, target: Target, seed: int) -> Counted:
        """One turn of ours, as a run's."""
        order = unrecorded_order(self.scenario, target, TURN_S, seed)
        with self._cost("ours", target.arm):
            outcome = self.generator.run_trial(order)
        share = outcome.generator_cpu_s / outcome.generator_wall_s
        self.generator_share.setdefault(target.arm, []).append(share)
        return counted(outcome)

    def wrk(self, target: Target, seed: int) -> Counted:
        """One turn of wrk, as a run's."""
        with self._cost("wrk", target.arm):
            return load_with_wrk(self.scenario, target, seed)

    @contextmanager
    def _cost(self, tool: Tool, arm: str) -> Iterator[None]:
        before = self._used(arm)
        yield
        after = self._used(arm)
        cost_ms = 1e3 * (after[0] - before[0]) / (after[1] - before[1])
        self.cpu_ms.setdefault((tool, arm), []).append(cost_ms)

    def _used(self, arm: str) -> tuple[float, int]:
        """The app's CPU seconds and its own count of requests, once it has nothing left to do."""
        instance = self.instances[arm]
        give_up_s = time.monotonic() + SETTLE_LIMIT_S
        while (told := instance.stats() or {}).get("in_flight"):
            if time.monotonic() > give_up_s:
                raise EnvironmentNotReady(f"{arm} is not done after {SETTLE_LIMIT_S:g} s.")
            time.sleep(0.01)
        assert instance.child is not None
        return cpu_clock_s(instance.child.pid) or 0.0, told["requests"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--alternations", type=int, default=40)
    parser.add_argument("--scenario", default="read-one")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    scenario = BUILT_IN[options.scenario]
    plan = Plan(scenario.name, scenario.load.users, ARMS, options.alternations)
    print(f"load average {os.getloadavg()[0]:.2f}")
    with twins(scenario) as (bench, targets):
        for target in targets.values():
            bench.ours(target, 1)
            bench.wrk(target, 1)
        bench.cpu_ms.clear()
        opinion = alternate(plan, targets, {"ours": bench.ours, "wrk": bench.wrk}, seed=1)
    print(*report(opinion, bench), f"load average {os.getloadavg()[0]:.2f}", sep="\n")
    if options.out:
        options.out.write_text(opinion.model_dump_json(indent=1) + "\n", encoding="utf-8")


@contextmanager
def twins(scenario: Scenario) -> Iterator[tuple[Bench, Mapping[str, Target]]]:
    """One instance of each twin on its core, and the generator on the other."""
    spec = Spec(
        run=RunSpec(database="local", instances=1, rounds=1, pairs=1),
        arm=tuple(Arm(name=name, app=name) for name in ARMS),
        scenario=(scenario,),
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        open_session(
            spec, sizes_here(spec), run="second-opinion", log_folder=Path(folder)
        ) as session,
    ):
        instances = {instance.target.arm: instance for instance in session.instances}
        targets = {arm: instance.target for arm, instance in instances.items()}
        with Generators.start(
            list(targets.values()), [scenario], folder=folder,
            cores=session.placement.generator, log_path=Path(folder) / "generator.log",
        ) as generator:  # fmt: skip
            print(f"{session.database.flavour} {session.database.version}")
            yield Bench(scenario, generator, instances), targets


def report(opinion: Opinion, bench: Bench) -> Iterator[str]:
    """Ours relative to wrk: rates and the app's cost, per arm; then what a run would say."""
    rates = rates_of(opinion)
    for arm in ARMS:
        ours, wrk = (rates[tool, arm] for tool in TOOLS)
        yield f"{arm}: our generator used {np.mean(bench.generator_share[arm]):.1%} of its core"
        yield (
            f"  ours {np.mean(ours):,.0f}/s, wrk {np.mean(wrk):,.0f}/s, "
            f"ours/wrk {_ratio(np.log(ours / wrk))}"
        )
        cost, cost_wrk = (np.array(bench.cpu_ms[tool, arm]) for tool in TOOLS)
        yield (
            f"  app's CPU per request: ours {np.mean(cost):.3f} ms, wrk {np.mean(cost_wrk):.3f} ms,"
            f" ours/wrk {_ratio(np.log(cost / cost_wrk))}"
        )
    yield judge_opinion(opinion).detail


def _ratio(logs: Floats) -> str:
    estimate = t_estimate(logs)
    if isinstance(estimate, Doubt):
        return estimate.reason
    half = estimate.half_width_log()
    low, middle, high = (math.exp(estimate.log_ratio + sign * half) for sign in (-1, 0, 1))
    return f"{middle:.3f} [{low:.3f}, {high:.3f}], sd of one pair {np.std(logs, ddof=1):.1%}"


if __name__ == "__main__":
    main()
