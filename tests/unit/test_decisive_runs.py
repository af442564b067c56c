"""The profiles on simulated machines, with fixed seeds: they decide, seldom falsely, and cover.

Every trial has its planned place on the clock of a recorded machine. The long version, with more
machines and thousands of runs, is `python -m benchmarks.statistics.simulate --table decisive`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from benchmarks.statistics.gate_rates import EXAMPLE, LIMITS_PCT, Job, row
from loadtests.schedule import Limits, Sizes, choose_sizes
from loadtests.spec import Spec, load_spec
from reports.statistics import Estimate
from reports.verdicts import judge
from tests.support.recorded_machine import COMPLETIONS, machine
from tests.support.simulated_plan import Primary, World, planned_trials, simulated_primaries

QUIET_SD = 0.11


def plan(profile: str) -> tuple[Spec, Sizes]:
    spec = load_spec(profile, overrides=(), environ={})
    return spec, choose_sizes(spec, Limits(memory_mb=24_000, connections=None))


def runs(profile: str, world: World, count: int, *, latency: bool) -> Iterator[list[Primary]]:
    spec, sizes = plan(profile)
    random = np.random.default_rng(11)
    for _ in range(count):
        yield list(simulated_primaries(random, spec, sizes, world, latency=latency))


def word(primary: Primary) -> str:
    return judge(primary.metric, primary.estimate, alpha=primary.alpha, equivalence_pct=5.0).word


@pytest.mark.parametrize(
    ("profile", "change_pct", "least", "count"), [("quick", 15, 0.8, 150), ("standard", 8, 0.9, 60)]
)
def test_a_clean_run_finds_a_true_change_of_capacity(
    profile: str, change_pct: float, least: float, count: int
) -> None:
    world = World(math.log1p(change_pct / 100), QUIET_SD, instance_sd=0.05)
    words = [word(each) for run in runs(profile, world, count, latency=False) for each in run]
    assert np.mean([each == "faster" for each in words]) >= least
    assert "slower" not in words


def test_identical_arms_seldom_differ_and_intervals_cover() -> None:
    """The machine as recorded, drift, bursts and autocorrelation included."""
    count, alarms, covered = 200, 0, []
    for run in runs("quick", World(instance_sd=0.06), count, latency=True):
        alarms += any(word(each) in ("faster", "slower") for each in run)
        for each in run:
            assert isinstance(each.estimate, Estimate)
            covered.append(abs(each.estimate.log_ratio) <= each.estimate.half_width_log())
    assert alarms / count <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / count)
    assert 0.93 <= np.mean(covered) <= 0.97  # 1,200 intervals: Monte Carlo error 0.6%


def test_trials_stand_where_the_plan_puts_them() -> None:
    spec, sizes = plan("quick")
    planned = planned_trials(spec, sizes, seed=3)
    assert len(planned) == len(spec.scenario)
    for loads in planned:
        for trials in loads:
            assert trials.from_s.shape == (2, sizes.instances * sizes.rounds)
            assert np.unique(np.abs(np.diff(trials.from_s, axis=0)).round(6)).size == 1
            assert (np.bincount(trials.instance) == sizes.rounds).all()
    every = np.sort(np.concatenate([t.from_s.ravel() for loads in planned for t in loads]))
    assert np.diff(every).min() >= spec.run.block_s + 0.2  # one arm at a time
    assert every[-1] <= sizes.measuring_s + 1


@pytest.mark.parametrize("name", sorted(COMPLETIONS))
def test_a_recording_is_played_as_it_was_and_as_restless_as_wanted(name: str) -> None:
    as_it_was = machine(name)
    assert 0.12 < as_it_was.pair_sd() < 0.16  # as docs/method.md says
    assert machine(name, pair_sd=0.11).pair_sd() == pytest.approx(0.11)
    speed = np.exp(as_it_was.log_speed(np.arange(0.0, as_it_was.length_s, 1.0), 1.0))
    assert np.mean(speed) == pytest.approx(1.0)
    later = as_it_was.log_speed(np.array([3.0 + as_it_was.length_s]), 0.75)
    assert later == pytest.approx(as_it_was.log_speed(np.array([3.0]), 0.75))


@pytest.mark.parametrize(
    ("slowdown_pct", "limit_pct", "shares"),
    [(0.0, 15.0, "100.0 / 0.0 / 0.0 ± 9.5"), (20.0, 5.0, "0.0 / 0.0 / 100.0 ± 9.5")],
)
def test_the_gate_of_the_documentation_tells_what_is_far_from_its_limit(
    slowdown_pct: float, limit_pct: float, shares: str
) -> None:
    """Passed, undecided and failed, in percent of 8 runs ± what they leave open; the long version
    is `python -m benchmarks.statistics.gate_rates`."""
    cells = row(Job(EXAMPLE, QUIET_SD, slowdown_pct, runs=8)).strip("| ").split(" | ")
    assert cells[-len(LIMITS_PCT) :][LIMITS_PCT.index(limit_pct)] == shares
