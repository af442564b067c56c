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


def claim_table(compared: Compared, *, primary: bool) -> Table:
    """Every question with what each run says and what is claimed between runs."""
    letters = [run.letter for run in compared.runs]
    return Table(
        ("Scenario", "Load", "Measure", *letters, "Between runs", "Change", "95% interval", "Says"),
        tuple(
            row
            for question in compared.questions
            if question.primary is primary
            for row in _claim_rows(question, letters)
        ),
    )


def _claim_rows(question: Question, letters: Sequence[str]) -> list[tuple[str, ...]]:
    own = {within.letter: _own(within) for within in question.within}
    loads = dict.fromkeys(words.load_short(each.load) for each in question.within)
    head = (
        question.scenario,
        " and ".join(loads),
        words.metric_name(question.metric, question.request),
        *(own.get(letter, words.NOTHING) for letter in letters),
    )
    return [(*head, *_claimed(claim)) for claim in question.claims]


def _own(within: Within) -> str:
    return "invalid" if within.verdict == "invalid" else words.change(within.change_pct)


def _claimed(claim: Claim) -> tuple[str, ...]:
    return (
        f"{claim.other} against {claim.reference}",
        words.change(claim.change_pct),
        words.interval(claim.ci95_pct),
        BRIEF[claim.verdict],
    )


def result_table(compared: Compared) -> Table:
    """What every arm of every run reached by itself."""
    return Table(
        ("Scenario", "Measure", "Load", "Arm", "Run", "Value", "Checks"),
        tuple(
            (
                each.scenario,
                words.metric_name(each.metric, each.request),
                words.load_short(each.load),
                each.arm,
                each.letter,
                words.metric_value(each.metric, each.value),
                "passed" if each.valid else "failed",
            )
            for each in compared.absolutes
        ),
    )
