"""Sizes: what memory, connections and budget allow, and what a spec fixes."""

import pytest

from loadtests.schedule import (
    ALWAYS_INSTANCES,
    MOST_INSTANCES,
    Limits,
    another_round_fits,
    choose_sizes,
    round_seconds,
    round_shape,
    trial_seconds,
)
from loadtests.spec import Spec, load_spec

ROOMY = Limits(memory_mb=24_000, connections=None)


def spec(profile: str = "quick", *overrides: str) -> Spec:
    return load_spec(profile, overrides=overrides, environ={})


@pytest.mark.parametrize(("profile", "size"), [("quick", (15, 2)), ("standard", (27, 3))])
def test_profiles_are_many_instances_and_few_rounds(profile: str, size: tuple[int, int]) -> None:
    sizes = choose_sizes(spec(profile), ROOMY)
    assert (sizes.instances, sizes.rounds, sizes.pairs) == (*size, 1)


def test_many_arms_have_a_dozen_instances_each() -> None:
    budget = "run.budget_s=5000"
    assert choose_sizes(spec("specimens", budget), ROOMY).instances == ALWAYS_INSTANCES
    assert choose_sizes(spec("quick", budget), ROOMY).instances == MOST_INSTANCES
    rounds_given = choose_sizes(spec("quick", "run.rounds=4"), ROOMY)
    assert (rounds_given.instances, rounds_given.rounds) == (ALWAYS_INSTANCES, 4)


def test_instances_given_get_the_rounds_that_fit() -> None:
    sizes = choose_sizes(spec("quick", "run.instances=6"), ROOMY)
    assert (sizes.instances, sizes.rounds, sizes.rounds_are_fixed) == (6, 5, False)
    assert sizes.measuring_s <= 400


@pytest.mark.parametrize(
    ("profile", "minutes"), [("smoke", 1), ("quick", 8), ("standard", 35), ("specimens", 8)]
)
def test_a_profile_fits_the_time_it_promises(profile: str, minutes: float) -> None:
    sizes = choose_sizes(spec(profile), ROOMY)
    assert sizes.set_up_s + sizes.measuring_s <= minutes * 60


def test_little_memory_means_fewer_instances_and_says_so() -> None:
    sizes = choose_sizes(spec(), Limits(memory_mb=1500, connections=None))
    assert sizes.instances == 4
    assert "1500 MB" in sizes.notes[0]


def test_few_connections_mean_fewer_instances_and_say_so() -> None:
    sizes = choose_sizes(spec(), Limits(memory_mb=24_000, connections=140))
    assert sizes.instances == 7
    assert "140 connections" in sizes.notes[0]


def test_a_small_budget_means_fewer_instances_before_fewer_rounds() -> None:
    sizes = choose_sizes(spec("quick", "run.budget_s=120"), ROOMY)
    assert sizes.instances < 12
    assert sizes.rounds == 2
    assert sizes.notes == ()


def test_numbers_given_are_never_shortened() -> None:
    fixed = spec("quick", "run.budget_s=1", "run.instances=12", "run.rounds=5", "run.pairs=2")
    sizes = choose_sizes(fixed, Limits(memory_mb=100, connections=1))
    assert (sizes.instances, sizes.rounds, sizes.pairs) == (12, 5, 2)
    assert sizes.rounds_are_fixed


def test_trials_are_counted_as_planned() -> None:
    quick = spec()
    sizes = choose_sizes(quick, ROOMY)
    assert round_shape(quick, sizes).trials == 2 * sizes.instances * 6


def test_a_scenario_takes_the_time_of_its_own_arms_and_window() -> None:
    specimens = spec("specimens")
    [locks_up] = [each for each in specimens.scenario if each.name == "sync-ungated"]
    alone = specimens.model_copy(update={"scenario": (locks_up,)})
    assert trial_seconds(alone, locks_up) == pytest.approx(0.15 + 3.0 + 0.10)
    waiting_s = specimens.arm_named("sync-ungated").pool_timeout_s
    assert round_seconds(alone, 5, 2) == pytest.approx(10 * (2 * 3.25 + waiting_s))
    sizes = choose_sizes(specimens, ROOMY)
    loads = 4 + 2 * 2  # four closed scenarios, and two with a closed and an open load
    assert round_shape(specimens, sizes).trials == 2 * loads * sizes.instances


def test_a_round_is_started_only_when_it_fits() -> None:
    assert another_round_fits(200, 200, 400)
    assert not another_round_fits(210, 205, 400)
