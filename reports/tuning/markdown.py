"""A tune run's report as Markdown for code hosts, with the PNG charts beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.charts.chart import Chart
from reports.markdown import escaped, fenced, figure, markdown_table, prose
from reports.tables import Table
from reports.tuning.parts import ArmParts, TuneParts


def render_markdown(parts: TuneParts) -> str:
    """The whole report. Names are escaped, so that they can be neither markup nor HTML."""
    return "\n".join(_lines(parts)).rstrip() + "\n"


def _lines(parts: TuneParts) -> Iterator[str]:
    report = parts.report
    yield from (f"# {prose(parts.title)}", "")
    yield from (f"Run {escaped(report.run)}, {report.status}: {prose(parts.asked)}.", "")
    yield from ("## The answer", "")
    for arm in parts.arms:
        yield from _answer(arm)
    yield from _list(parts.remarks, "> ")
    for arm in parts.arms:
        yield from _settings(arm)
    yield from _comparisons(parts)
    yield from _hazards(parts)
    if parts.charts.fair or parts.fair.rows:
        yield from ("## Sync against async, fairly", "")
        yield from _charts("", parts.charts.fair)
        yield from markdown_table(parts.fair)
    yield from _charts("What connections buy", parts.charts.frontier)
    for arm in parts.arms:
        yield from _charts(f"{arm.report.arm}: the pictures", arm.charts)
    yield from _why(parts)
    yield from _how(parts)


def _answer(arm: ArmParts) -> Iterator[str]:
    """What to set, whether that is confirmed and why, and what each setting bears."""
    yield from (f"**{escaped(arm.report.arm)}** ({arm.standing}). {prose(arm.answer)}", "")
    if arm.values:
        yield from fenced(arm.values, "toml")
    yield from _list(arm.verdict, "- ")
    yield from markdown_table(arm.settings)


def _comparisons(parts: TuneParts) -> Iterator[str]:
    yield from ("## Against the other settings", "")
    yield from _charts("", parts.charts.gains)
    for arm in parts.arms:
        if arm.comparisons.rows:
            yield from (f"**{escaped(arm.report.arm)}**", "")
            yield from markdown_table(arm.comparisons)


def _settings(arm: ArmParts) -> Iterator[str]:
    if arm.report.paste:
        yield from (f"## Settings to paste: {escaped(arm.report.arm)}", "")
    for snippet in arm.report.paste:
        yield from (
            f"{prose(snippet.title)}:",
            "",
            *fenced(snippet.text.rstrip("\n"), LANGUAGES[snippet.language]),
        )


LANGUAGES: dict[str, str] = {"python": "python", "shell": "sh", "ini": "ini", "text": "text"}


def _hazards(parts: TuneParts) -> Iterator[str]:
    lines = [(arm.report.arm, each.words) for arm in parts.arms for each in arm.report.hazards]
    yield from ("## Hazards", "")
    if not lines:
        yield from ("None was found.", "")
    yield from (f"- **{escaped(arm)}**: {prose(text)}" for arm, text in lines)
    yield ""


def _why(parts: TuneParts) -> Iterator[str]:
    yield from ("## Why", "")
    for arm in parts.arms:
        yield from (f"**{escaped(arm.report.arm)}**", "")
        yield from _list(arm.report.why, "- ")
        yield from markdown_table(arm.finalists)


def _how(parts: TuneParts) -> Iterator[str]:
    yield from ("## How it was made", "", "The same again:", "", *fenced(parts.command, "sh"))
    yield from markdown_table(Table(("What", "How"), parts.facts))
    yield from markdown_table(parts.trials)
    yield from markdown_table(parts.refused)


def _charts(title: str, charts: Sequence[Chart]) -> Iterator[str]:
    if title and charts:
        yield from (f"## {prose(title)}", "")
    for chart in charts:
        yield from figure(chart)


def _list(lines: Sequence[str], start: str) -> Iterator[str]:
    yield from (f"{start}{prose(line)}" for line in lines)
    if lines:
        yield ""
