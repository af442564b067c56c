"""PURE: the tables of a comparison of runs, as rows of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports import words
from reports.compare.model import Claim, Compared, Question, Within
from reports.compare.sentences import BRIEF, claim_sentence, within_sentence
from reports.facts import started
from reports.tables import Table

SOURCES = {"summary.json": "as stored", "samples": "computed anew from its samples"}
"""Where a run's answer comes from."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of one scenario: of each primary question every run's own words, then claims."""

    scenario: str
    questions: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """One question in words."""

    measure: str
    within: tuple[str, ...]
    claims: tuple[tuple[str, str], ...]
    """The word of the verdict and the sentence."""


def answers(compared: Compared) -> list[Answer]:
    """Per scenario its primary questions."""
    found: dict[str, list[Said]] = {}
    for question in compared.questions:
        if question.primary:
            found.setdefault(question.scenario, []).append(
                Said(
                    measure=words.metric_heading(question.metric)
                    + (f" of {words.tidy(question.request)}" if question.request else ""),
                    within=tuple(within_sentence(each) for each in question.within),
                    claims=tuple(
                        (each.verdict, claim_sentence(question, each, compared.equivalence_pct))
                        for each in question.claims
                    ),
                )
            )
    return [Answer(scenario, tuple(said)) for scenario, said in found.items()]


def run_table(compared: Compared) -> Table:
    """The runs, one a row."""
    return Table(
        ("Run", "What tells it apart", "Name", "Started", "State", "Its answer"),
        tuple(
            (
                run.letter,
                run.what or words.NOTHING,
                run.run,
                started({"created_utc": run.created_utc}),
                f"{run.status}{'' if run.valid else ', part of it invalid'}",
                SOURCES[run.answer_from],
            )
            for run in compared.runs
        ),
    )


def difference_table(compared: Compared) -> Table:
    """Everything that differs, group by group."""
    return Table(
        ("Group", "What", *(run.letter for run in compared.runs)),
        tuple(
            (group.title, fact.name, *fact.values)
            for group in compared.setup
            for fact in group.differences
        ),
    )


def same_table(compared: Compared) -> Table:
    """Everything that is the same, told once."""
    return Table(
        ("Group", "What", "In every run"),
        tuple(
            (group.title, fact.name, fact.values[0])
            for group in compared.setup
            for fact in group.same
        ),
    )


def obstacle_lines(compared: Compared) -> list[str]:
    """What by itself forbids a comparison, each once."""
    lines = [
        f"{words.tidy(each.scenario)}, {each.other} against {each.reference}: {each.why}"
        for each in compared.obstacles
    ]
    return list(dict.fromkeys(lines))


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One claim, or why there is none, beside what each run says of its own arms."""

    scenario: str
    load: str
    measure: str
    own: tuple[str, ...]
    """Each run's own change, in the order of the runs."""
    runs: str
    change: str
    interval: str
    word: str
    said: str
    is_first: bool
    """Of the claims on one question, which have the rest in common."""


def claim_rows(compared: Compared, *, primary: bool) -> list[ClaimRow]:
    """Every claim, question by question."""
    letters = [run.letter for run in compared.runs]
    return [
        _claim_row(question, claim, letters)
        for question in compared.questions
        if question.primary is primary
        for claim in question.claims
    ]


def claim_table(compared: Compared, *, primary: bool) -> Table:
    """The same as a table of cells."""
    letters = [run.letter for run in compared.runs]
    return Table(
        ("Scenario", "Load", "Measure", *letters, "Between runs", "Change", "95% interval", "Says"),
        tuple(
            (
                *(row.scenario, row.load, row.measure, *row.own),
                *(row.runs, row.change, row.interval, row.said),
            )
            for row in claim_rows(compared, primary=primary)
        ),
    )


def _claim_row(question: Question, claim: Claim, letters: Sequence[str]) -> ClaimRow:
    own = {within.letter: _own(within) for within in question.within}
    loads = dict.fromkeys(words.load_short(each.load) for each in question.within)
    return ClaimRow(
        scenario=question.scenario,
        load=" and ".join(loads),
        measure=words.metric_name(question.metric, question.request),
        own=tuple(own.get(letter, words.NOTHING) for letter in letters),
        runs=f"{claim.other} against {claim.reference}",
        change=words.change(claim.change_pct),
        interval=words.interval(claim.ci95_pct),
        word=claim.verdict,
        said=BRIEF[claim.verdict],
        is_first=claim is question.claims[0],
    )


def _own(within: Within) -> str:
    return "invalid" if within.verdict == "invalid" else words.change(within.change_pct)
