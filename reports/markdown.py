"""The report as Markdown for code hosts, with the PNG charts beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from reports import facts, tables, words
from reports.charts import Chart, ChartSet
from reports.fairness import fairness
from reports.parts import Parts
from reports.specimen_cases import Case, specimen_cases
from reports.symbols import MARKS_MEAN
from reports.trust import why_to_believe

SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~$&@:-])")
HOW_COUNTED = (
    "Statements per operation as the database server counts them, round trips as the driver does; "
    "one number per twin, in the order named above:"
)
FENCE = re.compile(r"`{3,}")


def render_markdown(parts: Parts) -> str:
    """The whole report. Names are escaped, so that they can be neither markup nor HTML."""
    return "\n".join(_lines(parts)).rstrip() + "\n"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return SPECIAL.sub(r"\\\1", words.tidy(text))


def _lines(parts: Parts) -> Iterator[str]:
    summary = parts.summary
    yield from (f"# {prose(summary.headline)}", "")
    yield from (f"Run {escaped(summary.run)}, {summary.status}.", "")
    yield from _warnings(parts)
    yield from ("## The answer", "")
    for answer in tables.answers(summary, parts.equivalence_pct):
        yield from (f"**{escaped(answer.scenario)}**", "")
        yield from (f"- {prose(f'{said} {row.remark}'.strip())}" for row, said in answer.lines)
        if not answer.rows:
            yield (
                "One arm alone: there is nothing to compare."
                if parts.is_alone(answer.scenario)
                else "Nothing was compared: the run ended before this scenario was measured."
            )
        yield ""
    primary = tables.verdict_rows(summary, parts.equivalence_pct, primary=True)
    yield from markdown_table(_verdict_table(primary))
    yield from _specimens(parts)
    yield from _chart_sections(parts.charts)
    yield from _fairness(parts)
    yield from ("## Why to believe it", "", prose(why_to_believe(summary, parts.manifest)), "")
    yield from markdown_table(tables.evidence_table(primary))
    yield from markdown_table(_gate_table(parts))
    for chart in parts.charts.trust:
        yield from figure(chart)
    yield from _how(parts)


def _chart_sections(charts: ChartSet) -> Iterator[str]:
    for place, (_, heading, section) in enumerate(charts.sections):
        yield from (f"## {heading}", "")
        if place == 0:
            yield from (MARKS_MEAN, "")
        for chart in section:
            yield from figure(chart)


def _fairness(parts: Parts) -> Iterator[str]:
    fair = fairness(parts.proofs)
    if fair is None:
        return
    yield from ("## Why this comparison is fair", "", prose(fair.intro), "")
    yield from markdown_table(fair.sides)
    if fair.work.rows:
        yield from (HOW_COUNTED, "")
        yield from markdown_table(fair.work)
    if fair.connection:
        yield from (prose(fair.connection), "")


def _warnings(parts: Parts) -> Iterator[str]:
    if not parts.summary.valid:
        yield from ("> **Part of this result is not valid.**", ">")
        yield from (f"> - {prose(line)}" for line in tables.failed_gates(parts.summary))
        yield ""
    if parts.summary.notes:
        yield from (f"> {prose(note)}" for note in parts.summary.notes)
        yield ""


def _verdict_table(rows: Sequence[tables.VerdictRow]) -> tables.Table:
    return tables.Table(
        (
            "Scenario",
            "Load",
            "Measure",
            "Baseline",
            "Candidate",
            "Change",
            "95% interval",
            "Verdict",
        ),
        tuple(
            (
                row.scenario,
                row.load,
                row.measure,
                f"{row.baseline} {row.baseline_value}",
                f"{row.candidate} {row.candidate_value}",
                row.change,
                row.interval,
                row.brief,
            )
            for row in rows
        ),
    )


def _gate_table(parts: Parts) -> tables.Table:
    return tables.Table(
        ("Check", "Outcome", "Worst value", "Limit", "Worst case"),
        tuple(
            (gate.checks, gate.outcome, gate.worst, gate.limit, gate.detail)
            for gate in tables.gate_rows(parts.summary)
        ),
    )


def _specimens(parts: Parts) -> Iterator[str]:
    cases = specimen_cases(parts.summary, parts.manifest, parts.equivalence_pct)
    if cases:
        yield from ("## The mistakes, one by one", "")
    for case in cases:
        yield from _specimen(case)


def _specimen(case: Case) -> Iterator[str]:
    specimen = case.specimen
    yield from (f"### {prose(specimen.mistake)}", "")
    place = f"{case.arm} against {case.twin}, scenario {case.scenario}"
    yield from (f"{prose(place)}", "")
    yield f"- **What one sees**: {prose(specimen.symptom)}"
    yield f"- **What it said**: {_said(case)}"
    costs = " ".join(case.costs) or "nothing was measured"
    yield f"- **What it costs**: {prose(costs)}"
    yield f"- **Why**: {prose(specimen.mechanism)}"
    links = ", ".join(f"[{escaped(link.title)}]({link.url})" for link in specimen.links)
    yield f"- **Read more**: {links}"
    yield from (f"- **The cure**: {prose(specimen.cure)}", "")
    yield from ("```python", specimen.code, "```", "")


def _said(case: Case) -> str:
    if case.said is not None:
        said = prose(f"“{case.said}”")
    else:
        said = "no error text of its own" if case.failed else "nothing: no request failed"
    return f"{said} ({case.failed})" if case.failed else said


def figure(chart: Chart) -> Iterator[str]:
    """A chart with its finding above and how to read it below."""
    yield from (f"### {prose(chart.title)}", "")
    yield from (f"![{escaped(chart.title)}](charts/{chart.name}.png)", "")
    yield from (prose(chart.caption), "")


def _how(parts: Parts) -> Iterator[str]:
    yield from ("## How it was made", "", "The same again:", "")
    yield from fenced(facts.command_to_repeat(parts.manifest), "sh")
    made = facts.how_it_was_made(parts.manifest)
    yield from markdown_table(tables.Table(("What", "How"), tuple(made)))


def fenced(text: str, language: str) -> Iterator[str]:
    """A block of code that nothing in `text` can end."""
    yield from (f"```{language}", FENCE.sub("", text), "```", "")


def markdown_table(table: tables.Table) -> Iterator[str]:
    """A table's lines and the empty one behind it; nothing for a table without rows."""
    if not table.rows:
        return
    yield f"| {' | '.join(prose(column) for column in table.columns)} |"
    yield f"|{'---|' * len(table.columns)}"
    for row in table.rows:
        yield f"| {' | '.join(prose(cell) for cell in row)} |"
    yield ""


PROSE_SPECIAL = re.compile(r"[\\`*_\[\]<>|~$&@]|^[#+-]|^(?P<number>\d+)(?P<list>[.)])")


def prose(text: str) -> str:
    """Like `escaped`, but leaves alone what is harmless within a line, for readable source."""
    return PROSE_SPECIAL.sub(_shown_as_it_is, words.tidy(text))


def _shown_as_it_is(found: re.Match[str]) -> str:
    """A backslash before a digit would be shown itself."""
    number = found["number"]
    return f"\\{found[0]}" if number is None else f"{number}\\{found['list']}"
