"""What a comparison of runs shows, whichever form it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.compare import tables
from reports.compare.charts import CompareCharts, draw_charts
from reports.compare.model import Compared
from reports.compare.record import RunRecord
from reports.compare.sentences import ground_words
from reports.tables import Table


@dataclass(frozen=True)
class CompareParts:
    """The answer with its charts, tables and words."""

    compared: Compared
    command: str
    """What makes the same again."""
    charts: CompareCharts
    pages: Mapping[str, str]
    """Where each run's own report is, relative to this one; runs without one are left out."""
    runs: Table
    differences: Table
    same: Table
    obstacles: tuple[str, ...]
    ground: str
    answers: tuple[tables.Answer, ...]
    claims: tuple[tables.ClaimRow, ...]
    """The primary ones."""
    primary: Table
    secondary: Table

    @property
    def remarks(self) -> list[str]:
        """What is to be known of single runs beside the answer."""
        return [f"{run.letter}: {each}" for run in self.compared.runs for each in run.remarks]


def parts_of(
    compared: Compared, records: Sequence[RunRecord], pages: Mapping[str, str], command: str
) -> CompareParts:
    """Everything that is shown, charts drawn."""
    return CompareParts(
        compared=compared,
        command=command,
        charts=draw_charts(compared, records),
        pages=pages,
        runs=tables.run_table(compared),
        differences=tables.difference_table(compared),
        same=tables.same_table(compared),
        obstacles=tuple(tables.obstacle_lines(compared)),
        ground=ground_words(compared.setup, compared.doubts),
        answers=tuple(tables.answers(compared)),
        claims=tuple(tables.claim_rows(compared, primary=True)),
        primary=tables.claim_table(compared, primary=True),
        secondary=tables.claim_table(compared, primary=False),
    )
