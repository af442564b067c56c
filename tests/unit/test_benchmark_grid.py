"""The grid beside a search: the best setting, how far the taken one is behind, what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from benchmarks.tuning.grid_climb import LADDERS, check_budget, choose_ladder, needed_s
from benchmarks.tuning.grid_table import Cost, Grid, costs_table, told
from benchmarks.tuning.real_grid import Asked, grid_spec, is_seen
from loadtests.errors import UsageError
from loadtests.tuning.past import Measured
from loadtests.tuning.score import LATE_SHARE, Score
from loadtests.tuning.setting import Setting
from reports.tuning.record import Tried
from tests.support.tuning_records import one_arm

TINY, SMALL, LARGE = Setting(1), Setting(5), Setting(10)
KNEES = {TINY: 120.0, SMALL: 294.0, LARGE: 300.0}
RATES = (100.0, 200.0, 240.0, 280.0, 320.0)
P99_AT_PER_S = 240.0
UNLIKE = (0.99, 1.0, 1.01)
"""Instances of one setting differ: their knees, and for SMALL the other way round."""


def trials(knees: Mapping[Setting, float], rates: Sequence[float] = RATES) -> list[Tried]:
    """Three instances whose share of late requests passes 1% at about the knee."""
    blocks = [(unit, rate) for unit in range(3) for rate in rates]
    return [
        Tried(
            arm="sync", setting=setting, stage="confirm", unit=unit, block=block,
            score=score(rate, knee_per_s * unlike(setting, unit)), good_per_s=rate, rate_per_s=rate,
            p99_ms=rate / 4.0 * (2.0 if setting == SMALL else 1.0) * unlike(setting, unit),
        )
        for block, (unit, rate) in enumerate(blocks)
        for setting, knee_per_s in knees.items()
    ]  # fmt: skip


def unlike(setting: Setting, unit: int) -> float:
    return UNLIKE[::-1][unit] if setting == SMALL else UNLIKE[unit]


def score(rate_per_s: float, knee_per_s: float) -> Score:
    planned = 1_000_000
    late = min(planned, round(planned * LATE_SHARE * (rate_per_s / knee_per_s) ** 8))
    return Score(rate_per_s, planned, late, 0)


def grid(
    taken: Setting,
    alternate: Setting | None = None,
    factor: float = 1.0,
    recommended: Setting | None = None,
) -> Grid:
    record = one_arm()
    arm = replace(
        record.arms[0], settings=tuple(KNEES), present=TINY, taken=taken, alternate=alternate
    )
    knees = {setting: factor * knee_per_s for setting, knee_per_s in KNEES.items()}
    measured = replace(record, arms=(arm,), tried=tuple(trials(knees)))
    return Grid(measured, recommended or taken, P99_AT_PER_S)


def test_the_taken_setting_is_compared_with_the_grids_best() -> None:
    lines = list(told(grid(SMALL)))
    [small] = [line for line in lines if line.startswith("| pool 5")]
    [large] = [line for line in lines if line.startswith("| pool 10")]
    _, small_marks, small_knee, behind, small_p99 = small.split(" | ")
    assert (small_marks, small_knee[:7], behind[:6]) == (
        "**recommended**, taken",
        "294/s [",
        "−2.0% ",
    )
    assert large.split(" | ")[1:4:2] == ["best", "–"]
    assert small_p99 == "120 |"
    regret = lines[-1]
    assert regret.startswith(
        "- recommended and taken (pool 5 + 0, 40 threads, gate) against the grid's best "
        "(pool 10 + 0, 40 threads, gate): "
    )
    assert "capacity −2.0% [" in regret
    assert regret.endswith(", worse.")
    assert "p99 +100% [" in regret


def test_a_p99_of_which_a_trial_gave_requests_up_is_over_what_is_told() -> None:
    found = grid(SMALL)
    tried = tuple(
        replace(each, p99_beyond=(each.unit, each.setting) == (0, SMALL))
        for each in found.record.tried
    )
    lines = told(replace(found, record=replace(found.record, tried=tried)))
    p99s = [line.split(" | ")[-1] for line in lines if line.startswith("| pool")]
    assert [each.startswith("over ") for each in p99s] == [False, True, False]


def test_p99_is_of_one_load() -> None:
    [line] = [line for line in told(grid(SMALL)) if line.startswith("| pool 10")]
    assert line.endswith("| 60 |")


def test_a_setting_below_the_loads_is_told_as_a_bound() -> None:
    [tiny] = [line for line in told(grid(SMALL, factor=0.8)) if line.startswith("| pool 1 +")]
    assert "present | < 100/s" in tiny.replace("\u00a0", " ")
    assert "less than −58%" in tiny


def test_a_taken_setting_that_is_the_best_has_no_regret() -> None:
    lines = list(told(grid(LARGE, alternate=SMALL, recommended=SMALL)))
    assert lines[-1] == "- taken (pool 10 + 0, 40 threads, gate): it is the grid's best, regret 0."
    assert lines[-2].startswith("- recommended and roomiest (pool 5")


def test_without_any_capacity_there_is_no_regret() -> None:
    assert "No setting met the objective" in list(told(grid(SMALL, factor=0.1)))[-1]


def test_costs_are_of_blocks_that_count() -> None:
    scores = {TINY: score(100.0, 120.0), LARGE: score(100.0, 300.0)}
    block = Measured("search", "sync", 0, 0, scores, wall_s=3.0, rate_per_s=100.0)
    *_, search, whole = costs_table(Cost.of([block]), Cost.of([block] * 4))
    assert search == "| search and finals | 2 | 25% | 3 s | 25% |"
    assert whole == "| grid | 8 | 100% | 12 s | 100% |"


def test_the_ladder_is_as_fine_as_the_budget_allows() -> None:
    each_s = 2.0
    fits = [needed_s(5, 3, len(shares), each_s) for shares in LADDERS]
    assert fits[0] == 5 * 3 * (len(LADDERS[0]) + 2) * each_s
    for shares, seconds in zip(LADDERS, fits, strict=True):
        assert choose_ladder(5, 3, seconds, each_s).shares == shares
    assert choose_ladder(5, 3, 0.0, each_s).shares == LADDERS[-1]


def test_a_budget_too_small_for_any_ladder_is_refused() -> None:
    least_s = needed_s(5, 3, len(LADDERS[-1]), 2.0)
    check_budget(5, 3, least_s, 2.0)
    with pytest.raises(UsageError, match="5 settings × 3 instances"):
        check_budget(5, 3, least_s - 1.0, 2.0)


def test_a_grid_is_seen_only_under_the_searchs_load_and_distance() -> None:
    spec = one_arm().spec
    as_searched = Asked(None, None, 3, None, 200.0)
    again = grid_spec(spec, as_searched)
    assert again.run.seed != spec.run.seed
    assert is_seen(spec, again)
    assert not is_seen(spec, grid_spec(spec, replace(as_searched, rtt_ms=1.5)))
    other = grid_spec(spec, replace(as_searched, scenario="read-page"))
    assert other.tuned_scenario.name == "read-page"
    assert not is_seen(spec, other)
    with pytest.raises(UsageError, match="nosuch"):
        grid_spec(spec, replace(as_searched, scenario="nosuch"))
