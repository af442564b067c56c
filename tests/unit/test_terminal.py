"""The terminal's table: 80 columns, no colour where none is wanted, nothing interpreted."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from reports.model import Summary
from reports.terminal import print_summary
from tests.support.sample_summary import CLOSED, comparison, scenario, summary


def printed(answer: Summary, width: int = 80, **how) -> str:
    out = io.StringIO()
    print_summary(answer, Path("results/run"), Console(file=out, width=width, **how))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 140])
def test_it_fits(width: int) -> None:
    lines = printed(summary(valid=False), width).splitlines()
    assert max(map(len, lines)) <= width
    text = " ".join(" ".join(lines).split())
    assert "−13%" in text
    assert "−16%…−10%" in text
    assert "no difference" in text
    assert "Report: results/run/report.html" in text


def test_a_wide_terminal_shows_both_arms_values() -> None:
    assert "300/s" in printed(summary(), 140)
    assert "300/s" not in printed(summary(), 80)


def test_no_colour_means_no_escape_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    coloured = printed(summary(valid=False), force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    plain = printed(summary(valid=False), force_terminal=True, color_system="standard")
    assert "\x1b[1;31m" in coloured
    assert "\x1b[1;31m" not in plain
    assert "31m" not in plain


def test_names_are_neither_markup_nor_escape_sequences() -> None:
    text = printed(summary(scenario("[red]x\x1b[2J"), headline="[bold]so[/bold]"))
    assert "[bold]so[/bold]" in text
    assert "[red]x" in text
    assert "\x1b" not in text


def test_what_failed_is_said() -> None:
    text = " ".join(printed(summary(valid=False, status="interrupted")).split())
    assert "interrupted" in text
    assert "crud-mix, 16\u00a0users, async: async answered 2.1%" in text.replace(
        "16 users", "16\u00a0users"
    )
    assert "not valid" not in printed(summary())


def test_an_arm_has_its_sign_and_its_colour() -> None:
    text = printed(summary(), force_terminal=True, color_system="standard")
    assert "\x1b[1;34m● sync better" in text
    assert "\x1b[1;33m■ async better" in text
    assert "◆ no difference" in text
    assert "○ cannot tell" in text
    assert "✕ invalid" in text


def test_all_tables_of_an_answer_are_aligned_alike() -> None:
    rows = (
        comparison("capacity_per_s", "faster", 9.0, (5.0, 1234.0), CLOSED, candidate="async"),
        comparison("capacity_per_s", "faster", 9.0, (5.0, 9.5), CLOSED, candidate="b" * 30),
    )
    text = printed(summary(scenario("s" * 40, comparisons=rows)))
    heads = [line.rstrip() for line in text.splitlines() if "95% interval" in line]
    assert len(heads) == 2
    assert heads[0] == heads[1]
    assert max(map(len, text.splitlines())) <= 80
    assert "…better" not in text.replace(" ", "")


def test_a_headline_of_several_pairs_has_a_line_for_each() -> None:
    text = printed(summary(headline="Against sync – b: 31% more; c: not told apart."))
    assert text.splitlines()[:3] == ["Against sync –", "b: 31% more", "c: not told apart."]


def test_several_candidates_have_a_table_each() -> None:
    two = scenario(
        comparisons=tuple(
            comparison(
                "capacity_per_s", "inconclusive", 9.0, (-5.0, 1234.0), CLOSED, candidate=name
            )
            for name in ("async", "staging-with-a-long-name")
        )
    )
    lines = printed(summary(two)).splitlines()
    first = next(n for n, line in enumerate(lines) if line.strip() == "async against sync")
    second = next(n for n, line in enumerate(lines) if "long-name against sync" in line)
    assert any("+9.0%" in line for line in lines[first:second])
    assert any("cannot tell" in line for line in lines[second:])
    assert max(map(len, lines)) <= 80
