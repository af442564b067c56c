"""When wrk is asked, what it is told to send, and what is made of its answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from loadtests.generator.messages import messages_for
from loadtests.scenarios.catalogue import BUILT_IN, CRUD_MIX, FAST_BESIDE_SLOW, READ_ONE
from loadtests.scenarios.model import Keys, LoadSpec, Request, Scenario
from loadtests.schedule import Limits, choose_sizes
from loadtests.second_opinion.alternate import alternate
from loadtests.second_opinion.plan import NotPlanned, Plan, plan_second_opinion
from loadtests.second_opinion.record import Opinion, Tool, Turn
from loadtests.second_opinion.script import lua_script
from loadtests.second_opinion.wrk import Counted
from loadtests.spec import Arm, Spec
from loadtests.trials import Target
from reports.second_opinion import judge_opinion, with_warnings
from tests.support.sample_summary import CLOSED, comparison, scenario

ARMS = (Arm(name="sync", app="sync"), Arm(name="async", app="async"))


def spec_of(*scenarios: Scenario, **run: Any) -> Spec:
    return Spec.model_validate(
        {
            "run": run,
            "arm": [arm.model_dump() for arm in ARMS],
            "scenario": [each.model_dump() for each in scenarios],
        }
    )


def planned(
    *scenarios: Scenario, measuring_s: float = 400.0, wrk: bool = True
) -> Plan | NotPlanned:
    return plan_second_opinion(spec_of(*scenarios), measuring_s, wrk=wrk)


def test_the_first_closed_load_of_plain_gets_is_asked_about() -> None:
    open_only = READ_ONE.model_copy(
        update={"name": "open", "load": LoadSpec(model="open", rate_per_s=9)}
    )
    plan = planned(CRUD_MIX, open_only, FAST_BESIDE_SLOW, READ_ONE)
    assert isinstance(plan, Plan)
    assert (plan.scenario, plan.users, plan.arms) == ("fast-beside-slow", 16, ("sync", "async"))


@pytest.mark.parametrize(
    "changed",
    [
        {"request": (Request(name="r", path="/{key}", keys=Keys(first=1, last=9, unique=True)),)},
        {"request": (Request(name="r", path="/", expect_status=(404,)),)},
        {"request": (Request(name="r", path="/", json_body={"a": 1}),)},
        {"request": (Request(name="r", path="/", method="HEAD"),)},
        {"load": LoadSpec(model="closed"), "expect_errors": True},
        {"request": (), "load": LoadSpec(model="closed"), "locustfile": "own.py"},
    ],
)
def test_what_wrk_cannot_send_or_judge_is_not_asked(changed: dict[str, Any]) -> None:
    plan = planned(READ_ONE.model_copy(update=changed))
    assert isinstance(plan, NotPlanned)
    assert "plain GET" in plan.reason


def test_where_wrk_is_missing_or_time_is_short_the_reason_says_so() -> None:
    for plan, word in (
        (planned(READ_ONE, wrk=False), "apt-get install wrk"),
        (planned(READ_ONE, measuring_s=60), "too short"),
    ):
        assert isinstance(plan, NotPlanned)
        assert word in plan.reason
        assert plan.seconds == 0


def test_its_time_is_a_share_of_the_budget_and_taken_from_the_rounds() -> None:
    spec = spec_of(READ_ONE, budget_s=400.0)
    without, with_wrk = (choose_sizes(spec, Limits(None, None, wrk=wrk)) for wrk in (False, True))
    assert isinstance(without.second_opinion, NotPlanned)
    assert 0 < with_wrk.second_opinion.seconds <= 0.08 * 400
    assert with_wrk.measuring_s + with_wrk.second_opinion.seconds <= 400
    fixed = choose_sizes(spec_of(READ_ONE, rounds=1, instances=1), Limits(None, None, wrk=True))
    assert isinstance(fixed.second_opinion, NotPlanned)
    assert fixed.rounds == 1


def test_the_script_holds_the_bytes_that_our_generator_sends() -> None:
    requests = [
        Request(name="a", path="/a?q={key}&again={key}", keys=Keys(first=3, last=5), weight=3),
        Request(name="b", path="/b", headers={"x-quote": 'say "\\" é'}),
    ]
    script = lua_script(requests, messages_for(requests, "http://h:1"), seed=2**40 + 5)
    assert '{ "GET /a?q=", "&again=", " HTTP/1.1\\013\\010host: h:1\\013\\010' in script
    assert "x-quote: say \\034\\092\\034 \\233\\013\\010" in script
    assert "local first = { 3, 0 }" in script
    assert "local last = { 5, 0 }" in script
    assert "local below = { 0.75, 1.0 }" in script
    assert "math.randomseed(5)" in script


def test_turns_of_an_arm_are_adjacent_and_each_tool_goes_first_as_often() -> None:
    plan = Plan("read-one", 16, ("sync", "async"), alternations=6)
    asked: list[tuple[str, Tool, int]] = []

    def tool(name: Tool) -> Callable[[Target, int], Counted]:
        def load(target: Target, seed: int) -> Counted:
            asked.append((target.arm, name, seed))
            return Counted(100.0, 0)

        return load

    targets = {arm: Target(arm, 0, "http://h:1") for arm in plan.arms}
    opinion = alternate(plan, targets, {"ours": tool("ours"), "wrk": tool("wrk")}, seed=1)
    pairs = [asked[n : n + 2] for n in range(0, len(asked), 2)]
    assert len(pairs) == 12
    assert all(first[0] == second[0] and first[2] == second[2] for first, second in pairs)
    assert all({first[1], second[1]} == {"ours", "wrk"} for first, second in pairs)
    for arm in plan.arms:
        assert sum(first[1] == "ours" for first, _ in pairs if first[0] == arm) == 3
    assert [(t.arm, t.tool) for t in opinion.turns] == [(arm, name) for arm, name, _ in asked]


def opinion_of(
    ours: float = 1.0,
    async_by_wrk: float = 1.0,
    spread: float = 0.01,
    count: int = 6,
    failed: int = 0,
) -> Opinion:
    """Turns in which ours sees `ours` times what wrk sees, and wrk sees the async arm faster by a
    factor that ours does not see."""
    rates: dict[tuple[Tool, str], float] = {
        ("ours", "sync"): 300 * ours, ("ours", "async"): 300 * ours,
        ("wrk", "sync"): 300, ("wrk", "async"): 300 * async_by_wrk,
    }  # fmt: skip
    return Opinion(
        scenario="read-one",
        users=16,
        arms=("sync", "async"),
        turns=tuple(
            Turn(arm=arm, number=n, tool=tool, failed=failed,
                 per_s=rate * math.exp(spread * math.sin(7 * n + 3 * place)))
            for n in range(count)
            for place, ((tool, arm), rate) in enumerate(rates.items())
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("opinion", "word", "said"),
    [
        (opinion_of(), "agrees", "the same capacity as our generator within 3%"),
        (opinion_of(ours=0.9), "differs", "another capacity than wrk"),
        (opinion_of(spread=0.2), "cannot tell", "too few turns"),
        (opinion_of(count=1), "cannot tell", "too few turns"),
        (opinion_of(failed=1), "cannot tell", "requests failed"),
        (Opinion(not_made="wrk is not installed"), "not made", "wrk is not installed."),
        (Opinion(), "not made", "nothing was measured"),
    ],
)
def test_what_is_made_of_it(opinion: Opinion, word: str, said: str) -> None:
    judged = judge_opinion(opinion)
    assert judged.word == word
    assert said in judged.detail
    assert judged.pairs == (len(opinion.turns) // 2 if "failed" not in said else 0)


def test_the_difference_is_ours_relative_to_wrk_s() -> None:
    judged = judge_opinion(opinion_of(ours=0.9))
    assert judged.difference_pct == pytest.approx(-10, abs=1)
    assert judged.ci95_pct is not None
    assert judged.ci95_pct[0] < judged.difference_pct < judged.ci95_pct[1]


def test_a_difference_of_arms_that_wrk_contradicts_is_warned_of_and_changes_no_verdict() -> None:
    judged = judge_opinion(opinion_of(async_by_wrk=1.3))
    [arms] = judged.arms
    assert arms.contradict
    assert arms.wrk_change_pct == pytest.approx(30, abs=2)
    assert "contradict each other" in judged.detail
    capacity = comparison("capacity_per_s", "faster", 12.0, (8.0, 16.0), CLOSED)
    before = scenario("read-one", comparisons=(capacity,))
    [after] = with_warnings([before], judged)
    [warned] = after.comparisons
    assert warned.verdict == "faster"
    assert warned.reasons[:-1] == capacity.reasons
    assert warned.reasons[-1].startswith("wrk saw another difference (+29%")
    others = (scenario("read-page", comparisons=(capacity,)), before)
    assert with_warnings(others, judge_opinion(opinion_of())) == others
    assert with_warnings(others[:1], judged) == others[:1]
    assert with_warnings(others, None) == others


def test_alike_arms_are_not_warned_of_though_the_tools_differ() -> None:
    [arms] = judge_opinion(opinion_of(ours=0.8)).arms
    assert not arms.contradict


def test_every_built_in_scenario_of_gets_can_be_written_as_a_script() -> None:
    plain = [each for each in BUILT_IN.values() if isinstance(planned(each), Plan)]
    assert {"read-one", "read-page", "fast-beside-slow"} <= {each.name for each in plain}
    for each in plain:
        assert "GET /" in lua_script(each.request, messages_for(each.request, "http://h:1"), 1)
