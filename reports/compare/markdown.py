"""A comparison of runs as Markdown for code hosts, with the PNG charts beside it."""

from __future__ import annotations

from collections.abc import Iterator

from reports.compare import sentences
from reports.compare.parts import CompareParts
from reports.markdown import fenced, figure, markdown_table, prose


def render_markdown(parts: CompareParts) -> str:
    """The whole comparison; what changed in the set-up comes first."""
    return "\n".join(_lines(parts)).rstrip() + "\n"


def _lines(parts: CompareParts) -> Iterator[str]:
    yield from (f"# {prose(parts.compared.headline)}", "")
    if parts.remarks:
        yield from (f"> {prose(each)}" for each in parts.remarks)
        yield ""
    yield from ("## The runs", "")
    yield from markdown_table(parts.runs)
    yield from ("## What changed in the set-up", "", prose(parts.ground), "")
    yield from markdown_table(parts.differences)
    if parts.obstacles:
        yield from ("**What by itself forbids a comparison:**", "")
        yield from (f"- {prose(each)}" for each in parts.obstacles)
        yield ""
    yield from ("## What changed in the answer", "", prose(sentences.HOW_TO_READ), "")
    yield from (prose(sentences.NEVER_ABSOLUTE), "")
    yield from _answers(parts)
    yield from markdown_table(parts.primary)
    yield from (prose(sentences.ONE_RUN_EACH), "")
    for title, section in (
        ("Changes within and between runs", parts.charts.changes),
        ("Side by side", parts.charts.absolute),
        ("Response times, laid over each other", parts.charts.spectra),
    ):
        if section:
            yield from (f"## {title}", "")
            for chart in section:
                yield from figure(chart)
    yield from ("The same again:", "", *fenced(parts.command, "sh"))


def _answers(parts: CompareParts) -> Iterator[str]:
    for answer in parts.answers:
        yield from (f"### {prose(answer.scenario)}", "")
        for said in answer.questions:
            yield from (f"**{prose(said.measure)}**", "")
            yield from (f"- {prose(each)}" for each in said.within)
            yield from (f"- {prose(sentence)}" for _, sentence in said.claims)
            yield ""
