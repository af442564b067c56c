"""What a tuning report is made of, whichever form it takes."""

from __future__ import annotations

from dataclasses import dataclass

from loadtests.tuning.hazards import uses_threads
from reports import facts, words
from reports.charts.chart import Chart
from reports.tables import Table
from reports.tuning import numbers, sentences, tables
from reports.tuning.changes import Trials
from reports.tuning.charts import TuneCharts
from reports.tuning.model import ArmReport, TuneReport
from reports.tuning.paste import values
from reports.tuning.record import TuneRecord


@dataclass(frozen=True, slots=True)
class ArmParts:
    """One arm's share of the report."""

    report: ArmReport
    answer: str
    values: str
    """The recommended setting, key by key; empty where there is none."""
    standing: str
    verdict: tuple[str, ...]
    """Why it is confirmed or not; empty where the answer says that already."""
    settings: Table
    finalists: Table
    comparisons: Table
    charts: tuple[Chart, ...]

    @property
    def recommended_is_safe(self) -> bool:
        """Whether no hazard is of the recommended setting."""
        return all(each.setting != self.report.recommended for each in self.report.hazards)


@dataclass(frozen=True, slots=True)
class TuneParts:
    """A tune run's answer, its charts and how it was made."""

    report: TuneReport
    arms: tuple[ArmParts, ...]
    charts: TuneCharts
    fair: Table
    trials: Table
    refused: Table
    facts: tuple[facts.Fact, ...]
    command: str
    spec: str
    title: str
    asked: str
    remarks: tuple[str, ...]
    """What is to be known before the answer is read: interrupted, blocks that do not count."""


def parts_of(record: TuneRecord, report: TuneReport, charts: TuneCharts) -> TuneParts:
    """Everything a report shows."""
    own = {each.arm: each.charts for each in charts.arms}
    return TuneParts(
        report=report,
        arms=tuple(_arm(record, report, each, own.get(each.arm, ())) for each in report.arms),
        charts=charts,
        fair=tables.fair_table(report),
        trials=tables.trial_table(record.tried),
        refused=tables.refused_table(record.arms),
        facts=(*_asked(record, report), *facts.how_it_was_made(record.manifest)),
        command=facts.command_to_repeat(record.manifest),
        spec=facts.spec_text(record.manifest),
        title=sentences.title(report),
        asked=sentences.overline(report),
        remarks=tuple(_remarks(record, report)),
    )


def _arm(
    record: TuneRecord, report: TuneReport, arm: ArmReport, charts: tuple[Chart, ...]
) -> ArmParts:
    trials = Trials(record.tried, report.objective, record.spec.run.equivalence_pct)
    threads = uses_threads(arm.app)
    return ArmParts(
        report=arm,
        answer=sentences.answer(arm, report.objective),
        values=values(arm.recommended, threads=threads) if arm.recommended else "",
        standing=sentences.standing(arm),
        verdict=() if arm.nearest else arm.verdict,
        settings=tables.settings_table(trials, arm, report.fair, report.rtt_change_ms),
        finalists=tables.finalist_table(arm),
        comparisons=tables.comparison_table(arm),
        charts=charts,
    )


def _remarks(record: TuneRecord, report: TuneReport) -> list[str]:
    """Each once; a remark that an arm made too stands there."""
    said = [note for note in report.notes if note not in record.dropped]
    if record.dropped:
        blocks = "1 block does" if len(record.dropped) == 1 else f"{len(record.dropped)} blocks do"
        said.append(f"{blocks} not count: {'; '.join(record.dropped[:3])}")
    return list(dict.fromkeys(words.tidy(each) for each in said))


def _asked(record: TuneRecord, report: TuneReport) -> list[facts.Fact]:
    """The question: objective, choices, budget."""
    tune = record.spec.tune
    choices = [
        f"{knob} {', '.join(str(value) for value in values)}"
        for knob, values in tune.knobs.choices().items()
    ]
    return [
        ("Scenario", words.tidy(report.scenario)),
        ("Objective", numbers.both_limits(report.objective)),
        ("Choices", "; ".join(choices)),
        ("Fleet", f"{record.hosts} host{'' if record.hosts == 1 else 's'}"),
        ("Connections kept free", str(tune.reserve_connections)),
        ("Budget", f"{tune.budget_s:g} s of measuring"),
    ]
