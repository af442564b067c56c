"""Gates: good runs pass, each kind of bad run fails its own gate and no verdict survives it."""

from __future__ import annotations

import numpy as np
import pytest

from loadtests.inspection import Inspection, InstanceFacts
from loadtests.sameness.record import Proof, Side
from loadtests.scenarios.catalogue import READ_ONE
from loadtests.scenarios.model import LoadSpec
from loadtests.spec import Arm
from loadtests.trials import ClosedLoad, OpenLoad
from reports.gates import send_lag_limit_ms, settings_gate
from reports.run_folder import StoredRun
from reports.same_work import same_work_gate
from tests.support.gates import BAD, gates_of, only_bad, summary_of
from tests.support.proofs import DIFFERENT_WORK, proof
from tests.support.run_builder import MS, SimulatedArm, build_run

LOADS = (ClosedLoad(16), OpenLoad(150.0))


@pytest.mark.parametrize("seed", range(5))
def test_good_runs_pass_every_gate(tmp_path, seed):
    summary = summary_of(tmp_path / "run", seed=seed, instances=6, rounds=3)
    assert summary.valid
    gates = [g for s in summary.scenarios for g in s.gates]
    unchecked = [g for g in gates if g.ok is None]
    assert [g for g in gates if g.ok is False] == []
    assert {g.name for g in unchecked} <= {"trend", "carry-over"}, "18 blocks tell little"
    assert all(g.detail.startswith("could only have seen") for g in unchecked)


@pytest.mark.parametrize(
    ("gate", "change"),
    [
        ("counts", lambda t: {"sent": t["sent"] - 1}),
        ("counts", lambda t: {"planned": t["planned"] + 1}),
        (
            "counts",
            lambda t: {
                "recorded": t["recorded"] + 1,
                "sent": t["sent"] + 1,
                "planned": t["planned"] + 1,
            },
        ),
        ("server-count", lambda t: {"server_requests": t["server_requests"] + 1}),
        ("server-count", lambda t: {"server_requests": t["server_requests"] - 1}),
        ("generator-cpu", lambda t: {"generator_cpu_s": 0.9 * t["generator_wall_s"]}),
        ("no-free-user", lambda t: {"no_free_user": 3}),
        ("drain", lambda t: {"left_in_flight": 2}),
        (
            "failed-trials",
            lambda t: {"state": "invalid", "reason": "exited"} if t["block"] % 3 == 0 else {},
        ),
        ("steal", lambda _: {"steal_pct": 30.0}),
        ("neighbours", lambda t: {"apps_busy_s": t["app_cpu_s"] + 0.8 * t["watched_s"]}),
        ("littles-law", lambda t: {"server_in_flight_s": 2.0 * t["server_in_flight_s"]}),
        ("littles-law", lambda t: {"server_in_flight_s": 0.2 * t["server_in_flight_s"]}),
    ],
)
def test_a_bad_arm_fails_its_gate_and_its_comparisons(tmp_path, gate, change):
    summary = summary_of(tmp_path / "run", edit_trial=only_bad(change))
    failed = gates_of(summary, gate)
    assert failed
    assert {g.arm for g in failed} == {BAD}
    for g in failed:
        assert g.value is None or g.limit is None or g.value > g.limit
    touched = {g.load for g in failed}
    primaries = [c for s in summary.scenarios for c in s.comparisons if c.primary]
    concerned = [c for c in primaries if c.load in touched]
    assert concerned
    assert all(c.verdict == "invalid" and gate in c.reasons[0] for c in concerned)
    assert not summary.valid


@pytest.mark.parametrize(
    ("gate", "change"),
    [
        ("server-count", {"server_requests": None}),
        ("generator-cpu", {"generator_cpu_s": None}),
        ("no-free-user", {"no_free_user": None}),
        ("counts", {"planned": None}),
        ("steal", {"steal_pct": None}),
        ("neighbours", {"apps_busy_s": None}),
        ("littles-law", {"server_in_flight_s": None}),
    ],
)
def test_what_is_not_known_could_not_be_checked(tmp_path, gate, change):
    summary = summary_of(tmp_path / "run", edit_trial=only_bad(lambda _: change))
    assert {g.arm for g in gates_of(summary, gate, None)} == {BAD}
    assert summary.valid


def test_too_many_errors(tmp_path):
    arms = {"sync": SimulatedArm(), BAD: SimulatedArm(app="async", error_share=0.01)}
    summary = summary_of(tmp_path / "run", arms=arms, rounds=4)
    failed = gates_of(summary, "errors")
    assert {g.arm for g in failed} == {BAD}
    assert "HTTP 500" in failed[0].detail
    allowed = summary_of(tmp_path / "allowed", arms=arms, rounds=4, run={"max_error_pct": 5})
    assert gates_of(allowed, "errors") == []
    remarks = [r for s in allowed.scenarios for c in s.comparisons for r in c.reasons]
    assert any("errors are not alike" in remark for remark in remarks)


def test_expected_errors_are_told_and_condemn_nobody_but_a_baseline(tmp_path):
    """Only capacity is compared then: it counts good answers alone."""
    failing = {"error_share": 0.4, "last_error": "lib.TimeoutError: limit of size 5 reached"}
    arms = {"sync": SimulatedArm(), BAD: SimulatedArm(app="async", capacity_per_s=90.0, **failing)}
    expecting = READ_ONE.model_copy(
        update={"expect_errors": True, "load": LoadSpec(model="closed", users=16)}
    )
    options = {"scenarios": [expecting], "loads": (ClosedLoad(16),), "instances": 6}
    summary = summary_of(tmp_path / "run", arms=arms, **options)
    [scenario] = summary.scenarios
    assert [(c.metric, c.verdict, c.primary) for c in scenario.comparisons] == [
        ("capacity_per_s", "slower", True)
    ]
    assert summary.valid
    errors = {g.arm: g for g in scenario.gates if g.name == "errors"}
    assert errors[BAD].ok
    assert "requests failed as the scenario expects, mostly: HTTP 500" in errors[BAD].detail
    assert "last words: lib.TimeoutError: limit of size 5 reached" in errors[BAD].detail
    assert (errors["sync"].limit, errors[BAD].limit) == (0.1, 100.0)
    said = {r.arm: r.last_error for r in scenario.results if r.request is None}
    assert said == {"sync": None, BAD: failing["last_error"]}

    worse = {"sync": SimulatedArm(**failing), BAD: SimulatedArm(app="async")}
    assert not summary_of(tmp_path / "worse", arms=worse, **options).valid


def test_timeouts_may_be_unknown_to_the_server(tmp_path):
    arms = {"sync": SimulatedArm(), BAD: SimulatedArm(app="async", timeout_share=0.05)}
    summary = summary_of(tmp_path / "run", arms=arms)
    assert gates_of(summary, "server-count") == []
    assert gates_of(summary, "errors")
    assert gates_of(summary, "drain") == []


def late(trials, by_ms):
    def edit(trial, columns):
        if trial["trial"] in trials and trial["load"].startswith("open"):
            shift = int(by_ms * MS)
            columns["sent_ns"] = columns["sent_ns"] + shift
            columns["done_ns"] = columns["done_ns"] + shift
        return columns

    return edit


def test_a_late_generator_fails(tmp_path):
    summary = summary_of(tmp_path / "run", edit_samples=late(range(1000), 2.0))
    assert {g.arm for g in gates_of(summary, "send-lag")} == {"sync", BAD}
    primaries = {c.metric: c for s in summary.scenarios for c in s.comparisons if c.primary}
    assert primaries["response_ms.p95"].verdict == "invalid"
    assert primaries["capacity_per_s"].verdict != "invalid"
    costs = [c for s in summary.scenarios for c in s.comparisons if c.metric.startswith("cpu")]
    assert all(c.verdict != "invalid" for c in costs)


def test_one_late_trial_is_set_aside_and_named(tmp_path):
    folder = build_run(tmp_path / "plain", block_s=0.5)
    trials = StoredRun.load(folder).trials_of("read-one", "open-150")
    one = int(trials["trial"].iloc[3])
    summary = summary_of(tmp_path / "run", edit_samples=late({one}, 50.0))
    assert gates_of(summary, "send-lag") == []
    told = [g.detail for g in gates_of(summary, "send-lag", True) if "setting aside" in g.detail]
    assert len(told) == 1
    assert f"trial {one}" in told[0]


def test_lag_must_be_small_beside_the_response_time_too(tmp_path):
    arms = {name: SimulatedArm(app=name, response_ms=1.0) for name in ("sync", BAD)}
    summary = summary_of(tmp_path / "run", arms=arms, edit_samples=late(range(1000), 0.7))
    failed = gates_of(summary, "send-lag")
    assert failed
    assert all(g.limit is not None and g.limit < 1.0 for g in failed)


@pytest.mark.parametrize(
    ("response_ms", "limit_ms"),
    [([4.0] * 100, 1.0), ([1.0] * 100, 0.5), ([20.0] * 90 + [80.0] * 10, 8.0), ([], 1.0)],
)
def test_lag_is_judged_beside_what_is_compared(response_ms, limit_ms):
    assert send_lag_limit_ms(np.array([*response_ms, np.nan])) == pytest.approx(limit_ms)


def test_a_request_without_answer_or_error_has_not_drained(tmp_path):
    def lose(trial, columns):
        if trial["trial"] == 0:
            columns["done_ns"] = [None, *columns["done_ns"][1:].tolist()]
            columns["ok"] = [False, *columns["ok"][1:].tolist()]
            columns["status"] = np.array([0, *columns["status"][1:]], dtype="int16")
        return columns

    assert gates_of(summary_of(tmp_path / "run", edit_samples=lose), "drain")


def test_missing_rows_are_noticed(tmp_path):
    def drop(trial, columns):
        if trial["trial"] == 0:
            return {name: column[:-1] for name, column in columns.items()}
        return columns

    assert gates_of(summary_of(tmp_path / "run", edit_samples=drop), "counts")


def test_a_saturated_arm_is_valid_and_says_so(tmp_path):
    def overload(trial, columns):
        if trial["arm"] == BAD and trial["load"].startswith("open"):
            waited = (columns["arrival_ns"] - columns["arrival_ns"][0]) // 2
            columns["done_ns"] = columns["done_ns"] + waited
        return columns

    summary = summary_of(tmp_path / "run", edit_samples=overload, rounds=4)
    p95 = next(c for s in summary.scenarios for c in s.comparisons if c.metric == "response_ms.p95")
    assert p95.verdict == "slower"
    assert any("async is saturated" in reason for reason in p95.reasons)
    assert not any(reason[:17] == "sync is saturated" for reason in p95.reasons)


class TestSettings:
    SYNC = Arm(name="sync", app="sync")
    ASYNC = Arm(name="async", app="async")

    def told(self, arm, **changed):
        keys = ("pool_size", "max_overflow", "pool_timeout_s", "threads", "admission")
        return {"settings": {**{key: getattr(arm, key) for key in keys}, **changed}}

    def gate(self, arm, **changed):
        told = {"sync": self.told(self.SYNC), arm.name: self.told(arm, **changed)}
        return self.judged(arm, told)

    def judged(self, arm, told, measured=(0,)):
        looks = [
            Inspection(
                round=-1,
                instances=tuple(
                    InstanceFacts(arm=name, instance=0, settings=(said or {}).get("settings"))
                    for name, said in told.items()
                ),
            )
        ]
        every = {"sync": measured, arm.name: measured}
        return settings_gate(arm, self.SYNC, told, looks, every)

    def test_equal_twins_pass(self):
        assert self.gate(self.ASYNC).ok

    def test_what_the_spec_names_is_what_is_compared(self):
        found = self.gate(Arm(name="big", app="sync", pool_size=40))
        assert found.ok
        assert "pool_size" in found.detail

    def test_an_arm_that_runs_otherwise_than_the_spec_says_fails(self):
        found = self.gate(self.ASYNC, pool_size=5)
        assert found.ok is False
        assert "pool_size = 5" in found.detail

    def test_a_difference_that_the_spec_does_not_know_fails(self):
        told = {
            "sync": {**self.told(self.SYNC), "runtime": {"gil": True}},
            "async": {**self.told(self.ASYNC), "runtime": {"gil": False}},
        }
        found = self.judged(self.ASYNC, told)
        assert found.ok is False
        assert "gil is False in async and True in sync" in found.detail

    def test_the_loop_that_runs_is_checked_against_the_spec(self):
        arm = Arm(name="async", app="async", loop="asyncio")
        told = {
            "sync": {**self.told(self.SYNC), "runtime": {"loop": "uvloop"}},
            "async": {**self.told(arm), "runtime": {"loop": "asyncio"}},
        }
        found = self.judged(arm, told)
        assert found.ok
        assert "loop" in found.detail
        told["async"]["runtime"]["loop"] = "uvloop"
        found = self.judged(arm, told)
        assert found.ok is False
        assert "async runs with loop = uvloop, the spec says asyncio" in found.detail

    def test_admission_0_may_be_told_as_what_the_pool_holds(self):
        assert self.gate(self.ASYNC, admission=10).ok
        assert self.gate(self.ASYNC, admission=11).ok is False

    @pytest.mark.parametrize("told", [{}, {"async": None}, {"async": {"settings": None}}])
    def test_a_silent_arm_could_not_be_checked(self, told):
        assert self.judged(self.ASYNC, {"sync": self.told(self.SYNC), **told}).ok is None

    def test_instances_that_never_told_are_not_vouched_for(self):
        told = {"sync": self.told(self.SYNC), "async": self.told(self.ASYNC)}
        found = self.judged(self.ASYNC, told, measured=(0, 1, 2))
        assert found.ok is None
        assert "only 2 of 6 instances told them" in found.detail


def given_up(trial, columns):
    """The last two requests of one open trial never got a user."""
    if trial["arm"] == BAD and trial["load"].startswith("open"):
        for name in ("ok", "status", "error", "sent_ns"):
            columns[name] = list(columns[name])
        for place in (-1, -2):
            columns["ok"][place], columns["status"][place] = False, 0
            columns["error"][place], columns["sent_ns"][place] = "timeout", None
    return columns


def two_unsent(trial):
    sent = trial["sent"] - 2 if trial["load"].startswith("open") else trial["sent"]
    return {"sent": sent, "server_requests": sent}


def test_requests_given_up_unsent_are_not_lost(tmp_path):
    """They are errors of the arm that held every user, and are told as such."""
    summary = summary_of(
        tmp_path / "run", edit_trial=only_bad(two_unsent), edit_samples=given_up, rounds=2
    )
    assert gates_of(summary, "counts") == []
    assert gates_of(summary, "server-count") == []
    assert {g.arm for g in gates_of(summary, "errors")} == {BAD}
    told = [g for g in gates_of(summary, "counts", True) if g.arm == BAD and "open" in g.load]
    assert told
    assert all("timed out while every user was busy" in g.detail for g in told)


def test_an_app_silent_once_is_still_counted(tmp_path):
    """One slow answer of /stats takes one trial out of the count, not the gate."""

    def silent_once(trial):
        return {"server_requests": None} if trial["trial"] < 8 else {}

    def and_one_missing(trial):
        return silent_once(trial) or {"server_requests": trial["server_requests"] - 1}

    good = summary_of(tmp_path / "good", edit_trial=only_bad(silent_once))
    assert gates_of(good, "server-count") == []
    assert any("did not tell" in g.detail for g in gates_of(good, "server-count", True))
    bad = summary_of(tmp_path / "bad", edit_trial=only_bad(and_one_missing))
    assert {g.arm for g in gates_of(bad, "server-count")} == {BAD}


class TestSameWork:
    def gate(self, *proofs, arm="async", baseline="sync"):
        return same_work_gate(arm, baseline, proofs)

    def test_twins_that_are_the_same_pass(self):
        found = self.gate(proof())
        assert found.ok
        assert found.detail == "interface, work and answers were equal before the run"

    @pytest.mark.parametrize("side", ["interface", "work", "answers"])
    def test_each_judged_side_fails_alone_with_words_and_remedy(self, side):
        found = self.gate(proof(**{side: DIFFERENT_WORK}))
        assert found.ok is False
        assert found.detail.startswith(DIFFERENT_WORK.detail)
        assert "test_twins_same.py" in found.detail

    def test_a_drifted_comment_makes_no_result_invalid(self):
        assert self.gate(proof(source=Side(ok=False, detail="line 3"))).ok

    def test_one_bad_session_of_a_resumed_run_is_enough(self):
        bad = proof(work=DIFFERENT_WORK)
        assert self.gate(bad, proof()).ok is False
        assert self.gate(proof(), bad).ok is False

    def test_what_could_not_be_told_in_one_session_is_not_told(self):
        doubt = proof(work=Side(ok=None, detail="no digests"))
        for proofs in ((doubt, proof()), (proof(), doubt)):
            found = self.gate(*proofs)
            assert (found.ok, found.detail) == (None, "no digests")

    def test_an_arm_that_is_no_twin_is_not_checked(self):
        others = Proof(not_checked={"mine": "not a twin", "sync": "no second twin"})
        found = self.gate(others, arm="mine")
        assert (found.ok, found.detail) == (
            None, "not checked (sync: no second twin; mine: not a twin)"
        )  # fmt: skip

    def test_a_run_that_did_not_look_is_not_checked(self):
        assert self.gate().ok is None
        assert self.gate(proof(), arm="third").ok is None

    def test_two_candidates_are_both_held_against_the_reference(self):
        three = proof(("a", "b", "c"), work=DIFFERENT_WORK)
        assert self.gate(three, arm="b", baseline="a").ok
        assert self.gate(three, arm="c", baseline="a").ok is False
        assert self.gate(three, arm="c", baseline="b").ok is False
        assert self.gate(three, arm="a", baseline="b").ok

    def test_a_difference_makes_every_verdict_between_them_invalid(self, tmp_path):
        summary = summary_of(tmp_path / "run", proofs=[proof(work=DIFFERENT_WORK)])
        assert not summary.valid
        comparisons = [c for s in summary.scenarios for c in s.comparisons]
        assert comparisons
        for each in comparisons:
            assert each.verdict == "invalid"
            assert each.reasons[0].startswith(f"same-work (async): {DIFFERENT_WORK.detail}")


def test_an_open_load_leaves_cores_to_others(tmp_path):
    summary = summary_of(
        tmp_path / "run",
        edit_trial=lambda t: {**t, "apps_busy_s": t["app_cpu_s"] + 0.9 * t["watched_s"]},
    )
    assert {g.load for g in gates_of(summary, "neighbours")} == {"closed-16"}
    assert {g.load for g in gates_of(summary, "neighbours", None)} == {"open-150"}


@pytest.mark.parametrize(("share", "told"), [(0.2, False), (0.5, True)])
def test_neighbours_whom_both_arms_met_are_told_and_condemn_nobody(tmp_path, share, told):
    summary = summary_of(
        tmp_path / "run",
        edit_trial=lambda t: {**t, "apps_busy_s": t["app_cpu_s"] + share * t["watched_s"]},
    )
    assert summary.valid
    reasons = [r for s in summary.scenarios for c in s.comparisons for r in c.reasons]
    told_of = [r for r in reasons if "others used the arms' cores, 50% while sync" in r]
    assert bool(told_of) is told
    assert not any("did not meet both alike" in r for r in reasons)


def test_neighbours_whom_one_arm_met_more_are_told_to_be_unlike(tmp_path):
    def crowd(trial):
        share = 0.6 if trial["arm"] == BAD else 0.3
        return {**trial, "apps_busy_s": trial["app_cpu_s"] + share * trial["watched_s"]}

    summary = summary_of(tmp_path / "run", edit_trial=crowd)
    reasons = [r for s in summary.scenarios for c in s.comparisons for r in c.reasons]
    assert any(
        "30% while sync was loaded and 60% while async was loaded" in r
        and "did not meet both alike" in r
        for r in reasons
    )
