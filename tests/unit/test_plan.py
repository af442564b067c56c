"""Plans: complete, balanced, random, and the same for the same seed."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.plan import Origin, RoundShape, ScenarioLoads, plan_round, round_rate, scenario_loads
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.scenarios.model import LoadSpec
from loadtests.trials import ClosedLoad, OpenLoad

TWINS = ("sync", "async")
SHAPE = RoundShape(
    scenarios=(
        ScenarioLoads("read-one", (ClosedLoad(16), OpenLoad(240.0)), TWINS),
        ScenarioLoads("crud-mix", (ClosedLoad(16), OpenLoad(100.0)), TWINS),
    ),
    instances=12,
    pairs=2,
)


def test_a_round_visits_every_instance_at_every_load_and_pair() -> None:
    visits = Counter((b.scenario, b.load.name, b.instance) for b in plan_round(SHAPE, 0, 1))
    assert len(visits) == 4 * 12
    assert set(visits.values()) == {2}


@given(st.integers(min_value=0, max_value=2**63 - 1), st.integers(min_value=0, max_value=50))
def test_no_arm_goes_first_more_often(seed: int, number: int) -> None:
    firsts = Counter(block.arms[0] for block in plan_round(SHAPE, number, seed))
    assert abs(firsts["sync"] - firsts["async"]) <= 1


def test_three_arms_stand_at_every_position_equally_often() -> None:
    loads = (ClosedLoad(16), OpenLoad(240.0), OpenLoad(100.0), OpenLoad(50.0))
    shape = RoundShape((ScenarioLoads("s", loads, ("a", "b", "c")),), instances=3, pairs=1)
    blocks = plan_round(shape, 0, 5)
    for position in range(3):
        assert set(Counter(block.arms[position] for block in blocks).values()) == {4}


def test_each_scenario_is_planned_for_its_own_arms() -> None:
    shape = RoundShape(
        scenarios=(
            ScenarioLoads("first", (ClosedLoad(16),), ("a", "b")),
            ScenarioLoads("second", (ClosedLoad(16), OpenLoad(9.0)), ("b", "c", "d")),
            ScenarioLoads("third", (ClosedLoad(16),), ("d",)),
        ),
        instances=6,
        pairs=2,
    )
    blocks = plan_round(shape, 0, 5)
    arms = {block.scenario: {*block.arms} for block in blocks}
    assert arms == {"first": {"a", "b"}, "second": {"b", "c", "d"}, "third": {"d"}}
    assert shape.blocks == len(blocks)
    assert shape.trials == sum(len(block.arms) for block in blocks) == 12 * (2 + 6 + 1)
    for scenario, per_place in (("first", 6), ("second", 8)):
        firsts = Counter(block.arms[0] for block in blocks if block.scenario == scenario)
        assert set(firsts.values()) == {per_place}


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert plan_round(SHAPE, 3, 1) == plan_round(SHAPE, 3, 1)
    assert plan_round(SHAPE, 3, 1) != plan_round(SHAPE, 3, 2)
    assert plan_round(SHAPE, 3, 1) != plan_round(SHAPE, 4, 1)


def test_blocks_and_seeds_are_unique_within_a_run() -> None:
    blocks = [block for number in range(3) for block in plan_round(SHAPE, number, 1)]
    assert len({block.block for block in blocks}) == len(blocks)
    assert len({block.seed for block in blocks}) == len(blocks)


def test_a_scenario_s_blocks_stand_together() -> None:
    names = [block.scenario for block in plan_round(SHAPE, 0, 1)]
    changes = sum(a != b for a, b in pairwise(names))
    assert changes == 1


def test_auto_is_one_closed_load_and_open_at_half_the_lower_capacity() -> None:
    assert scenario_loads(BUILT_IN["read-one"], {"sync": 900.0, "async": 480.0}) == (
        ClosedLoad(16),
        OpenLoad(240.0),
    )


def test_auto_waits_for_the_pilot() -> None:
    assert scenario_loads(BUILT_IN["read-one"], None) is None


def test_a_given_rate_needs_no_pilot() -> None:
    scenario = BUILT_IN["read-one"].model_copy(
        update={"load": LoadSpec(model="open", rate_per_s=33, arrivals="uniform")}
    )
    assert scenario_loads(scenario, None) == (OpenLoad(33.0, "uniform"),)


@pytest.mark.parametrize(("rate", "rounded"), [(487.3, 490), (0.2, 1), (12345, 12000), (95.1, 95)])
def test_rates_are_rounded_to_two_digits(rate: float, rounded: float) -> None:
    assert round_rate(rate) == rounded


def test_a_resumed_run_uses_no_block_twice_whatever_its_size() -> None:
    first = [b.block for number in (0, 1) for b in plan_round(SHAPE, number, 1)]
    origin = Origin(round=2, block=max(first) + 1, trial=0, instance=12)
    resumed = replace(SHAPE, instances=5, origin=origin)
    later = [b for number in (2, 3) for b in plan_round(resumed, number, 1)]
    blocks = [b.block for b in later]
    assert blocks == list(range(max(first) + 1, max(first) + 1 + 2 * resumed.blocks))
    assert {b.instance for b in later} == set(range(12, 17))
