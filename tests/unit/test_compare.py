"""Comparing stored runs: what may be claimed and what not, whatever the runs are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from loadtests.plan import ClosedLoad, OpenLoad
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.scenarios.model import LoadSpec, Scenario
from reports.compare.charts import draw_charts
from reports.compare.loads import matching_load
from reports.compare.model import Compared
from reports.compare.read import read_run
from reports.compare.sentences import claim_sentence, ground_words
from reports.model import LoadFacts
from tests.support.compared_runs import (
    CAPACITY,
    P95,
    arms,
    claim,
    comparison_of,
    made,
    numbers,
    question,
)
from tests.support.run_builder import TWINS, Columns, Noise, SimulatedArm, Trial

SLOWER = 0.7


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("compared")


@pytest.fixture(scope="module")
def first(here: Path) -> Path:
    return made(here / "first")


@pytest.fixture(scope="module")
def again(here: Path) -> Path:
    return made(here / "again", seed=2)


def rewritten(folder: Path, **changed: object) -> Path:
    """The run with other facts in its manifest."""
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    return folder


def differing(answer: Compared) -> dict[str, list[str]]:
    return {g.title: [d.name for d in g.differences] for g in answer.setup if g.differences}


def test_two_seeds_of_the_same_differ_in_the_seed_and_claim_nothing(
    first: Path, again: Path
) -> None:
    answer = comparison_of(first, again)
    assert differing(answer) == {"Seed": ["seed"]}
    assert [run.what for run in answer.runs] == ["seed 1", "seed 2"]
    assert [run.answer_from for run in answer.runs] == ["summary.json", "summary.json"]
    claims = [claim(answer, metric) for metric in (CAPACITY, P95)]
    assert {each.verdict for each in claims} <= {"equivalent", "inconclusive"}
    assert {each.through for each in claims} == {"sync"}
    assert answer.primary_claims == 2
    assert ground_words(answer.setup, answer.doubts).startswith("Nothing that is known")
    assert "differ in seed" in answer.headline


def test_a_candidate_that_lost_is_found_through_the_arm_in_common(here: Path, first: Path) -> None:
    lost = made(here / "lost", seed=3, arms=arms(async_={"capacity_per_s": 300.0 * SLOWER}))
    answer = comparison_of(first, lost)
    found = claim(answer)
    assert (found.verdict, found.through, found.subject) == ("changed", "sync", "async")
    assert found.change_pct == pytest.approx(100 * (SLOWER - 1), abs=6)
    assert found.ci95_pct is not None
    assert found.ci95_pct[0] < 100 * (SLOWER - 1) < found.ci95_pct[1] < 0
    said = claim_sentence(question(answer, CAPACITY), found, 5.0)
    assert "async's capacity relative to sync's is" in said
    assert "lower in B than in A" in said
    assert claim(comparison_of(lost, first)).change_pct == pytest.approx(
        100 * (1 / (1 + (found.change_pct or 0) / 100) - 1), abs=0.01
    )


def test_a_slower_machine_is_no_change_however_far_the_numbers_are_apart(
    here: Path, first: Path
) -> None:
    half = {"capacity_per_s": 150.0}
    slow = made(here / "slow", seed=4, arms=arms(sync=half, async_=half))
    rewritten(slow, database={"kind": "docker", "flavour": "mysql", "version": "8.4.3"})
    answer = comparison_of(first, slow)
    assert claim(answer).verdict in ("equivalent", "inconclusive")
    values = {
        (each.letter, each.arm): each.value for each in answer.absolutes if each.metric == CAPACITY
    }
    assert (values["B", "sync"] or 0) < 0.6 * (values["A", "sync"] or 0)
    assert answer.runs[1].what.startswith("MySQL 8.4.3")
    told = ground_words(answer.setup, answer.doubts)
    assert "database changed" in told
    assert "not whether either became faster" in told


def test_without_an_arm_in_common_there_is_no_claim_and_the_words_say_why(
    here: Path, first: Path
) -> None:
    settings = {"settings": {"pool_size": 20}}
    other = made(here / "other-pools", seed=5, arms=arms(sync=settings, async_=settings))
    found = claim(comparison_of(first, other))
    assert (found.verdict, found.through, numbers(found)) == ("no claim", None, (None,) * 4)
    assert "no arm in common" in found.reasons[0]
    assert "pool size 10 against 20" in found.reasons[0]


def test_where_the_baseline_differs_the_candidate_is_the_arm_in_common(
    here: Path, first: Path
) -> None:
    """Then the claim is about the baseline, the other way round."""
    changed = {"settings": {"threads": 80}, "capacity_per_s": 300.0 * SLOWER}
    other = made(here / "other-baseline", seed=6, arms=arms(sync=changed))
    found = claim(comparison_of(first, other))
    assert (found.verdict, found.through, found.subject) == ("changed", "async", "sync")
    assert found.change_pct == pytest.approx(100 * (SLOWER - 1), abs=6)
    assert found.subject_differs == ("threads 40 against 80",)


def test_runs_whose_arms_stand_in_another_order_are_compared_alike(here: Path, first: Path) -> None:
    turned = dict(reversed(arms(async_={"capacity_per_s": 300.0 * SLOWER}).items()))
    other = made(here / "turned", seed=7, arms=turned)
    found = claim(comparison_of(first, other))
    assert (found.verdict, found.through, found.subject) == ("changed", "sync", "async")
    assert found.change_pct == pytest.approx(100 * (SLOWER - 1), abs=6)


def test_the_only_arm_that_is_left_over_stands_for_the_other(here: Path, first: Path) -> None:
    renamed = {"sync": TWINS["sync"], "mine": replace(TWINS["async"], settings={"pool_size": 5})}
    found = claim(comparison_of(first, made(here / "renamed", seed=8, arms=renamed)))
    assert (found.through, found.subject, found.other_subject) == ("sync", "async", "mine")
    assert found.subject_differs == ("pool size 10 against 5",)
    assert found.ci95_pct is not None


def test_a_failed_comparison_gives_no_ratio_anywhere(here: Path, first: Path) -> None:
    failing = made(here / "failing", seed=9, arms=arms(async_={"error_share": 0.2}))
    answer = comparison_of(first, failing)
    for metric in (CAPACITY, P95):
        asked = question(answer, metric)
        found = claim(answer, metric)
        assert (found.verdict, numbers(found)) == ("invalid", (None,) * 4)
        assert "invalid in B" in found.reasons[0]
        own = asked.within[1]
        assert (own.verdict, own.change_pct, own.ci95_pct) == ("invalid", None, None)
    failed = {(e.letter, e.arm) for e in answer.absolutes if not e.valid}
    assert failed == {("B", "async")}


def test_another_scenario_under_the_same_name_forbids_a_comparison(here: Path, first: Path) -> None:
    other = BUILT_IN["read-one"].model_copy(update={"timeout_s": 3.0})
    answer = comparison_of(first, made(here / "redefined", seed=10, scenarios=[other]))
    found = claim(answer)
    assert (found.verdict, numbers(found)) == ("no claim", (None,) * 4)
    assert "defined differently (timeout s)" in found.reasons[0]
    assert {each.why for each in answer.obstacles} == {found.reasons[0]}
    assert "timeout" in differing(answer)["Scenarios"][0]


@pytest.mark.parametrize(
    ("load", "metric", "said"),
    [
        (ClosedLoad(32), CAPACITY, "16 users against 32 users"),
        (OpenLoad(90.0), P95, "150/s against 90/s"),
    ],
)
def test_another_load_forbids_a_comparison(
    here: Path, load: ClosedLoad | OpenLoad, metric: str, said: str
) -> None:
    mine = ClosedLoad(16) if metric == CAPACITY else OpenLoad(150.0)
    one = made(here / f"one-{load.name}", instances=3, loads=[mine])
    two = made(here / f"two-{load.name}", seed=2, instances=3, loads=[load])
    found = claim(comparison_of(one, two), metric)
    assert (found.verdict, numbers(found)) == ("no claim", (None,) * 4)
    assert said in found.reasons[0].replace("\u00a0", " ")


def queued(ground: float) -> Callable[[Trial, Columns], Columns]:
    """Answers of queues with one server, async's faster by 20%, both slower by the ground."""

    def edit(trial: Trial, columns: Columns) -> Columns:
        random = np.random.default_rng([trial["trial"], 7])
        capacity_per_s = ground * {"sync": 300.0, "async": 360.0}[trial["arm"]]
        service_ns = random.exponential(1e9 / capacity_per_s, len(columns["sent_ns"]))
        used_ns = np.cumsum(service_ns)
        idle_until_ns = np.maximum.accumulate(columns["sent_ns"] - (used_ns - service_ns))
        return {**columns, "done_ns": (idle_until_ns + used_ns).astype("int64")}

    return edit


MYSQL = {"kind": "docker", "flavour": "mysql", "version": "8.4.3"}
QUEUES: dict[str, Any] = {"instances": 6, "block_s": 10.0, "noise": Noise(0, 0, 0, lag_ms=0.01)}
SLOWER_RATE = "part of this change may be that"


def queues(folder: Path, seed: int, rate_per_s: float, ground: float, **kept: Any) -> Path:
    loads = kept.pop("loads", [ClosedLoad(16), OpenLoad(rate_per_s)])
    return made(folder, seed, loads=loads, edit_samples=queued(ground), **{**QUEUES, **kept})


def test_of_queues_at_one_share_a_slower_ground_is_no_change_and_both_rates_are_named(
    here: Path,
) -> None:
    """(360 - 150) / (300 - 150) is (252 - 105) / (210 - 105)."""
    usual = queues(here / "half", 1, 150.0, 1.0)
    slow = rewritten(queues(here / "half-slow", 2, 105.0, SLOWER), database=MYSQL)
    answer = comparison_of(usual, slow)
    found = claim(answer, P95)
    assert found.ci95_pct is not None
    assert found.ci95_pct[0] < 0 < found.ci95_pct[1]
    assert found.change_pct == pytest.approx(0.0, abs=6), "at one rate it is -18%"
    assert found.verdict in ("equivalent", "inconclusive")
    said = " ".join(found.reasons).replace("\u00a0", " ")
    assert "(150/s against 105/s), but the same share" in said
    assert SLOWER_RATE not in said
    assert not answer.obstacles


def test_of_queues_at_one_rate_a_slower_ground_looks_like_a_change_and_the_claim_says_so(
    here: Path,
) -> None:
    """(360 - 150) / (300 - 150) is 1.4, and (252 - 150) / (210 - 150) is 1.7."""
    loads = {"loads": [OpenLoad(150.0)], "instances": 8, "block_s": 20.0}
    usual = queues(here / "rate", 1, 150.0, 1.0, **loads)
    slow = rewritten(queues(here / "rate-slow", 2, 150.0, SLOWER, **loads), database=MYSQL)
    found = claim(comparison_of(usual, slow), P95)
    assert found.verdict == "changed"
    assert found.change_pct == pytest.approx(100 * (1.4 / 1.7 - 1), abs=6)
    [said] = [each.replace("\u00a0", " ") for each in found.reasons if SLOWER_RATE in each]
    assert said.startswith("150/s in both runs, but database changed: at one rate a slower ground")


def test_at_one_rate_on_the_same_ground_there_is_nothing_to_remark(here: Path) -> None:
    one, two = (
        made(here / f"fixed-{seed}", seed, instances=3, loads=[OpenLoad(150.0)]) for seed in (1, 2)
    )
    found = claim(comparison_of(one, two), P95)
    assert found.ci95_pct is not None
    assert SLOWER_RATE not in " ".join(found.reasons)


def test_a_chosen_rate_is_not_compared_with_a_fixed_one(here: Path, first: Path) -> None:
    fixed = made(here / "fixed", seed=2, instances=3, loads=[OpenLoad(150.0)])
    found = claim(comparison_of(first, fixed), P95)
    assert (found.verdict, numbers(found)) == ("no claim", (None,) * 4)
    assert "as a share of capacity against" in found.reasons[0]


def test_auto_loads_meet_at_their_share_and_not_at_their_rate() -> None:
    first, second = (
        Scenario(name="s", load=LoadSpec(open_shares=shares), request=BUILT_IN["read-one"].request)
        for shares in ((0.5, 0.8), (0.4, 0.5))
    )
    ours, theirs = (
        [LoadFacts(f"open-{rate:g}", "open", None, rate) for rate in rates]
        for rates in ((100.0, 160.0), (100.0, 125.0))
    )
    met = [matching_load(each, ours, theirs, first, second) for each in ours]
    assert met == [theirs[1], None]


def test_windows_of_another_length_are_told(here: Path, first: Path) -> None:
    longer = made(here / "longer", seed=18, instances=3, block_s=1.5)
    found = claim(comparison_of(first, longer))
    assert found.ci95_pct is not None
    assert "windows are not of the same length (1 s against 1.5 s)" in found.reasons


def test_scenarios_that_only_one_run_has_stand_by_themselves(here: Path, first: Path) -> None:
    more = made(here / "more", seed=12, instances=3, scenarios=["read-page", "read-one"])
    answer = comparison_of(more, first)
    assert claim(answer).ci95_pct is not None
    assert differing(answer)["Scenarios"] == ["read-page"]
    assert "Loads" not in differing(answer)
    assert claim(answer, scenario="read-page").reasons == ("B has no scenario read-page",)
    other_way = comparison_of(first, more)
    alone = question(other_way, CAPACITY, "read-page")
    assert [each.letter for each in alone.within] == ["B"]
    assert alone.claims[0].verdict == "no claim"


def test_of_three_runs_the_first_is_the_reference(here: Path, first: Path, again: Path) -> None:
    third = made(here / "third", seed=13)
    answer = comparison_of(first, again, third)
    pairs = [(each.reference, each.other) for each in question(answer, CAPACITY).claims]
    assert pairs == [("A", "B"), ("A", "C")]
    assert answer.primary_claims == 4  # whose intervals are wider for it
    two = claim(comparison_of(first, again))
    three = question(answer, CAPACITY).claims[0]
    assert two.ci95_pct is not None
    assert three.ci95_pct is not None
    assert three.ci95_pct[0] < two.ci95_pct[0]
    assert three.ci95_pct[1] > two.ci95_pct[1]


def test_an_old_answer_is_made_again_from_the_samples_with_the_same_numbers(
    here: Path, first: Path, again: Path
) -> None:
    old = Path(shutil.copytree(again, here / "old"))
    summary = json.loads((old / "summary.json").read_text())
    for scenario in summary["scenarios"]:
        for each in scenario["comparisons"]:
            del each["log_standard_error"], each["degrees_of_freedom"]
    (old / "summary.json").write_text(json.dumps(summary))
    answer = comparison_of(first, old)
    assert [run.answer_from for run in answer.runs] == ["summary.json", "samples"]
    assert "older version" in answer.runs[1].remarks[0]
    assert answer.questions == comparison_of(first, again).questions


def test_an_interrupted_run_is_compared_as_far_as_it_came_and_named(
    here: Path, first: Path
) -> None:
    cut = made(here / "cut", seed=14, status="interrupted")
    answer = comparison_of(first, cut)
    assert answer.runs[1].status == "interrupted"
    assert "interrupted" in answer.runs[1].remarks[0]
    assert claim(answer).ci95_pct is not None


def test_an_arm_that_only_one_run_has_is_named(here: Path, first: Path) -> None:
    three = {**TWINS, "third": TWINS["async"]}
    answer = comparison_of(made(here / "three", seed=16, instances=3, arms=three), first)
    said = {each.claims[0].reasons[0] for each in answer.questions if each.primary}
    assert "B has no arm third" in said


def test_runs_of_one_arm_alone_stand_side_by_side(here: Path) -> None:
    alone = {"sync": TWINS["sync"]}
    answer = comparison_of(
        made(here / "alone-1", instances=3, arms=alone),
        made(here / "alone-2", seed=2, instances=3, arms=alone),
    )
    assert answer.questions == ()
    assert "no primary comparison in common" in answer.headline
    assert len(answer.absolutes) == 4


def test_a_run_that_measured_nothing_claims_nothing(here: Path, first: Path) -> None:
    nothing = made(here / "nothing", seed=17, rounds=0, status=None)
    answer = comparison_of(first, nothing)
    found = claim(answer)
    assert numbers(found) == (None,) * 4
    assert found.verdict == "inconclusive"
    assert found.reasons[0].startswith("B has no interval of its own")
    assert all(each.value is None for each in answer.absolutes if each.letter == "B")
    draw_charts(answer, [read_run(first), read_run(nothing)])


def test_secrets_are_masked_whoever_wrote_the_manifest(here: Path, first: Path) -> None:
    careless = made(here / "careless", seed=15)
    manifest = json.loads((careless / "manifest.json").read_text())
    manifest["database"]["address"] = "mysql://bench:hunter2@db/x"
    manifest["database"]["url"] = "mysql://bench:hunter2@db/x"
    manifest["spec"]["run"]["database"] = "mysql://bench:hunter2@db/x"
    manifest["spec"]["arm"][0]["env"] = {"API_TOKEN": "hunter2", "LEVEL": "hunter2"}
    rewritten(careless, **manifest)
    answer = comparison_of(first, careless)
    assert "hunter2" not in json.dumps(answer.to_json())
    assert "***" in json.dumps(answer.to_json())


def test_nothing_that_differs_is_not_the_same_thing_where_that_cannot_be_known(here: Path) -> None:
    urls = {
        name: SimulatedArm(app=None, url=f"http://{name}.example.org") for name in ("base", "new")
    }
    one, two = (made(here / f"urls-{seed}", seed, instances=3, arms=urls) for seed in (1, 2))
    answer = comparison_of(one, two)
    told = ground_words(answer.setup, answer.doubts)
    assert told.startswith("Nothing that is known")
    assert "is the same thing in all of them is open: base is a URL: whether the same" in told
    assert "so that the common arm is the same thing" not in told
    assert len(answer.doubts) == 2
