"""What a selftest says of perfect, of biased and of broken instruments."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from loadtests.selftest.behaviour import NS_PER_S, Behaviour, Fate, Service, draw
from loadtests.selftest.cases import CASES
from loadtests.selftest.plan import planned, turns
from loadtests.selftest.record import NEVER, Case, Measured, Trial, WireTimes
from reports.selftest.judge import judge, judge_case
from reports.selftest.model import Check, Selftest
from reports.selftest.noise import about_the_host, remarks
from tests.support.selftest_trials import (
    START_NS,
    ideal,
    ideal_trial,
    trial_of,
    with_column,
    with_samples,
    without_sample,
)

BY_NAME = {case.name: case for case in CASES}
OPEN = [case.name for case in CASES if case.is_open and not case.pairs]
STALL = BY_NAME["stall"]


def checks_of(measured: Measured) -> dict[str, Check]:
    return {check.quantity: check for check in judge_case(measured).checks}


def as_selftest(*measured: Measured) -> Selftest:
    return judge(measured, created_utc="2026-01-01", facts={}, real_time=True, took_s=1.0)


@pytest.mark.parametrize("name", OPEN)
def test_a_perfect_instrument_is_within_every_limit(name: str) -> None:
    judged = judge_case(ideal(BY_NAME[name]))
    assert [check.why_off for check in judged.checks if not check.ok] == []
    assert all(check.aim_met is not False for check in judged.checks)
    for check in judged.checks:
        if check.unit == "ms" and check.quantity[0] == "p":
            assert check.measured == pytest.approx(check.theory, abs=1e-4)
    assert judged.remarks == ()


@pytest.mark.parametrize("name", ["constant", "M/M/1 0.8", "stall"])
def test_a_median_that_is_late_is_off(name: str) -> None:
    found = checks_of(ideal(BY_NAME[name], back_ns=450_000))
    assert not found["p50"].ok
    assert found["p50"].difference == pytest.approx(0.45)
    assert found["requests"].ok
    assert checks_of(ideal(BY_NAME[name], back_ns=150_000))["p50"].ok


def test_coordinated_omission_is_found_by_the_stall() -> None:
    """Response times that begin when a request was sent, and requests sent after the stall."""
    trial = ideal_trial(STALL)
    [(begin_ns, end_ns)] = trial.log.stalls_ns
    arrival_ns = trial.outcome.samples["arrival_ns"].to_numpy()
    sent_ns = np.where((arrival_ns > begin_ns) & (arrival_ns < end_ns), end_ns, arrival_ns)
    liar = with_column(trial, "arrival_ns", pa.array(sent_ns))
    found = checks_of(Measured(STALL, (liar,)))
    assert found["p99"].theory == pytest.approx(1805, abs=20)
    assert found["p99"].measured < 50
    assert not found["p99"].ok
    assert "due at another instant than planned" in found["requests"].why_off[0]


def test_late_sending_is_off_by_theory_though_the_log_agrees() -> None:
    case = BY_NAME["constant"]
    trial = ideal_trial(case)
    log = replace(
        trial.log,
        **{
            name: getattr(trial.log, name) + 2_000_000
            for name in ("read_ns", "start_ns", "due_ns", "end_ns")
        },
    )
    for name in ("sent_ns", "done_ns"):
        later = pa.array(trial.outcome.samples[name].to_numpy() + 2_000_000)
        trial = with_column(trial, name, later)
    found = checks_of(Measured(case, (replace(trial, log=log),)))
    assert found["p50"].difference == pytest.approx(0.0, abs=1e-6)
    assert found["p50"].ok
    assert found["p50 sent"].why_off == ("+2 ms from theory, at most 0.4 allowed",)


def kept_waiting(late_ms: float, share: float) -> Measured:
    """A share of the answers leaves later, and is recorded as it was."""
    case = BY_NAME["constant"]
    trial = ideal_trial(case)
    later_ns = np.where(np.arange(len(trial.log.key)) % 100 < 100 * share, round(1e6 * late_ms), 0)
    log = replace(trial.log, end_ns=trial.log.end_ns + later_ns)
    end_ns = dict(zip(log.key.tolist(), log.end_ns.tolist(), strict=True))
    keys = trial.outcome.samples["key"].to_pylist()
    recorded = with_column(trial, "done_ns", pa.array([end_ns[key] + 80_000 for key in keys]))
    return Measured(case, (replace(recorded, log=log),))


def test_pauses_of_server_and_machine_do_not_put_the_instrument_off() -> None:
    """A quiet machine's tail was once off by 2.28 ms from theory though it was recorded rightly."""
    judged = judge_case(kept_waiting(6.0, share=0.05))
    assert [check.why_off for check in judged.checks if not check.ok] == []
    [tail] = [check for check in judged.checks if check.quantity == "p99"]
    assert tail.server_own == pytest.approx(6.0)
    assert tail.difference == pytest.approx(0.08)
    assert "the server's own log is late (p99 +6.00 ms): the machine, not the instrument" in (
        judged.remarks
    )
    assert any(said.startswith("the known-answer server stalled for ") for said in judged.remarks)


def test_a_server_that_is_grossly_late_is_off_and_named() -> None:
    found = checks_of(kept_waiting(6.0, share=1.0))
    assert found["p50"].why_off == (
        "+6 ms by the server's own log (the machine, not the instrument: wait until it is "
        "quieter), at most 2 allowed",
    )
    assert not checks_of(kept_waiting(15.0, share=0.05))["p99"].ok


@pytest.mark.parametrize("name", [name for name in OPEN if name != "overload"])
def test_a_recorder_that_is_a_millisecond_late_is_off_in_every_case(name: str) -> None:
    found = checks_of(ideal(BY_NAME[name], back_ns=1_000_000))
    assert not found["p50"].ok


def test_a_recorder_that_is_early_is_off_though_the_server_was_late() -> None:
    """The server's lateness widens the limit to one side and as far as its log says, no further."""
    late = kept_waiting(1.5, share=1.0)
    [trial] = late.trials
    early_ns = pa.array(trial.outcome.samples["done_ns"].to_numpy() - 2_500_000)
    found = checks_of(Measured(late.case, (with_column(trial, "done_ns", early_ns),)))
    assert found["p50"].why_off == (
        "-2.42 ms from the server's log, at most 0.406 allowed".replace("0.406", "0.43"),
        "-0.92 ms from theory, at most 0.8 allowed",
    )


def test_a_lost_sample_is_found_though_the_generator_counts_without_it() -> None:
    case = BY_NAME["constant"]
    trial = ideal_trial(case)
    [check] = [
        check
        for check in judge_case(Measured(case, (without_sample(trial, 17),))).checks
        if check.quantity == "requests"
    ]
    assert check.log - check.measured == 1
    assert check.why_off[:2] == ("1 served but not recorded", "1 planned but not recorded")


def test_a_sample_recorded_twice_is_found_though_the_number_is_right() -> None:
    case = BY_NAME["constant"]
    trial = ideal_trial(case)
    samples = trial.outcome.samples
    doubled = pa.concat_tables([samples.slice(0, 5), samples.slice(4, 1), samples.slice(6)])
    found = checks_of(Measured(case, (with_samples(trial, doubled),)))
    assert found["requests"].difference == 0
    assert "1 recorded twice" in found["requests"].why_off


def test_counts_that_the_generator_says_must_be_those_of_its_samples() -> None:
    trial = ideal_trial(STALL)
    wrong = replace(trial, outcome=replace(trial.outcome, sent=trial.outcome.sent - 1))
    assert "2049 sent" in checks_of(Measured(STALL, (wrong,)))["requests"].why_off[0]


def test_errors_that_are_not_the_plan_s_are_found() -> None:
    case = BY_NAME["errors 1%"]
    trial = ideal_trial(case)
    all_well = with_column(trial, "ok", pa.array([True] * len(trial.log.key)))
    found = checks_of(Measured(case, (all_well,)))
    assert found["failed"].measured == 0
    assert found["failed"].theory == found["failed"].log > 5
    assert not found["failed"].ok


def test_a_request_on_a_connection_just_closed_may_fail_but_is_counted() -> None:
    case = BY_NAME["hangs up"]
    trial = ideal_trial(case)
    due_ns = trial.log.due_ns.copy()
    due_ns[50] = NEVER
    ok = trial.outcome.samples["key"].to_numpy() != trial.log.key[50]
    raced = replace(with_column(trial, "ok", pa.array(ok)), log=replace(trial.log, due_ns=due_ns))
    failed = checks_of(Measured(case, (raced,)))["failed"]
    assert (failed.theory, failed.log, failed.measured) == (None, 1, 1)
    assert failed.ok
    assert not checks_of(Measured(case, (replace(raced, log=trial.log),)))["failed"].ok


def test_a_request_that_is_given_up_too_soon_is_found() -> None:
    case = BY_NAME["timeouts"]
    trial = ideal_trial(case)
    hasty = with_column(
        trial, "done_ns", pa.array(trial.outcome.samples["done_ns"].to_numpy() - 1_000_000)
    )
    assert (
        "given up before their time" in checks_of(Measured(case, (hasty,)))["given up"].why_off[0]
    )


def two_arms(second_late_ns: int) -> Measured:
    case = BY_NAME["two arms"]
    trials = [
        replace(ideal_trial(case, seed=block, back_ns=second_late_ns * server), server=server)
        for block, server in turns(case.pairs)
    ]
    return Measured(case, tuple(trials))


def test_two_identical_arms_that_read_differently_are_found() -> None:
    assert checks_of(two_arms(40_000))["p50 2nd−1st"].aim_met
    assert not checks_of(two_arms(60_000))["p50 2nd−1st"].aim_met
    assert checks_of(two_arms(60_000))["p50 2nd−1st"].ok
    assert not checks_of(two_arms(160_000))["p50 2nd−1st"].ok


def test_two_arms_of_which_nothing_was_recorded_are_off() -> None:
    """No median is no difference, not a difference of nothing."""
    both = two_arms(0)
    for silent in ((0, 1), (1,)):
        trials = [
            with_samples(trial, trial.outcome.samples.slice(0, 0))
            if trial.server in silent
            else trial
            for trial in both.trials
        ]
        check = checks_of(Measured(both.case, tuple(trials)))["p50 2nd−1st"]
        assert check.measured is None
        assert check.why_off == ("nothing was measured",)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_no_case_passes_without_data(case: Case) -> None:
    nothing = np.empty(0, dtype=np.int64)
    trial = trial_of(case, planned(case, 1), nothing, nothing)
    silent = replace(trial, outcome=replace(trial.outcome, planned=0, sent=0, recorded=0))
    checks = judge_case(Measured(case, (silent,) if not case.pairs else (silent, silent))).checks
    assert [check.quantity for check in checks if check.ok and check.unit] == []
    assert not any(check.ok for check in checks if check.quantity == "requests")


def test_turns_are_balanced() -> None:
    assert turns(3) == [(0, 0), (0, 1), (1, 1), (1, 0), (2, 0), (2, 1)]
    assert turns(0) == [(0, 0)]


def test_the_wire_is_what_was_recorded_or_it_is_off() -> None:
    case = BY_NAME["wire"]
    trial = ideal_trial(case, back_ns=100_000)
    wire = WireTimes(trial.log.key, trial.log.read_ns - 50_000, trial.log.end_ns + 20_000)
    judged = judge_case(Measured(case, (trial,), wire))
    found = {check.quantity: check for check in judged.checks}
    assert found["p50 wire"].difference == pytest.approx(0.08)
    assert found["p50 wire"].aim_met
    assert found["p50"].aim_met is None  # packets see what the server's log cannot
    assert found["p50 wire"].ok
    assert "lay 0.050 ms" in judged.remarks[0]
    some = WireTimes(wire.key[1:], wire.asked_ns[1:], wire.answered_ns[1:] - 10_000_000)
    found = checks_of(Measured(case, (trial,), some))
    assert not found["p50 wire"].ok
    refused = judge_case(Measured(case, (trial,), WireTimes(why_not="not allowed here (…)")))
    assert "p50 wire" not in {check.quantity for check in refused.checks}
    assert refused.remarks == ("packet times on the loopback interface: not allowed here (…)",)


def test_a_stall_of_both_is_one_of_the_machine_and_named() -> None:
    case = BY_NAME["constant"]
    trial = ideal_trial(case)
    sent_ns = trial.outcome.samples["sent_ns"].to_numpy().copy()
    end_ns = trial.log.end_ns.copy()
    at = 400
    sent_ns[at] += 30_000_000
    place = int(np.flatnonzero(trial.log.key == trial.planned.keys[at])[0])
    end_ns[place] += 25_000_000
    log = replace(trial.log, end_ns=end_ns)
    noisy = replace(with_column(trial, "sent_ns", pa.array(sent_ns)), log=log)
    [said] = remarks(Measured(case, (noisy,)))
    assert said.startswith("the machine stalled for 45.0 ms, ")
    assert about_the_host([Measured(case, (trial,), None, 1.0, None)]) == ()
    hosted = [Measured(case, (trial,), None, steal, 40.0) for steal in (None, 5.0)]
    assert about_the_host(hosted) == (
        "the host took up to 5% of the time (steal), worst in constant; 1 cases in all",
        "up to 40% of the time somebody waited for a core, worst in constant; 2 cases in all",
    )


def test_nothing_recorded_is_off_and_never_nan() -> None:
    trial = ideal_trial(STALL)
    nothing = with_samples(trial, trial.outcome.samples.slice(0, 0))
    selftest = as_selftest(Measured(STALL, (nothing,)))
    assert not selftest.ok
    text = json.dumps(selftest.to_json(), allow_nan=False)
    assert "nothing was measured" in text
    assert not as_selftest().ok


def test_service_times_and_fates_come_from_the_seed_alone() -> None:
    behaviour = Behaviour(Service("bimodal", 0.005, 0.05, 0.1), failed_share=0.3, dropped_share=0.1)
    first, second, other = (draw(behaviour, seed) for seed in (1, 1, 2))
    assert first.service_ns.tolist() == second.service_ns.tolist()
    assert first.fate.tolist() == second.fate.tolist() != other.fate.tolist()
    share = {fate: float((first.fate == fate).mean()) for fate in Fate}
    assert share[Fate.FAILED] == pytest.approx(0.3, abs=0.01)
    assert share[Fate.DROPPED] == pytest.approx(0.1, abs=0.01)
    assert share[Fate.NEVER_ANSWERED] == 0
    assert set(first.service_ns.tolist()) == {5_000_000, 50_000_000}


def closed_trial(case: Case, gap_ns: int) -> Trial:
    """Users who ask again `gap_ns` after each answer, from the trial's start to its end."""
    plan = planned(case, 1)
    end_ns = START_NS + round((case.lead_in_s + case.steady_s) * NS_PER_S)
    free_ns = [START_NS] * case.users
    asked_ns: list[int] = []
    while (at_ns := min(free_ns)) < end_ns:
        free_ns[free_ns.index(at_ns)] = at_ns + int(plan.service_ns[len(asked_ns)]) + gap_ns
        asked_ns.append(at_ns)
    return trial_of(case, plan, np.array(asked_ns), np.arange(len(asked_ns)))


@pytest.mark.parametrize(("gap_ns", "aim_met", "ok"), [(0, True, True), (2_000_000, False, False)])
def test_users_who_lose_time_between_requests_are_found(gap_ns, aim_met, ok) -> None:
    """2 ms on 40 ms are 5% of the throughput, of which the server's log knows nothing."""
    case = BY_NAME["closed"]
    found = checks_of(Measured(case, (closed_trial(case, gap_ns),)))
    assert found["X"].log == found["X"].measured
    assert found["mean R"].measured == pytest.approx(found["mean R"].theory)
    assert (found["X"].aim_met, found["X"].ok) == (aim_met, ok)
