"""The search over simulated services, beside an exhaustive grid and random search.

`benchmarks/tuning/results.md` has the same over more services, and says how each measures.
"""

import functools

import numpy as np

from loadtests.spec import load_spec
from loadtests.tuning.world import trial_window_s
from reports.statistics import Estimate
from reports.tuning.knee import Scored, knee_log_ratio
from tests.support.tuning_surfaces import (
    OBJECTIVE,
    QUICK_ARMS,
    QUICK_BUDGET_S,
    QUICK_WINDOW_S,
    SETTINGS,
    Chosen,
    Machine,
    Surface,
    drawn,
    gridded,
    random_surface,
    searched,
)

SURFACES = 60


def test_the_simulated_finals_are_those_of_quick() -> None:
    spec = load_spec("quick", environ={})
    assert spec.tune.budget_s == QUICK_BUDGET_S
    assert trial_window_s(spec) == QUICK_WINDOW_S
    assert len(spec.tuned_arms) == QUICK_ARMS
    assert not spec.tuned_scenario.writes


@functools.cache
def services() -> list[Surface]:
    return [random_surface(np.random.default_rng([seed, 0])) for seed in range(SURFACES)]


@functools.cache
def searches() -> list[Chosen]:
    return [searched(each, seed) for seed, each in enumerate(services())]


def regrets(chosen: list[Chosen]) -> np.ndarray:
    return np.array([c.regret(s) for c, s in zip(chosen, services(), strict=True)])


def test_it_finds_what_a_grid_finds_in_less_than_a_third_of_the_time() -> None:
    grid = [gridded(each, seed) for seed, each in enumerate(services())]
    behind = regrets(searches()) - regrets(grid)
    assert float(np.mean(behind)) < 0.02
    assert float(np.mean(behind <= 0.03)) >= 0.9
    spent = sum(each.trials for each in searches()) / sum(each.trials for each in grid)
    assert spent <= 0.30


def test_it_is_not_worse_than_random_search_with_the_same_budget() -> None:
    ours = regrets(searches())
    for passes in (1, 3):
        random = [
            drawn(each, seed, searches()[seed].trials, passes)
            for seed, each in enumerate(services())
        ]
        assert float(np.mean(ours)) <= float(np.mean(regrets(random)))
        assert float(np.mean(ours <= 0.03)) >= float(np.mean(regrets(random) <= 0.03))


def test_the_interval_of_a_ratio_covers_the_truth_with_few_instances() -> None:
    surface = Surface(400.0, 10.0, 20.0, 0.0)
    one, other = SETTINGS[8], SETTINGS[12]  # pools of 10 and 20
    truth = np.log(surface.knee_per_s(other) / surface.knee_per_s(one))
    random, covered = np.random.default_rng(7), []
    for _ in range(120):
        machine = Machine(surface, random)
        trials: dict[object, list[Scored]] = {one: [], other: []}
        for instance in range(4):
            for share in (0.6, 0.8, 0.9, 1.0, 1.1):
                scores = machine.block((one, other), share * surface.knee_per_s(other), instance)
                for setting, score in scores.items():
                    trials[setting].append(Scored(instance, score))
        found = knee_log_ratio(trials[one], trials[other], OBJECTIVE)
        if isinstance(found, Estimate):
            covered.append(abs(found.log_ratio - truth) <= found.half_width_log())
    assert len(covered) >= 110
    assert np.mean(covered) >= 0.89  # 95% less three standard deviations of 120 looks
