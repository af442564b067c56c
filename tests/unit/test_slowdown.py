"""`bench gate`: what passes, fails and cannot be told, and how much more it would take."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from loadtests.errors import UsageError
from loadtests.spreads import PRIOR, Spreads
from reports.model import CAPACITY, PRIMARY_LATENCY, Comparison, Spread, Summary
from reports.resolution import Replication, planned_primaries, resolvable_log
from reports.run_folder import load_run
from reports.slowdown.decide import decide, slowdown_interval
from reports.slowdown.demand import demand_of, demands, limit_log, power_of_each, share_needed
from reports.slowdown.markdown import render_comment
from reports.slowdown.model import Decision, Planned
from reports.slowdown.planned import planned_by
from reports.slowdown.terminal import print_decision
from reports.slowdown.words import headline
from reports.statistics import Estimate, adjusted_alpha, t_estimate
from reports.summarise import summarise
from tests.support.run_builder import SimulatedArm, build_run
from tests.support.sample_summary import CLOSED, OPEN, comparison, manifest, scenario, summary

CAP = Planned("read-one", CAPACITY, "sync", "async")
P95 = Planned("read-one", PRIMARY_LATENCY, "sync", "async")


def capacity(ci: tuple[float, float] | None, **kept) -> Comparison:
    middle = None if ci is None else sum(ci) / 2
    return comparison(CAPACITY, kept.pop("verdict", "inconclusive"), middle, ci, CLOSED, **kept)


def p95(ci: tuple[float, float] | None, **kept) -> Comparison:
    middle = None if ci is None else sum(ci) / 2
    return comparison(PRIMARY_LATENCY, kept.pop("verdict", "inconclusive"), middle, ci, **kept)


def of(*comparisons: Comparison, **kept) -> Summary:
    return summary(scenario(comparisons=comparisons), **kept)


def decision(*comparisons: Comparison, limit: float = 10.0, **kept) -> Decision:
    return decide(of(*comparisons, **kept), (CAP, P95), limit)


GOOD = p95((-4.0, 9.0))


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [
        ((-9.9, 3.0), "passed"),
        ((-10.0, 3.0), "passed"),  # exactly the limit is allowed
        ((-10.1, 3.0), "not enough data"),
        ((-30.0, -10.0), "not enough data"),
        ((-30.0, -10.1), "failed"),
        ((20.0, 40.0), "passed"),
        (None, "not enough data"),
    ],
)
def test_capacity_is_slower_when_there_is_less(ci, outcome: str) -> None:
    assert decision(capacity(ci), GOOD).outcome == outcome


@pytest.mark.parametrize(
    ("ci", "outcome"),
    [
        ((-30.0, 10.0), "passed"),
        ((-1.0, 10.1), "not enough data"),
        ((10.0, 30.0), "not enough data"),
        ((10.1, 30.0), "failed"),
        ((-60.0, -40.0), "passed"),
    ],
)
def test_response_time_is_slower_when_there_is_more(ci, outcome: str) -> None:
    assert decision(capacity((-2.0, 2.0)), p95(ci)).outcome == outcome


def test_a_slowdown_that_is_certain_but_allowed_passes() -> None:
    found = decision(
        capacity((-6.0, -2.0), verdict="slower"), p95((1.0, 4.0), verdict="equivalent")
    )
    assert found.outcome == "passed"
    assert [each.slowdown_ci95_pct for each in found.judged] == [(2.0, 6.0), (1.0, 4.0)]


@pytest.mark.parametrize(
    ("first", "second", "outcome"),
    [
        (capacity((-40.0, -20.0)), p95((-30.0, 30.0)), "failed"),
        (capacity((-40.0, -20.0)), p95((1.0, 2.0), verdict="invalid"), "failed"),
        (capacity((-1.0, 2.0)), p95((1.0, 2.0), verdict="invalid"), "invalid"),
        (capacity((-30.0, 30.0)), p95((1.0, 2.0), verdict="invalid"), "invalid"),
        (capacity((-40.0, -20.0), verdict="invalid"), GOOD, "invalid"),
        (capacity((-1.0, 2.0)), p95(None), "not enough data"),
    ],
)
def test_a_clear_failure_stands_and_nothing_invalid_passes(first, second, outcome: str) -> None:
    assert decision(first, second).outcome == outcome


def test_what_was_planned_and_not_measured_never_passes() -> None:
    found = decision(capacity((-1.0, 2.0)))
    assert found.outcome == "not enough data"
    (missing,) = found.those("not enough data")
    assert missing.planned == P95
    assert "not measured" in missing.reasons[0]
    secondary = replace(GOOD, primary=False)
    assert decision(capacity((-1.0, 2.0)), secondary).outcome == "not enough data"


def test_an_interrupted_run_may_fail_and_never_passes() -> None:
    cut = {"status": "interrupted"}
    assert decision(capacity((-1.0, 2.0)), GOOD, **cut).outcome == "not enough data"
    assert "interrupted" in headline(decision(capacity((-1.0, 2.0)), GOOD, **cut))
    assert decision(capacity((-40.0, -30.0)), GOOD, **cut).outcome == "failed"


def test_one_start_never_decides_and_a_url_does_with_a_remark() -> None:
    once = {"scope": "these instances", "instances": 1}
    for ci in ((-1.0, 2.0), (-40.0, -20.0)):
        one = capacity(ci, **once)
        alone = decide(of(one, GOOD), (CAP, P95), 10.0)
        assert alone.outcome == "not enough data"
        assert "another start of the same program" in printed(alone).replace("\n", " ")
        away = decide(of(one, GOOD), (CAP, P95), 10.0, {"async"})
        assert away.outcome == ("passed" if ci[0] > -10 else "failed")
        assert "one instance only (a URL)" in printed(away).replace("\n", " ")
        scopes = {e["metric"]: e["scope"] for e in away.to_json()["comparisons"]}
        assert scopes == {CAPACITY: "these instances", PRIMARY_LATENCY: "program"}
    invalid = decision(capacity((-1.0, 2.0), verdict="invalid", reasons=("errors",), **once), GOOD)
    assert invalid.outcome == "invalid"
    assert invalid.those("invalid")[0].reasons == ("errors",)


def test_one_candidate_of_several_is_enough_to_fail() -> None:
    others = (capacity((-1.0, 1.0), candidate="third"), GOOD)
    planned = (CAP, P95, replace(CAP, candidate="third"))
    found = decide(of(capacity((-40.0, -30.0)), *others), planned, 10.0)
    assert found.outcome == "failed"
    assert headline(found).startswith("Failed: async is slower by more than 10% in 1 of 3")


@given(st.lists(st.floats(-90, 200), min_size=2, max_size=2), st.floats(0, 99))
def test_a_wider_interval_never_decides_more(ends: list[float], limit: float) -> None:
    low, high = sorted(ends)
    narrow = decision(capacity((low, high)), GOOD, limit=limit).judged
    wide = decision(capacity((low - 1.0, high + 1.0)), GOOD, limit=limit).judged
    told = {each.planned.metric: each.outcome for each in wide}[CAPACITY]
    assert told in ("not enough data", {e.planned.metric: e.outcome for e in narrow}[CAPACITY])


def test_an_interval_of_slowdowns_has_its_ends_in_order() -> None:
    assert slowdown_interval(CAPACITY, (-5.0, 0.0)) == (0.0, 5.0)
    assert slowdown_interval(PRIMARY_LATENCY, (-5.0, 0.0)) == (-5.0, 0.0)


# What a run plans


def test_what_is_planned_is_what_the_intervals_are_adjusted_for(tmp_path: Path) -> None:
    arms = {name: SimulatedArm() for name in ("base", "new", "other")}
    run = load_run(build_run(tmp_path / "run", arms=arms, scenarios=("read-one", "crud-mix")))
    planned = planned_by(run)
    assert len(planned) == planned_primaries(run.spec) == 2 * 2 * 2
    compared = {
        Planned(each.name, c.metric, c.baseline, c.candidate)
        for each in summarise(run).scenarios
        for c in each.comparisons
        if c.primary
    }
    assert set(planned) == compared


def test_one_arm_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    run = load_run(build_run(tmp_path / "run", arms={"base": SimulatedArm()}))
    with pytest.raises(UsageError, match="nothing to compare"):
        planned_by(run)


# How often it fails falsely


def simulated(planned: tuple[Planned, ...], log_slowdowns: np.ndarray) -> Decision:
    """What the gate says of a run with these log ratios, worse ones positive: a row for every
    planned comparison, a column for every instance pair."""
    found = []
    for each, units in zip(planned, log_slowdowns, strict=True):
        estimate = t_estimate(-units if each.metric == CAPACITY else units)
        assert isinstance(estimate, Estimate)
        interval = estimate.interval_pct(adjusted_alpha(len(planned)))
        make = capacity if each.metric == CAPACITY else p95
        found.append(make(interval, candidate=each.candidate))
    return decide(of(*found), planned, 10.0)


@pytest.mark.parametrize("candidates", [1, 3])
def test_at_the_limit_itself_it_fails_and_passes_falsely_as_seldom_as_is_said(
    candidates: int,
) -> None:
    """All slower by exactly the limit, 8 pairs: any failure in at most 2.5% of runs, and each
    comparison passes in at most 2.5% over their number."""
    names = [f"new-{number}" for number in range(candidates)]
    planned = tuple(replace(each, candidate=name) for each in (CAP, P95) for name in names)
    at_limit = np.array([[limit_log(each.metric, 10.0)] for each in planned])
    random, runs = np.random.default_rng(1), 2000
    said = [
        simulated(planned, at_limit + random.normal(0.0, 0.08, (len(planned), 8)))
        for _ in range(runs)
    ]
    failed = np.mean([each.outcome == "failed" for each in said])
    passed = np.mean([len(each.those("passed")) / len(planned) for each in said])
    assert 0.01 < failed < 0.025 + 3 * np.sqrt(0.025 / runs)
    share = 0.025 / len(planned)
    assert share / 2 < passed < share + 3 * np.sqrt(share / (runs * len(planned)))


def test_a_run_with_a_comparison_beyond_the_limit_seldom_passes() -> None:
    """However good the other one is."""
    random, runs = np.random.default_rng(3), 2000
    middle = np.array([[limit_log(CAPACITY, 10.0)], [-0.5]])
    said = [simulated((CAP, P95), middle + random.normal(0.0, 0.08, (2, 8))) for _ in range(runs)]
    passed = np.mean([each.outcome == "passed" for each in said])
    assert 0.005 < passed < 0.0125 + 3 * np.sqrt(0.0125 / runs)


# How much more


def told(sd_pct: float, blocks_pct: float, instances: int, rounds: int, **kept) -> Comparison:
    """A capacity whose interval is what its spreads make it."""
    spreads = Spreads(sd_pct / 100, blocks_pct / 100)
    effect = resolvable_log(spreads, Replication(instances, rounds, 2))
    assert effect is not None
    return capacity(
        (-20.0, 20.0), mde_pct=100 * np.expm1(effect), instances=instances, rounds=rounds,
        blocks=instances * rounds, spread=Spread(sd_pct, blocks_pct), **kept,
    )  # fmt: skip


def test_the_demand_is_made_of_the_runs_own_spreads() -> None:
    demand = demand_of(told(6.0, 11.0, 10, 2), 2, 10.0)
    assert demand is not None
    assert demand.spreads.instance_sd == pytest.approx(0.06)
    assert demand.spreads.block_sd == pytest.approx(0.11)
    wanted = resolvable_log(demand.spreads, Replication(30, 2, 2), power_of_each(2))
    assert demand.share_needed(30, 2) == pytest.approx(wanted / -np.log(0.9))


def test_a_wider_interval_than_its_spreads_explain_asks_for_more() -> None:
    usual = told(6.0, 11.0, 10, 2)
    wide = demand_of(replace(usual, mde_pct=2 * usual.mde_pct), 2, 10.0)
    assert wide is not None
    assert wide.share_needed(30, 2) > 1.3 * demand_of(usual, 2, 10.0).share_needed(30, 2)


def test_few_pairs_that_seem_alike_are_not_believed_to_be() -> None:
    few, many = (demand_of(told(0.0, 11.0, n, 2), 2, 10.0) for n in (3, 28))
    assert few is not None
    assert many is not None
    assert few.spreads.instance_sd > 2 * many.spreads.instance_sd > 0


def test_a_url_is_one_instance_whatever_the_plan() -> None:
    seen = capacity((-9.0, 9.0), instances=1, blocks=30, mde_pct=12.0, scope="these instances")
    demand = demand_of(seen, 2, 10.0, {"async"})
    assert demand is not None
    assert demand.share_needed(4, 30) == pytest.approx(demand.share_needed(2, 60))


def test_an_arm_that_was_started_once_needs_more_starts_and_not_more_blocks() -> None:
    seen = capacity((-9.0, 9.0), instances=1, blocks=30, mde_pct=12.0, scope="these instances")
    demand = demand_of(seen, 2, 10.0)
    assert demand is not None
    assert demand.spreads.instance_sd == pytest.approx(PRIOR.instance_sd)
    assert demand.share_needed(1, 10_000) == float("inf")
    assert demand.share_needed(60, 2) < 1.0 < demand.share_needed(2, 60)


def test_more_comparisons_and_a_closer_limit_need_more() -> None:
    seen = told(6.0, 11.0, 10, 2)
    found = [
        demand_of(seen, n, limit).share_needed(20, 2) for n, limit in ((2, 10), (6, 10), (6, 5))
    ]
    assert found[0] < found[1] < found[2]
    assert demand_of(seen, 2, 0.0) is None


def test_the_plan_that_is_asked_for_passes_an_unchanged_revision() -> None:
    """Four times out of five, all comparisons together: simulated at the size that just does."""
    seen = of(told(6.0, 11.0, 10, 2), replace(told(6.0, 11.0, 10, 2), metric=PRIMARY_LATENCY))
    wanted = demands(seen.scenarios, (CAP, P95), 10.0)
    assert len(wanted) == 2
    instances = next(n for n in range(2, 200) if share_needed(wanted, n, 2) <= 1.0)
    assert share_needed(wanted, instances - 1, 2) > 1.0
    random, runs = np.random.default_rng(2), 2000
    pair_sd = np.sqrt(0.06**2 + 0.11**2 / 2)
    said = [simulated((CAP, P95), random.normal(0.0, pair_sd, (2, instances))) for _ in range(runs)]
    assert 0.77 < np.mean([each.outcome == "passed" for each in said]) < 0.93


# What is said


def printed(found: Decision, width: int = 80) -> str:
    out = io.StringIO()
    print_decision(found, Path("results/run"), Console(file=out, width=width))
    return out.getvalue()


def test_the_terminal_says_the_decision_first_and_fits() -> None:
    found = decision(capacity((-40.0, -20.0)), GOOD)
    lines = printed(found).splitlines()
    assert lines[0].startswith("Failed: async is slower by more than 10% in 1 of 2 comparisons")
    assert max(map(len, lines)) <= 80
    assert "FAILED" in printed(found)
    assert "results/run/report.html" in printed(found)


def test_a_comment_keeps_names_text_and_folds_the_rest() -> None:
    name = "<img src=x>|@team *x*"
    nasty = replace(CAP, scenario=name), replace(P95, scenario=name)
    said = summary(scenario(name, comparisons=(capacity((-40.0, -20.0)),)))
    text = render_comment(decide(said, nasty, 10.0), manifest(), Path("results/run"))
    page = MarkdownIt("commonmark").enable("table").render(text)
    assert text.startswith("### Failed: ")
    assert "<img" not in page
    assert "<em>" not in page
    assert "<td>&lt;img src=x&gt;|@team *x*</td>" in page
    assert "\\@team" in text
    rows = page[page.index("<table>") : page.index("</table>")].split("</tr>")[:-1]
    assert {row.count("</t") - row.count("</thead") - row.count("</tbody") for row in rows} == {6}
    assert text.index("</summary>") < text.index("bench run quick") < text.index("</details>")


def test_json_has_numbers_where_they_exist_and_null_else() -> None:
    told_json = json.loads(json.dumps(decision(capacity(None)).to_json(), allow_nan=False))
    assert told_json["outcome"] == "not enough data"
    first, second = told_json["comparisons"]
    assert {first["metric"], second["metric"]} == {CAPACITY, PRIMARY_LATENCY}
    assert first["slowdown_ci95_pct"] is second["load"] is None
    assert told_json["max_slowdown_pct"] == 10.0
    assert OPEN.load not in json.dumps(told_json)
