"""What a run says of a scenario: one sentence per candidate, what is invalid first."""

import dataclasses

from reports import tables
from reports.model import Outlook
from reports.symbols import ARM_SYMBOLS, arm_symbol, verdict_symbol
from tests.support.sample_summary import CLOSED, comparison, scenario, summary


def told(candidate, verdict, metric="capacity_per_s", load=CLOSED):
    load = {} if metric != "capacity_per_s" else {"load": load}
    reasons = ("errors",) if verdict == "invalid" else ()
    return comparison(
        metric, verdict, 20.0, (10.0, 30.0), candidate=candidate, reasons=reasons, **load
    )


def answer_of(*comparisons) -> tables.Answer:
    [answer] = tables.answers(summary(scenario(comparisons=comparisons)), 5.0)
    return answer


def test_both_measures_of_a_candidate_are_one_sentence() -> None:
    answer = answer_of(told("a", "faster"), told("a", "slower", "response_ms.p95"))
    said = [text for _, text in answer.lines]
    assert said[0].startswith("With 16")
    assert said[0].endswith("more);")
    assert said[1].startswith("at 150")
    assert said[1].endswith("longer).")


def test_each_candidate_has_its_own_and_the_doubtful_one_is_first() -> None:
    answer = answer_of(
        told("a", "faster"),
        told("a", "faster", "response_ms.p95"),
        told("b", "faster"),
        told("b", "invalid", "response_ms.p95"),
    )
    assert [(row.candidate, row.verdict) for row in answer.rows] == [
        ("b", "invalid"), ("b", "faster"), ("a", "faster"), ("a", "faster"),
    ]  # fmt: skip
    assert [text[-1] for _, text in answer.lines] == [";", ".", ";", "."]
    assert answer_of().lines == []


def test_a_scenario_with_anything_invalid_stands_first() -> None:
    names = [each.scenario for each in tables.answers(summary(), 5.0)]
    assert names == ["crud-mix", "read-one", "fast-beside-slow"]


def test_what_twice_the_budget_would_find_stands_in_the_evidence() -> None:
    undecided = told("a", "inconclusive")
    ahead = dataclasses.replace(told("b", "inconclusive"), outlook=Outlook(5.6, 7.0))
    rows = tables.verdict_rows(summary(scenario(comparisons=(undecided, ahead))), 5.0, primary=True)
    table = tables.evidence_table(rows)
    assert table.columns[-3:] == ("Smallest effect", "twice the instances", "twice the rounds")
    assert [row[-3:] for row in table.rows] == [("4.0%", "–", "–"), ("4.0%", "5.6%", "7.0%")]


def test_signs_are_of_the_better_arm_or_of_the_verdict() -> None:
    arms = ("sync", "a")
    signs = {
        verdict: verdict_symbol(arms, answer_of(told("a", verdict)).rows[0])
        for verdict in ("faster", "slower", "equivalent", "inconclusive", "invalid")
    }
    assert signs == {
        "faster": "■", "slower": "●", "equivalent": "◆", "inconclusive": "○", "invalid": "✕",
    }  # fmt: skip
    assert arm_symbol(len(ARM_SYMBOLS)) == arm_symbol(0)
