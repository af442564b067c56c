"""Whole runs, simulated, to whole answers: known effects are found, odd runs end in words."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from loadtests.scenarios.catalogue import READ_ONE
from loadtests.trials import ClosedLoad, OpenLoad
from reports.headline import headline, lines
from reports.resolution import planned_primaries
from reports.run_folder import StoredRun
from reports.samples import sample_file
from reports.summarise import Summary, interim, summarise
from tests.support import sample_summary as by_hand
from tests.support.run_builder import MS, Noise, SimulatedArm, build_run

QUIET = Noise(instance_sd=0.02, block_sd=0.03, drift_sd=0.1)
DIFFERENT = {
    "sync": SimulatedArm(),
    "async": SimulatedArm(app="async", capacity_per_s=375.0, response_ms=3.2, cpu_ms=3.0),
}


def summary_of(folder: Path, **options) -> Summary:
    return summarise(StoredRun.load(build_run(folder, **{"block_s": 0.5, **options})))


def comparisons(summary: Summary, **wanted):
    return [
        c
        for scenario in summary.scenarios
        for c in scenario.comparisons
        if all(getattr(c, key) == value for key, value in wanted.items())
    ]


def no_nonsense(summary: Summary) -> None:
    """Strict JSON (no NaN), and every verdict with a reason."""
    text = json.dumps(summary.to_json(), allow_nan=False)
    assert json.loads(text)["schema"] == 1
    assert all(c.reasons for c in comparisons(summary))
    for c in comparisons(summary):
        if c.verdict in ("faster", "slower", "equivalent"):
            assert c.ci95_pct is not None
            assert c.change_pct is not None
            assert c.ci95_pct[0] <= c.change_pct <= c.ci95_pct[1]
            assert (c.ci95_pct[0] <= 0 <= c.ci95_pct[1]) <= (c.verdict == "equivalent")


class TestKnownEffects:
    @pytest.fixture(scope="class")
    @staticmethod
    def folder(tmp_path_factory):
        return build_run(
            tmp_path_factory.mktemp("known") / "run",
            arms=DIFFERENT,
            scenarios=["read-one", "fast-beside-slow"],
            instances=8,
            noise=QUIET,
        )

    @pytest.fixture(scope="class")
    @staticmethod
    def summary(folder):
        return summarise(StoredRun.load(folder))

    @pytest.mark.parametrize(
        ("metric", "request_name", "change_pct", "verdict"),
        [
            ("capacity_per_s", None, 25.0, "faster"),
            ("response_ms.p95", "read", -20.0, "faster"),
            ("cpu_ms_per_request", None, 20.0, "slower"),
        ],
    )
    def test_are_found(self, summary, metric, request_name, change_pct, verdict):
        chosen = [
            found
            for found in comparisons(summary, metric=metric, request=request_name)
            if found.primary or metric.startswith("cpu")
        ]
        assert len(chosen) == {"capacity_per_s": 2, "response_ms.p95": 1}.get(metric, 4)
        for found in chosen:
            low, high = found.ci95_pct
            assert low - 3 < change_pct < high + 3
            assert found.verdict == verdict
            assert (found.instances, found.rounds, found.blocks) == (8, 2, 16)
            assert found.scope == "program"

    def test_the_primaries_are_the_planned_ones(self, summary):
        found = [(c.load, c.metric, c.request) for c in comparisons(summary, primary=True)]
        assert found == [
            ("closed-16", "capacity_per_s", None),
            ("open-150", "response_ms.p95", "read"),
            ("closed-16", "capacity_per_s", None),
            ("open-150", "response_ms.p95", "fast"),
        ]

    def test_primaries_say_where_their_doubt_comes_from_and_what_would_lessen_it(self, summary):
        for found in comparisons(summary):
            assert (found.spread is not None) == (found.outlook is not None) == found.primary
        for found in comparisons(summary, metric="capacity_per_s"):
            assert found.spread.instances_pct < 8  # true: √2 · 2%, and √2 · 3%
            assert 2 < found.spread.blocks_pct < 9
            assert 0 < found.outlook.twice_instances_pct < found.mde_pct
            assert found.outlook.twice_instances_pct < found.outlook.twice_rounds_pct

    def test_no_comparison_is_made_twice(self, summary):
        for scenario in summary.scenarios:
            keys = [(c.load, c.metric, c.request) for c in scenario.comparisons]
            assert len(keys) == len(set(keys))

    def test_primaries_are_adjusted_for_their_number(self, summary, folder):
        alone = build_run(
            folder.parent / "alone",
            arms=DIFFERENT,
            loads=(ClosedLoad(16),),
            instances=8,
            noise=QUIET,
        )
        single = comparisons(summarise(StoredRun.load(alone)), primary=True)[0]
        manifest = json.loads((alone / "manifest.json").read_text())
        manifest["spec"]["scenario"].append(
            {**manifest["spec"]["scenario"][0], "name": "never-run"}
        )
        (alone / "manifest.json").write_text(json.dumps(manifest))
        adjusted = comparisons(summarise(StoredRun.load(alone)), primary=True)[0]
        assert adjusted.change_pct == single.change_pct
        assert adjusted.ci95_pct[0] < single.ci95_pct[0]
        assert adjusted.ci95_pct[1] > single.ci95_pct[1]
        assert adjusted.mde_pct > single.mde_pct

    def test_results_are_those_of_the_samples(self, summary, folder):
        run = StoredRun.load(folder)
        samples = run.samples("read-one", "open-150")
        mine = samples[(samples["arm"] == "sync") & (samples["phase"] == "steady")]
        expected = np.sort((mine["done_ns"] - mine["arrival_ns"]).to_numpy("float64")) / MS
        whole = next(
            r
            for r in summary.scenarios[0].results
            if (r.load, r.arm, r.request) == ("open-150", "sync", None)
        )
        assert whole.requests == whole.ok == len(expected)
        assert whole.response_ms.p95 == pytest.approx(
            expected[math.ceil(0.95 * len(expected)) - 1], 1e-5
        )
        assert whole.response_ms.mean == pytest.approx(expected.mean(), rel=1e-5)
        assert whole.response_ms.p99_9 is None
        assert whole.service_ms.p50 < whole.response_ms.p50
        assert whole.cpu_ms_per_request == pytest.approx(2.5, rel=0.2)
        assert whole.split_ms.own == pytest.approx(0.4 * whole.split_ms.total, rel=1e-3)
        assert (whole.rss_mb_peak, whole.threads_peak, whole.connections_peak) == (80, 44, 10)

    def test_requests_add_up_to_the_whole(self, summary):
        results = [r for r in summary.scenarios[1].results if r.arm == "async"]
        for load in ("closed-16", "open-150"):
            whole, *parts = [r for r in results if r.load == load]
            assert whole.request is None
            assert {p.request for p in parts} == {"fast", "slow"}
            assert whole.requests == sum(p.requests for p in parts)
            assert whole.throughput_per_s == pytest.approx(
                sum(p.throughput_per_s for p in parts), rel=1e-4
            )

    def test_the_headline_can_be_repeated(self, summary):
        assert summary.headline.startswith("async against sync: ")
        assert "% more requests per second (read-one, fast-beside-slow)" in summary.headline
        assert "p95 response time" in summary.headline
        assert "(read-one at 150/s" in summary.headline
        assert "shorter" in summary.headline

    def test_the_same_folder_gives_the_same_bytes(self, folder, summary):
        again = summarise(StoredRun.load(folder))
        assert json.dumps(again.to_json()) == json.dumps(summary.to_json())
        no_nonsense(summary)

    def test_the_interim_is_the_same_as_the_end(self, folder, summary):
        primaries = comparisons(summary, primary=True)
        now = interim(StoredRun.load(folder))
        assert [(i.candidate, i.metric, i.request, i.change_pct) for i in now] == [
            (c.candidate, c.metric, c.request, c.change_pct) for c in primaries
        ]
        for each, final in zip(now, primaries, strict=True):
            assert each.half_width_pct == pytest.approx(
                (final.ci95_pct[1] - final.ci95_pct[0]) / 2, 1e-4
            )

    def test_the_interim_asks_neither_for_spreads_nor_for_remarks(self, folder, monkeypatch):
        """After every round of a long run: what is not shown then is not computed either."""
        asked = []
        for name in ("_spread", "_remarks"):
            monkeypatch.setattr(
                f"reports.comparisons.{name}", lambda *_, name=name: asked.append(name)
            )
        assert interim(StoredRun.load(folder))
        assert asked == []


class TestWhatCounts:
    def test_capacity_leaves_out_what_was_answered_after_the_window(self, tmp_path):
        """Drained requests in the numerator would read high."""
        slow = {name: SimulatedArm(app=name, response_ms=200.0) for name in ("sync", "async")}
        summary = summary_of(tmp_path / "run", arms=slow, block_s=1.0, noise=QUIET)
        for result in summary.scenarios[0].results:
            if result.load == "closed-16" and result.request is None:
                # Arrivals at 300/s from the lead-in on; those of the last 200 ms come too late.
                assert 0.85 * 300 < result.throughput_per_s < 0.98 * 300

    def test_timeouts_count_as_at_least_the_timeout(self, tmp_path):
        arms = {"sync": SimulatedArm(), "async": SimulatedArm(app="async", timeout_share=0.2)}
        summary = summary_of(tmp_path / "run", arms=arms, run={"max_error_pct": 50})
        result = next(
            r
            for r in summary.scenarios[0].results
            if (r.load, r.arm, r.request) == ("open-150", "async", None)
        )
        assert result.timeouts > 0
        assert result.errors == 0
        assert result.response_ms.p95 >= 10_000
        found = comparisons(summary, metric="response_ms.p95", primary=True)[0]
        assert found.change_pct > 10_000

    @pytest.mark.parametrize("done", ["early", "never"])
    def test_a_timeout_noted_early_or_never_counts_in_full(self, tmp_path, done):
        def give_up(trial, columns):
            gone = np.array([error == "timeout" for error in columns["error"]])
            early = columns["sent_ns"] + 1000 * MS
            if done == "early":
                columns["done_ns"] = np.where(gone, early, columns["done_ns"])
            else:
                kept = zip(columns["done_ns"].tolist(), gone, strict=True)
                columns["done_ns"] = [None if lost else stamp for stamp, lost in kept]
            return columns

        arms = {"sync": SimulatedArm(), "async": SimulatedArm(app="async", timeout_share=0.2)}
        summary = summary_of(tmp_path / "run", arms=arms, edit_samples=give_up)
        result = next(
            r for r in summary.scenarios[0].results if (r.load, r.arm) == ("open-150", "async")
        )
        assert result.timeouts > 0
        assert result.response_ms.max == 10_000

    def test_errors_are_apart_from_latency(self, tmp_path):
        def fail_fast(trial, columns):
            if trial["arm"] == "async":
                bad = np.arange(len(columns["ok"])) % 3 == 0
                columns["ok"] = ~bad
                columns["status"] = np.where(bad, 500, 200).astype("int16")
                columns["done_ns"] = np.where(bad, columns["sent_ns"] + 1, columns["done_ns"])
            return columns

        summary = summary_of(tmp_path / "run", edit_samples=fail_fast, run={"max_error_pct": 50})
        found = comparisons(summary, metric="response_ms.p50")[0]
        assert abs(found.change_pct) < 30
        result = next(
            r for r in summary.scenarios[0].results if r.arm == "async" and r.load == "open-150"
        )
        assert result.goodput_pct == pytest.approx(66.7, abs=0.5)

    def test_failed_trials_and_their_blocks_are_left_out(self, tmp_path):
        def crash(trial):
            failed = trial["arm"] == "async" and trial["round"] == 1
            return {**trial, "state": "invalid", "reason": "exited"} if failed else trial

        summary = summary_of(tmp_path / "run", edit_trial=crash, rounds=3)
        for found in comparisons(summary):
            assert (found.blocks, found.rounds) == (6, 2)
            assert found.verdict == "invalid"
            assert "exited" in found.reasons[0]

    def test_lead_in_requests_are_in_no_percentile(self, tmp_path):
        def slow_start(trial, columns):
            early = np.array(columns["phase"]) == "lead-in"
            columns["done_ns"] = columns["done_ns"] + np.where(early, 5000 * MS, 0)
            return columns

        summary = summary_of(tmp_path / "run", edit_samples=slow_start)
        assert all(r.response_ms.max < 1000 for r in summary.scenarios[0].results)


class TestOddRuns:
    def test_nothing_measured(self, tmp_path):
        folder = build_run(tmp_path / "run", rounds=0, status=None)
        summary = summarise(StoredRun.load(folder))
        no_nonsense(summary)
        assert summary.status == "interrupted"
        assert {c.verdict for c in comparisons(summary)} == {"inconclusive"}
        assert summary.headline.startswith("Not finished")
        assert all(i.half_width_pct is None for i in interim(StoredRun.load(folder)))

    def test_loads_never_fixed(self, tmp_path):
        folder = build_run(tmp_path / "run", rounds=0)
        (folder / "journal.jsonl").write_text("")
        summary = summarise(StoredRun.load(folder))
        no_nonsense(summary)
        assert "Nothing was measured" in summary.headline

    @pytest.mark.parametrize("share", ["error_share", "timeout_share"])
    def test_an_arm_that_only_fails(self, tmp_path, share):
        arms = {"sync": SimulatedArm(), "async": SimulatedArm(app="async", **{share: 1.0})}
        summary = summary_of(tmp_path / "run", arms=arms, rounds=1)
        no_nonsense(summary)
        assert not summary.valid
        assert {c.verdict for c in comparisons(summary)} == {"invalid"}
        assert "invalid" in summary.headline

    @pytest.mark.parametrize(("instances", "rounds"), [(1, 1), (2, 1), (1, 3)])
    def test_too_little_of_it(self, tmp_path, instances, rounds):
        summary = summary_of(tmp_path / "run", instances=instances, rounds=rounds)
        no_nonsense(summary)
        for found in comparisons(summary, primary=True):
            assert found.verdict == "inconclusive"
            assert found.scope == ("these instances" if instances == 1 else "program")

    def test_a_block_with_one_arm_only(self, tmp_path):
        folder = build_run(tmp_path / "run", block_s=0.5, status=None)
        journal = folder / "journal.jsonl"
        lines = [line for line in journal.read_text().splitlines() if '"trial"' in line]
        kept = journal.read_text().replace(lines[-1] + "\n", "").replace(lines[0] + "\n", "")
        journal.write_text(kept)
        summary = summarise(StoredRun.load(folder))
        no_nonsense(summary)
        assert sum(c.blocks for c in comparisons(summary, primary=True)) == 10

    def test_unknown_times_are_no_traceback(self, tmp_path):
        def forget(trial):
            return {**trial, "steady_start_ns": None, "app_cpu_s": None, "generator_wall_s": None}

        summary = summary_of(tmp_path / "run", edit_trial=forget)
        no_nonsense(summary)
        found = comparisons(summary, metric="capacity_per_s")[0]
        assert (found.verdict, found.change_pct) == ("inconclusive", None)

    def test_no_variation_at_all(self, tmp_path):
        silent = Noise(instance_sd=0, block_sd=0, drift_sd=0, request_sd=0, lag_ms=1e-9)

        def same_count(trial, columns):
            return {
                **columns,
                "done_ns": columns["arrival_ns"] + 4 * MS,
                "arrival_ns": columns["arrival_ns"],
            }

        summary = summary_of(tmp_path / "run", noise=silent, edit_samples=same_count)
        no_nonsense(summary)
        p95 = comparisons(summary, metric="response_ms.p95", primary=True)[0]
        assert p95.verdict == "inconclusive"
        assert "no variation" in p95.reasons[0]

    def test_an_arm_alone(self, tmp_path):
        summary = summary_of(tmp_path / "run", arms={"mine": SimulatedArm()})
        no_nonsense(summary)
        assert comparisons(summary) == []
        assert summary.valid
        assert summary.headline.startswith("mine alone")
        assert "requests per second" in summary.headline

    def test_an_arm_alone_that_fails_a_gate_is_invalid(self, tmp_path):
        summary = summary_of(tmp_path / "run", arms={"mine": SimulatedArm(error_share=0.5)})
        assert not summary.valid

    def test_three_arms_meet_the_first(self, tmp_path):
        arms = {"a": SimulatedArm(), "b": SimulatedArm(app="async"), "c": SimulatedArm()}
        summary = summary_of(tmp_path / "run", arms=arms)
        no_nonsense(summary)
        found = {(c.baseline, c.candidate) for c in comparisons(summary)}
        assert found == {("a", "b"), ("a", "c")}

    def test_a_failing_third_arm_spares_the_others(self, tmp_path):
        arms = {
            "a": SimulatedArm(),
            "b": SimulatedArm(app="async"),
            "c": SimulatedArm(error_share=0.5),
        }
        summary = summary_of(tmp_path / "run", arms=arms)
        assert {c.verdict for c in comparisons(summary, candidate="c")} == {"invalid"}
        assert "invalid" not in {c.verdict for c in comparisons(summary, candidate="b")}

    def test_each_scenario_is_judged_among_its_own_arms(self, tmp_path):
        arms = {
            "a": SimulatedArm(),
            "b": SimulatedArm(app="async", capacity_per_s=150.0, response_ms=8.0),
            "c": SimulatedArm(),
            "d": SimulatedArm(app="async"),
        }
        scenarios = [
            READ_ONE.model_copy(update={"name": "first", "arms": ("a", "b")}),
            READ_ONE.model_copy(update={"name": "second", "arms": ("d", "b", "c")}),
            READ_ONE.model_copy(update={"name": "third", "arms": ("c",)}),
        ]
        folder = build_run(tmp_path / "run", arms=arms, scenarios=scenarios, block_s=0.5)
        run = StoredRun.load(folder)
        summary = summarise(run)
        no_nonsense(summary)
        found = {
            each.name: {(c.baseline, c.candidate) for c in each.comparisons}
            for each in summary.scenarios
        }
        assert found == {"first": {("a", "b")}, "second": {("d", "b"), ("d", "c")}, "third": set()}
        assert run.pairs == (("a", "b"), ("d", "b"), ("d", "c"))
        for each, known in zip(summary.scenarios, ({*"ab"}, {*"bcd"}, {"c"}), strict=True):
            assert {r.arm for r in each.results} == known
            assert {g.arm for g in each.gates} == known | {None}
        primaries = comparisons(summary, primary=True)
        assert len(primaries) == len(interim(run)) == planned_primaries(run.spec) == 2 * 3
        for pair in ("b against a", "b against d", "c against d"):
            assert f"{pair}: not told apart" in summary.headline

    def test_a_url_is_these_instances(self, tmp_path):
        url = SimulatedArm(app=None, url="http://127.0.0.1:9000")
        summary = summary_of(
            tmp_path / "run", arms={"sync": SimulatedArm(), "there": url}, instances=4
        )
        no_nonsense(summary)
        for found in comparisons(summary):
            assert found.scope == "these instances"
            assert (found.instances, found.blocks) == (1, 8)
        cost = comparisons(summary, metric="cpu_ms_per_request")[0]
        assert (cost.verdict, cost.change_pct) == ("inconclusive", None)
        unchecked = {g.name for g in summary.scenarios[0].gates if g.ok is None}
        assert unchecked == {
            *("equal-settings", "equal-resources", "same-work", "tables"),
            *("server-count", "littles-law", "neighbours"),
            *("carry-over", "trend", "steady-state"),  # so few blocks could have seen too little
        }

    @pytest.mark.parametrize("load", [ClosedLoad(4), OpenLoad(100.0)])
    def test_one_load_only(self, tmp_path, load):
        summary = summary_of(tmp_path / "run", loads=(load,))
        no_nonsense(summary)
        assert len(comparisons(summary, primary=True)) == 1

    def test_a_staircase_has_one_primary_latency(self, tmp_path):
        loads = (ClosedLoad(16), OpenLoad(150.0), OpenLoad(50.0), OpenLoad(250.0))
        summary = summary_of(tmp_path / "run", loads=loads)
        assert [c.load for c in comparisons(summary, primary=True)] == ["closed-16", "open-150"]
        assert {c.load for c in comparisons(summary, metric="response_ms.p95")} == {
            "open-150",
            "open-50",
            "open-250",
        }

    def test_a_percentile_without_enough_beyond_it_is_not_shown(self, tmp_path):
        summary = summary_of(tmp_path / "run", loads=(OpenLoad(20.0),), rounds=1)
        result = summary.scenarios[0].results[0]
        assert result.response_ms.p50 is not None
        assert result.response_ms.p95 is None
        p95 = comparisons(summary, metric="response_ms.p95")[0]
        assert p95.verdict == "inconclusive"
        assert "needs 200" in p95.reasons[0]

    def test_a_missing_sample_file_is_said_in_the_answer(self, tmp_path):
        folder = build_run(tmp_path / "run", block_s=0.5, rounds=3)
        sample_file(folder, "read-one", "open-150", 2).unlink()
        summary = summarise(StoredRun.load(folder))
        no_nonsense(summary)
        assert summary.notes
        assert {c.rounds for c in comparisons(summary, load="open-150")} == {2}

    def test_an_arm_that_collapses_is_told_as_slower(self, tmp_path):
        """A deadlock answers next to nothing: most windows, and some instances, see no answer."""

        def deadlock(trial, columns):
            if (trial["arm"], trial["load"]) == ("async", "closed-16"):
                few = 8 if trial["trial"] % 3 == 0 else 0
                late = np.arange(len(columns["done_ns"])) >= few
                columns["done_ns"] = columns["done_ns"] + np.where(late, 5000 * MS, 0)
            return columns

        summary = summary_of(tmp_path / "run", instances=6, edit_samples=deadlock)
        no_nonsense(summary)
        found = comparisons(summary, metric="capacity_per_s")[0]
        assert (found.verdict, found.blocks) == ("slower", 12)
        assert found.ci95_pct[1] < -80
        assert "fewer requests per second" in summary.headline

    def test_an_arm_that_never_answers_in_time_is_slower_and_it_is_said_how_that_counts(
        self, tmp_path
    ):
        def too_late(trial, columns):
            if (trial["arm"], trial["load"]) == ("async", "closed-16"):
                columns["done_ns"] = columns["done_ns"] + 5000 * MS
            return columns

        summary = summary_of(tmp_path / "run", instances=8, edit_samples=too_late)
        found = comparisons(summary, metric="capacity_per_s")[0]
        assert found.verdict == "slower"
        assert found.ci95_pct[1] < -90
        assert any("no good answer in any measured window" in each for each in found.reasons)

    def test_your_own_locust_file_has_capacity_as_a_whole(self, tmp_path):
        folder = build_run(tmp_path / "run", block_s=0.5, loads=(ClosedLoad(8),))
        manifest = json.loads((folder / "manifest.json").read_text())
        scenario = manifest["spec"]["scenario"][0]
        scenario |= {"request": [], "about": None, "locustfile": "traffic.py"}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        summary = summarise(StoredRun.load(folder))
        no_nonsense(summary)
        assert {r.request for r in summary.scenarios[0].results} == {None, "read"}
        assert len(comparisons(summary, primary=True)) == 1


class TestHeadline:
    def test_all_inconclusive_says_what_it_could_have_seen(self, tmp_path):
        summary = summary_of(tmp_path / "run")
        assert {c.verdict for c in comparisons(summary, primary=True)} == {"inconclusive"}
        assert re.fullmatch(
            r"This run cannot tell async from sync: a difference of less than [\d to]+% "
            r"in capacity or [\d to]+% in p95 response time would not have shown\.",
            summary.headline,
        )

    def test_equivalence_names_the_margin(self, tmp_path):
        summary = summary_of(
            tmp_path / "run", instances=6, noise=QUIET, run={"equivalence_pct": 20.0}
        )
        assert "capacity the same within ±20%" in summary.headline

    def test_many_pairs_are_told_briefly(self, tmp_path):
        arms = {"a": SimulatedArm(capacity_per_s=400.0)}
        arms |= {name: SimulatedArm(capacity_per_s=90.0) for name in "bcde"}
        loads = (ClosedLoad(16),)
        summary = summary_of(tmp_path / "run", arms=arms, loads=loads, instances=6, noise=QUIET)
        assert summary.headline.startswith("Against a – b: 7")
        assert summary.headline.count("% fewer requests per second") == 4

    def test_of_several_pairs_each_is_a_line_with_what_is_decided(self):
        def told(candidate, verdict, change_pct, metric="capacity_per_s"):
            ci = None if change_pct is None else (change_pct - 1, change_pct + 1)
            return by_hand.comparison(
                metric, verdict, change_pct, ci, by_hand.CLOSED, candidate=candidate
            )

        one = by_hand.scenario(comparisons=(
            told("b", "faster", 31.0), told("c", "inconclusive", 2.0), told("d", "equivalent", 1.0),
            told("e", "inconclusive", 2.0), told("e", "slower", 1653.0, "response_ms.p95"),
        ))  # fmt: skip
        two = by_hand.scenario("crud-mix", comparisons=(told("b", "inconclusive", 3.0),))
        pairs = [("sync", each) for each in "bcdef"]
        said = headline([one, two], ["sync", *"bcdef"], pairs, 5.0, "complete")
        assert lines(said) == [
            "Against sync –",
            "b: 31% more requests per second (read-one), the rest not told apart",
            "c: not told apart",
            "d: the same within ±5%",
            "e: p95 response time 18 times as long, the rest not told apart",
            "f: not measured.",
        ]
        assert lines("Nothing was measured.") == ["Nothing was measured."]

    def test_unfinished_runs_say_so(self, tmp_path):
        summary = summary_of(tmp_path / "run", arms=DIFFERENT, status="interrupted")
        assert summary.headline.startswith("Not finished, so far: ")
        arms = ("sync", "async")
        assert headline(summary.scenarios, arms, [arms], 5.0, "complete") in summary.headline


def test_a_request_of_its_own_kind_is_judged(tmp_path):
    two = READ_ONE.model_copy(
        update={
            "about": "second",
            "request": (
                READ_ONE.request[0],
                READ_ONE.request[0].model_copy(update={"name": "second"}),
            ),
        }
    )
    summary = summary_of(tmp_path / "run", scenarios=[two])
    assert comparisons(summary, primary=True)[1].request == "second"
