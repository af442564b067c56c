"""What a look at identical arms says of longer runs, and what it says would help."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from loadtests.schedule import Limits, choose_sizes
from loadtests.spec import load_spec
from loadtests.spreads import PRIOR, Spreads
from loadtests.wall_time import sizes_within
from reports.ability import Ability, Resolution, ability, what_repetition_helps
from reports.model import Comparison, Spread
from reports.resolution import Replication, resolvable_pct
from reports.spreads import nested_spreads

ROOMY = Limits(memory_mb=24_000, connections=None)
QUICK = Replication(instances=15, blocks=2, primaries=6)
COMPARISON = Comparison(
    load="closed-16",
    metric="capacity_per_s",
    request=None,
    primary=True,
    baseline="async",
    candidate="async-again",
    change_pct=1.0,
    ci95_pct=(-5.0, 7.0),
    mde_pct=9.0,
    instances=7,
    rounds=2,
    blocks=14,
    scope="program",
    verdict="inconclusive",
    spread=Spread(instances_pct=6.0, blocks_pct=11.0),
)


def test_a_look_that_saw_the_usual_spreads_tells_what_the_plan_tells() -> None:
    known = ability(COMPARISON)
    assert known is not None
    found = known.resolution(QUICK)
    assert found is not None
    assert found.pct == pytest.approx(resolvable_pct(PRIOR, QUICK))
    assert found.range_pct[0] < found.pct < found.range_pct[1]


def test_more_pairs_leave_less_doubt() -> None:
    few, many = (Ability(PRIOR, pairs).resolution(QUICK) for pairs in (3, 30))
    assert few is not None
    assert many is not None
    assert few.range_pct[1] > many.range_pct[1]
    assert few.range_pct[0] < many.range_pct[0]


def test_instances_that_seemed_alike_are_not_believed_to_be() -> None:
    alike = replace(COMPARISON, spread=Spread(instances_pct=0.0, blocks_pct=11.0))
    known = ability(alike)
    assert known is not None
    assert known.spreads == Spreads(pytest.approx(PRIOR.instance_sd / math.sqrt(2)), 0.11)


@pytest.mark.parametrize(
    "comparison", [replace(COMPARISON, spread=None), replace(COMPARISON, instances=1)]
)
def test_without_spreads_there_is_nothing_to_tell(comparison: Comparison) -> None:
    assert ability(comparison) is None


@pytest.mark.parametrize(
    ("pct", "range_pct", "words"),
    [
        (9.1, (7.0, 14.2), "±9.1% (7.0% to 14%)"),
        (95.0, (65.0, 202.0), "±95% (65% to over 100%)"),
        (287.0, (90.0, 831.0), "over 100% (90% to over 100%)"),
        (9266.0, (2921.0, 2e5), "over 100%"),
    ],
)
def test_what_is_beyond_telling_is_not_told_exactly(
    pct: float, range_pct: tuple[float, float], words: str
) -> None:
    assert Resolution(pct, range_pct).words() == words


def test_one_block_resolves_nothing() -> None:
    assert Ability(PRIOR, 7).resolution(Replication(1, 1)) is None
    assert what_repetition_helps(Ability(PRIOR, 7), Replication(1, 1)) is None


@pytest.mark.parametrize(
    ("spreads", "words"),
    [(Spreads(0.08, 0.02), "more instances rather than"), (Spreads(0.01, 0.2), "more time")],
)
def test_what_helps_follows_from_where_the_spread_is(spreads: Spreads, words: str) -> None:
    advice = what_repetition_helps(Ability(spreads, 7), QUICK)
    assert advice is not None
    assert advice.startswith(words)


def test_the_range_holds_what_a_longer_look_would_say() -> None:
    """Simulated looks of 7 pairs × 2 blocks: the range holds the true resolution about as often as
    it says (the half of prior knowledge only helps here, where it is true)."""
    truth = resolvable_pct(PRIOR, QUICK)
    assert truth is not None
    random = np.random.default_rng(1)
    held, looks = 0, 400
    for _ in range(looks):
        pair = np.repeat(np.arange(7), 2)
        between = random.normal(0, PRIOR.instance_sd, 7)[pair]
        seen = nested_spreads(between + random.normal(0, PRIOR.block_sd, 14), pair)
        assert seen is not None
        spread = Spread(100 * seen.instance_sd, 100 * seen.block_sd)
        known = ability(replace(COMPARISON, spread=spread))
        assert known is not None
        found = known.resolution(QUICK)
        assert found is not None
        held += found.range_pct[0] <= truth <= found.range_pct[1]
    assert 0.75 <= held / looks <= 0.99


@pytest.mark.parametrize("minutes", [2, 8, 35])
def test_a_plan_for_a_wall_time_keeps_within_it_and_uses_it(minutes: int) -> None:
    spec = load_spec("quick", environ={})
    sizes = sizes_within(spec, ROOMY, minutes * 60.0)
    assert sizes is not None
    assert 0.7 * minutes * 60 <= sizes.set_up_s + sizes.measuring_s <= minutes * 60


def test_numbers_that_a_spec_fixes_are_set_free() -> None:
    smoke = load_spec("smoke", environ={})
    sizes = sizes_within(smoke, ROOMY, 480.0)
    assert sizes is not None
    assert sizes.instances > choose_sizes(smoke, ROOMY).instances


def test_a_time_too_short_for_all_scenarios_has_no_plan() -> None:
    assert sizes_within(load_spec("full", environ={}), ROOMY, 30.0) is None
