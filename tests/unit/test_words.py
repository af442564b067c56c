"""Numbers and verdicts as people read them."""

import dataclasses

import pytest

from reports import verdict_words, words
from tests.support.sample_summary import CLOSED, OPEN, comparison


def plain(text: str) -> str:
    return text.replace(words.NBSP, " ")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0 ms"),
        (0.0421, "0.042 ms"),
        (0.4213, "0.42 ms"),
        (4.213, "4.2 ms"),
        (9.96, "10 ms"),
        (42.13, "42 ms"),
        (999.6, "1.0 s"),
        (12_345.0, "12 s"),
    ],
)
def test_milliseconds(value: float | None, text: str) -> None:
    assert plain(words.ms(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.01, "0.0%"),
        (-0.04, "0.0%"),
        (4.21, "+4.2%"),
        (-13.4, "−13%"),
        (1234.5, "+1,234%"),
    ],
)
def test_changes_carry_their_sign(value: float | None, text: str) -> None:
    assert words.change(value) == text


def test_control_characters_and_length_are_tamed() -> None:
    assert words.tidy("a\x00b\nc\x1b[31m") == "a�b�c�[31m"
    assert words.tidy("abcdefgh", 5) == "abcd…"


def test_a_clear_change_is_told_with_direction_interval_and_load() -> None:
    slower = comparison("capacity_per_s", "slower", -13.2, (-16.0, -10.3), CLOSED)
    assert plain(verdict_words.sentence(slower, CLOSED, 5.0)) == (
        "With 16 users at once, async serves 13% fewer requests than sync "
        "(95% interval: 10% to 16% fewer)."
    )


def test_the_winner_of_a_latency_is_the_arm_with_the_shorter_one() -> None:
    longer = comparison("response_ms.p95", "slower", 9.0, (5.1, 13.0))
    shorter = comparison("response_ms.p95", "faster", -9.0, (-13.0, -5.1))
    assert "sync answers sooner" in verdict_words.sentence(longer, OPEN, 5.0)
    assert "9.0% longer with async than with sync" in verdict_words.sentence(longer, OPEN, 5.0)
    assert "async answers sooner" in verdict_words.sentence(shorter, OPEN, 5.0)
    assert verdict_words.said(longer) == "sync answers sooner"
    assert verdict_words.brief(shorter) == "async is better"


def test_an_undecided_comparison_says_what_it_could_have_seen() -> None:
    open_question = comparison(
        "capacity_per_s", "inconclusive", 2.0, (-4.0, 9.0), CLOSED, mde_pct=8.3
    )
    text = verdict_words.sentence(open_question, CLOSED, 5.0)
    assert text.endswith(
        "one cannot tell: async has between 4.0% less and 9.0% more capacity than sync "
        "(95% interval)."
    )
    assert verdict_words.remark(open_question) == "A difference of 8.3% would probably have shown."
    longer = comparison("response_ms.p95", "inconclusive", 2.0, (-4.0, 9.0))
    assert "between 4.0% shorter and 9.0% longer with async" in verdict_words.sentence(
        longer, OPEN, 5.0
    )


def test_an_invalid_comparison_gives_its_reasons_and_claims_nothing() -> None:
    reasons = ("Errors: 2% of the requests failed.", "CPU was short")
    invalid = comparison("response_ms.p95", "invalid", 40.0, (30.0, 50.0), reasons=reasons)
    text = verdict_words.sentence(invalid, OPEN, 5.0)
    assert "no verdict" in text
    assert "errors: 2% of the requests failed; CPU was short." in text
    assert "40%" not in text


def test_a_comparison_without_numbers_is_told_without_numbers() -> None:
    nothing = comparison("response_ms.p99", "inconclusive", None, None, mde_pct=None)
    assert "too little was measured" in verdict_words.sentence(nothing, OPEN, 5.0)


def test_remarks_and_a_narrow_scope_are_told() -> None:
    narrow = comparison(
        "capacity_per_s", "faster", 9.0, (5.0, 13.0), CLOSED,
        scope="these instances", reasons=("why", "sync is saturated"),
    )  # fmt: skip
    text = verdict_words.remark(narrow)
    assert "But sync is saturated." in text
    assert "these instances only" in text
    assert "But" not in verdict_words.remark(dataclasses.replace(narrow, reasons=("why",)))


def test_lists_read_as_english() -> None:
    assert [words.listed(each) for each in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
