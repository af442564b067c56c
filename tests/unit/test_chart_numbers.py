"""What the charts of a run are drawn from: shares, moments, knees, ratios, peaks; all pure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from loadtests.trials import OpenLoad
from loadtests.tuning.score import Objective
from reports import words
from reports.charts.block_ratios import block_ratios
from reports.charts.ecdf import MOST_STEPS, distribution, steps_of, within
from reports.charts.knees import arm_knee
from reports.charts.moments import (
    MOST_MOMENTS,
    ROWS,
    Clock,
    Moments,
    clock_of,
    edges_ms,
    moments_of,
)
from reports.charts.pairs_panel import MOST_BLOCKS, neighbours
from reports.charts.ratio_axis import ratio_ticks
from reports.measures import LoadData
from reports.model import CAPACITY
from reports.percentiles import FEWEST_BEYOND
from reports.run_folder import StoredRun, load_run
from reports.summarise import summarise
from reports.usage import usage_of
from tests.support.run_builder import (
    LEAD_IN_MS,
    MS,
    Columns,
    Noise,
    SimulatedArm,
    Trial,
    build_run,
)

ARMS = {"sync": SimulatedArm(), "async": SimulatedArm(app="async")}


def data_of(stored: StoredRun, load: int = 0) -> LoadData:
    return stored.measured("read-one", stored.loads("read-one")[load])


class TestDistribution:
    def test_shares_rise_to_where_ten_answers_are_slower(self) -> None:
        value_ms, share = distribution(np.arange(1.0, 1001.0), 50)
        assert len(share) == 50
        assert share[-1] == pytest.approx(1 - FEWEST_BEYOND / 1000)
        assert value_ms[-1] == 1000 - FEWEST_BEYOND
        assert value_ms == pytest.approx(1000 * share, abs=1.0)
        assert len(distribution(np.arange(19.0), 50)[0]) == 0

    def test_it_is_read_off_at_few_round_times_between_its_ends(self) -> None:
        times = np.sort(np.exp(np.random.default_rng(1).normal(2.0, 0.5, 5000)))
        steps = steps_of([times])
        assert steps == [2.0, 5.0, 10.0, 20.0]
        assert within(times, 2.0) == pytest.approx(np.mean(times <= 2.0))
        wide = np.sort(10 ** np.random.default_rng(1).uniform(-3, 6, 50_000))
        assert len(steps_of([wide])) <= MOST_STEPS
        assert len(steps_of([np.full(40, 3.0)])) == 1

    def test_a_share_is_never_rounded_to_none_or_all(self) -> None:
        said = [words.share(part) for part in (0.0, 0.0001, 0.042, 0.42, 0.993, 0.9999, 1.0)]
        assert said == ["0%", "<0.1%", "4.2%", "42%", "99.3%", ">99.9%", "100%"]


def stalling(folder: Path, **more: object) -> StoredRun:
    """Everything that was due in block 3 of sync took 300 ms more; lead-ins 2.5 times as long."""

    def slow(trial: Trial, columns: Columns) -> Columns:
        more_ms = 300 * MS if (trial["block"], trial["arm"]) == (3, "sync") else 0
        took = columns["done_ns"] - columns["sent_ns"]
        early = np.array(columns["phase"]) == "lead-in"
        return {
            **columns,
            "done_ns": columns["done_ns"] + more_ms + np.where(early, 3 * took // 2, 0),
        }

    return load_run(
        build_run(folder, arms=ARMS, loads=(OpenLoad(150.0),), edit_samples=slow, **more)  # type: ignore[arg-type]
    )


def moments(stored: StoredRun, arm: str) -> tuple[LoadData, Clock, Moments]:
    data = data_of(stored)
    clock = clock_of(data)
    assert clock is not None
    return data, clock, moments_of(data, clock, data.of_arm(arm), edges_ms(data.response_ms))


class TestMoments:
    def test_every_request_is_counted_once(self, tmp_path: Path) -> None:
        data, _, found = moments(stalling(tmp_path / "run"), "sync")
        everything = int(data.of_arm("sync").sum())
        assert found.over_run.sum() == everything
        assert found.within.sum() == everything
        assert found.over_run[ROWS].sum() == 0

    def test_a_stall_is_found_where_it_was_and_of_whom(self, tmp_path: Path) -> None:
        stored = stalling(tmp_path / "run")
        _, clock, sync = moments(stored, "sync")
        assert {each.block for each in sync.slow} == {3}
        assert all(clock.block_at(each.column) == 3 for each in sync.slow)
        assert all(each.median_ms > 300 for each in sync.slow)
        assert moments(stored, "async")[2].slow == ()

    def test_a_lead_in_makes_no_moment_slow(self, tmp_path: Path) -> None:
        def cold(_: Trial, columns: Columns) -> Columns:
            early = np.array(columns["phase"]) == "lead-in"
            return {**columns, "done_ns": columns["done_ns"] + early * 300 * MS}

        stored = load_run(
            build_run(tmp_path / "run", arms=ARMS, loads=(OpenLoad(150.0),), edit_samples=cold)
        )
        data, _, found = moments(stored, "sync")
        assert data.response_ms[data.of_arm("sync") & ~data.steady].min() > 300
        assert found.slow == ()
        assert found.measured > 0

    def test_slow_lead_ins_stand_left_of_the_dashes(self, tmp_path: Path) -> None:
        data, clock, found = moments(stalling(tmp_path / "run"), "async")
        assert clock.lead_in == pytest.approx(LEAD_IN_MS / (LEAD_IN_MS + 1000.0))
        columns = found.within.shape[1]
        edge = int(clock.lead_in * columns)
        rows = np.arange(ROWS + 1) @ found.within / found.within.sum(axis=0)
        assert rows[:edge].min() > rows[edge + 1 :].max()
        assert found.within[:, :edge].sum() < int((data.of_arm("async") & ~data.steady).sum())

    def test_failed_requests_have_a_row_of_their_own(self, tmp_path: Path) -> None:
        arms = {"sync": SimulatedArm(error_share=0.2)}
        stored = load_run(build_run(tmp_path / "run", arms=arms, loads=(OpenLoad(150.0),)))
        data, _, found = moments(stored, "sync")
        assert found.over_run[ROWS].sum() == int((~data.ok).sum())

    @pytest.mark.parametrize("rounds", [1, 45])
    def test_columns_do_not_grow_with_the_run(self, tmp_path: Path, rounds: int) -> None:
        stored = stalling(tmp_path / "run", rounds=rounds, block_s=0.1)
        _, clock, found = moments(stored, "async")
        assert found.over_run.shape[1] == clock.columns <= MOST_MOMENTS
        assert [number for _, number in clock.round_starts()] == list(range(rounds))
        assert clock.block_at(0) == clock.blocks[0]
        assert found.over_run.sum() == found.within.sum()


OBJECTIVE = Objective(p99_ms=20.0)


def overloaded(folder: Path, knees: dict[str, float]) -> StoredRun:
    """Beyond its knee an arm answers 40 ms later."""

    def late(trial: Trial, columns: Columns) -> Columns:
        beyond = float(trial["load"].removeprefix("open-")) > knees[trial["arm"]]
        return {**columns, "done_ns": columns["done_ns"] + beyond * 40 * MS}

    loads = tuple(OpenLoad(rate) for rate in (50.0, 100.0, 200.0, 400.0))
    return load_run(build_run(folder, arms=ARMS, loads=loads, edit_samples=late))


class TestKnees:
    def test_a_knee_lies_between_the_loads_that_were_kept_and_missed(self, tmp_path: Path) -> None:
        stored = overloaded(tmp_path / "run", {"sync": 150.0, "async": 1000.0})
        data = [stored.measured("read-one", load) for load in stored.loads("read-one")]
        sync = arm_knee(data, "sync", None, OBJECTIVE)
        assert sync is not None
        assert sync.knee.censored is None
        assert 100.0 < sync.knee.per_s < 200.0
        assert sync.kept == {50.0: True, 100.0: True, 200.0: False, 400.0: False}
        other = arm_knee(data, "async", None, OBJECTIVE)
        assert other is not None
        assert (other.knee.censored, other.said) == ("above", "≥\u00a0400/s")
        assert other.interval_per_s is None
        strict = arm_knee(data, "async", None, Objective(p99_ms=0.001))
        assert strict is not None
        assert strict.said == "<\u00a050/s"

    def test_an_instance_that_stalled_once_contradicts_the_knee_nowhere(
        self, tmp_path: Path
    ) -> None:
        """8% of all requests are late, of one instance: by the knee's rule the load is kept."""

        def stalled(trial: Trial, columns: Columns) -> Columns:
            place = (trial["load"], trial["arm"], trial["instance"], trial["round"])
            late = place == ("open-100", "sync", 1, 0)
            return {**columns, "done_ns": columns["done_ns"] + late * 40 * MS}

        loads = (OpenLoad(50.0), OpenLoad(100.0))
        stored = load_run(
            build_run(tmp_path / "run", arms=ARMS, loads=loads, instances=4, edit_samples=stalled)
        )
        data = [stored.measured("read-one", load) for load in stored.loads("read-one")]
        late = data[1].of_arm("sync") & data[1].steady & (data[1].response_ms > OBJECTIVE.p99_ms)
        assert late.sum() > 0.05 * (data[1].of_arm("sync") & data[1].steady).sum()
        found = arm_knee(data, "sync", None, OBJECTIVE)
        assert found is not None
        assert found.knee.censored == "above"
        assert found.kept == {50.0: True, 100.0: True}

    def test_one_load_has_no_knee(self, tmp_path: Path) -> None:
        stored = overloaded(tmp_path / "run", {"sync": 150.0, "async": 1000.0})
        data = [stored.measured("read-one", stored.loads("read-one")[0])]
        assert arm_knee(data, "sync", None, OBJECTIVE) is None
        assert arm_knee([], "sync", None, OBJECTIVE) is None


def compared(stored: StoredRun, metric: str = CAPACITY):
    [scenario] = summarise(stored).scenarios
    return next(each for each in scenario.comparisons if each.metric == metric and each.primary)


class TestBlockRatios:
    def test_a_block_is_the_ratio_of_its_two_trials_in_the_order_of_time(
        self, tmp_path: Path
    ) -> None:
        stored = load_run(build_run(tmp_path / "run", arms=ARMS))
        data, found = data_of(stored), block_ratios(data_of(stored), compared(stored))
        trials = data.trials.assign(rate=data.good_per_s())
        for place, block in enumerate(found.block):
            own = trials[trials["block"] == block].set_index("arm")
            ratio = own.loc["async", "rate"] / own.loc["sync", "rate"]
            assert found.logs[place] == pytest.approx(np.log(ratio))
            assert found.pair[place] == own.loc["sync", "instance"]
        starts = [trials.loc[trials["block"] == each, "start_ns"].min() for each in found.block]
        assert starts == sorted(starts)
        assert sorted(found.pairs) == sorted(set(found.pair.tolist()))

    def test_percentiles_of_blocks_scatter_around_the_stated_change(self, tmp_path: Path) -> None:
        stored = load_run(build_run(tmp_path / "run", arms=ARMS, instances=6))
        stated = compared(stored, "response_ms.p95")
        found = block_ratios(data_of(stored, 1), stated)
        assert stated.change_pct is not None
        change = np.log1p(stated.change_pct / 100)
        assert np.min(found.logs) < change < np.max(found.logs)
        assert np.median(list(found.pairs.values())) == pytest.approx(change, abs=0.15)

    def test_pairs_are_levelled_as_the_stated_change_is(self, tmp_path: Path) -> None:
        """In a block that took both arms 60 times as long, async was no slower; later it was."""

        def stuck(trial: Trial, columns: Columns) -> Columns:
            times = 60 if (trial["instance"], trial["round"]) == (0, 0) else 1
            times *= 3 if (trial["arm"], trial["round"]) == ("async", 2) else 1
            took = columns["done_ns"] - columns["arrival_ns"]
            return {**columns, "done_ns": columns["arrival_ns"] + times * took}

        how = {"arms": ARMS, "edit_samples": stuck, "noise": Noise(0.0, 0.0, 0.0), "rounds": 3}
        stored = load_run(build_run(tmp_path / "run", **how))  # type: ignore[arg-type]
        found = block_ratios(data_of(stored, 1), compared(stored, "response_ms.p95"))
        assert found.pairs[0] == pytest.approx(found.pairs[1], abs=0.2)
        assert found.pairs[0] > 0.5

    def test_where_one_arm_gave_nothing_the_ratio_is_infinite(self, tmp_path: Path) -> None:
        def silent(trial: Trial, columns: Columns) -> Columns:
            if (trial["block"], trial["arm"]) == (2, "async"):
                return {**columns, "ok": np.zeros(len(columns["ok"]), dtype=bool)}
            return columns

        stored = load_run(build_run(tmp_path / "run", arms=ARMS, edit_samples=silent))
        found = block_ratios(data_of(stored), compared(stored))
        assert found.logs[found.block == 2].tolist() == [-np.inf]
        assert all(np.isfinite(log) for log in found.pairs.values())

    def test_points_are_few_however_many_blocks_there_are(self) -> None:
        for blocks in (1, MOST_BLOCKS, MOST_BLOCKS + 1, 10_000):
            assert -(-blocks // neighbours(np.zeros(blocks))) <= MOST_BLOCKS

    @pytest.mark.parametrize("ends", [(-0.1, 0.1), (-0.5, 0.5), (-6.0, 0.2), (-0.2, 6.0)])
    def test_numbers_on_the_axis_stand_at_their_change(self, ends: tuple[float, float]) -> None:
        ticks = ratio_ticks(*ends)
        assert 2 < len(ticks) <= 8
        for log, label in ticks:
            change = float(label.replace(words.MINUS, "-").rstrip("%"))
            assert log == pytest.approx(np.log1p(change / 100))


def test_the_peak_of_an_arm_is_that_of_its_highest_instance(tmp_path: Path) -> None:
    def grown(trial: Trial) -> Trial:
        return {**trial, "app_rss_mb": 90.0 + trial["instance"], "app_threads": 50}

    stored = load_run(build_run(tmp_path / "run", arms=ARMS, edit_trial=grown))
    [scenario] = summarise(stored).scenarios
    trials = stored.trials_of("read-one", "closed-16")
    found = usage_of(trials[trials["arm"] == "sync"], stored.telemetry)
    [result] = [
        each
        for each in scenario.results
        if (each.load, each.arm, each.request) == ("closed-16", "sync", None)
    ]
    assert found.peaks["rss_mb"] == {0: 90.0, 1: 91.0, 2: 92.0}
    assert max(found.peaks["rss_mb"].values()) == result.rss_mb_peak
    assert max(found.peaks["threads"].values()) == result.threads_peak == 50
    assert (
        min(found.cpu_ms.values()) < (result.cpu_ms_per_request or 0) < max(found.cpu_ms.values())
    )


def test_what_is_not_known_of_an_instance_is_left_out() -> None:
    trials = pd.DataFrame(
        {
            "trial": [1, 2], "instance": [0, 1], "app_cpu_s": [np.nan, 1.0], "recorded": [10, 0],
            "app_rss_mb": [np.nan, 5.0], "app_threads": [np.nan] * 2, "connections": [np.nan] * 2,
        }
    )  # fmt: skip
    found = usage_of(trials, None)
    assert found.cpu_ms == {}
    assert found.peaks == {"rss_mb": {1: 5.0}, "threads": {}, "connections": {}}
