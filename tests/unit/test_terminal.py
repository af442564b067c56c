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
