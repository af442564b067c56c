"""PURE: the whole answer of a comparison of runs, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase

from reports.compare.labels import labels_of
from reports.compare.model import Compared, Run
from reports.compare.questions import answered, ask, doubts, equivalence_of, obstacles
from reports.compare.record import RunRecord
from reports.compare.sentences import headline
from reports.compare.setup import setup_of

SCHEMA = 1
MOST_RUNS = len(ascii_uppercase)


def compared(records: Sequence[RunRecord]) -> Compared:
    """Two runs or more, the first being the reference; at most one for each letter."""
    runs = dict(zip(ascii_uppercase, records, strict=False))
    asked = ask(runs)
    margin_pct = equivalence_of(records)
    told = tuple(
        _run(letter, record, what)
        for (letter, record), what in zip(runs.items(), labels_of(records), strict=True)
    )
    setup, questions = setup_of(records), answered(asked, margin_pct)
    return Compared(
        schema=SCHEMA,
        kind="compare",
        headline=headline(told, setup, questions, margin_pct),
        runs=told,
        setup=setup,
        doubts=doubts(asked),
        obstacles=obstacles(asked),
        questions=questions,
        absolutes=tuple(
            replace(point, letter=letter)
            for letter, record in runs.items()
            for point in record.points
        ),
        equivalence_pct=margin_pct,
        primary_claims=asked.primary_claims,
    )


def _run(letter: str, record: RunRecord, what: str) -> Run:
    return Run(
        letter=letter,
        run=record.run,
        what=what,
        created_utc=str(record.manifest.get("created_utc") or ""),
        status=record.summary.status,
        valid=record.summary.valid,
        headline=record.summary.headline,
        answer_from=record.answer_from,
        remarks=record.remarks,
    )
