"""The gains of a recommended setting, and sync against async fairly: rows for ratio charts."""

from __future__ import annotations

from collections.abc import Mapping

from reports import words
from reports.charts.chart import Chart
from reports.charts.style import Mark
from reports.tuning import say
from reports.tuning.charts.ratios import DECIDED, Panel, Row, ratio_chart
from reports.tuning.findings import Change, Metric
from reports.tuning.model import ArmReport, TuneReport
from reports.tuning.record import Stage
from reports.tuning.terms import METRICS, ROLES, STAGES

PANELS: dict[Stage, Metric] = {
    "confirm": "knee_per_s", "twice": "good_per_s", "distance": "knee_per_s"
}  # fmt: skip
"""What is compared in which stage. p99 at twice the load, where less is better, stands in the
table of the page."""


def gain_chart(name: str, arm: ArmReport, mark: Mark) -> Chart | None:
    """The recommended setting (or the one tried first) against the others, stage by stage."""
    panels = [
        Panel(
            f"{METRICS[metric].name} {STAGES[stage].said}",
            tuple(
                _gain_row(each, mark)
                for each in arm.comparisons
                if (each.stage, each.metric) == (stage, metric)
            ),
        )
        for stage, metric in PANELS.items()
    ]
    subject = arm.recommended or arm.taken
    if subject is None:
        return None
    return ratio_chart(
        name,
        _gain_title(arm),
        f"What {say.pool(subject)} gives over the others, each measured side by side in fresh "
        "processes: change and 95% interval, instances paired. Right of nought it is better. "
        "Filled: decided; hollow: the interval reaches nought. An arrow: the true change is "
        "beyond what was measured.",
        f"change of {say.pool(subject)} against each (%)",
        panels,
    )


def _gain_row(change: Change, mark: Mark) -> Row:
    label = f"{ROLES[change.against].name} {say.labelled(change.baseline, change.candidate)}"
    return Row(label, change, mark if change.word in DECIDED else None)


def _gain_title(arm: ArmReport) -> str:
    name = words.tidy(arm.arm, 24)
    subject = arm.recommended or arm.taken
    assert subject is not None
    gain = arm.over_default or arm.over_present
    if gain is None:
        return f"{name}: {say.pool(subject)} against the other settings"
    other = f"{ROLES[gain.against].short} ({say.pool(gain.baseline)})"
    if gain.word in DECIDED and gain.change_pct is not None:
        size = f"{words.percent(gain.change_pct)} {'more' if gain.change_pct > 0 else 'less'}"
        bound = "at least " if gain.bound == "more than" else ""
        return f"{name}: {say.pool(subject)} bears {bound}{size} than {other}"
    if gain.word == "equivalent":
        return f"{name}: {say.pool(subject)} bears as much as {other}"
    return f"{name}: {say.pool(subject)} and {other} cannot be told apart in capacity"


def fair_chart(name: str, report: TuneReport, marks: Mapping[str, Mark]) -> Chart | None:
    """Three meanings of "sync against async", where the database is and farther away."""
    stages = [each for each in PANELS if any(_has(report, each))]
    panels = [
        Panel(
            _where(report, stage),
            tuple(
                _fair_row(fair.kind, change, marks)
                for fair in report.fair
                for change in fair.changes
                if change.stage == stage
            ),
        )
        for stage in stages
    ]
    pair = next((c for fair in report.fair for c in fair.changes), None)
    if pair is None:
        return None
    candidate, baseline = words.tidy(pair.candidate_arm, 24), words.tidy(pair.baseline_arm, 24)
    return ratio_chart(
        name,
        fair_title(report),
        "The same comparison in its three meanings, which decide most published disagreements: "
        "with the same connections and threads for both, each at the setting recommended for it, "
        "each at its framework's defaults. Filled, in the colour and shape of the better arm: "
        f"decided; hollow: cannot be told apart. Compared: {_compared(report)}.",
        f"capacity of {candidate} against {baseline} (%)",
        panels,
    )


def _compared(report: TuneReport) -> str:
    """The settings behind each meaning: `same budget, async 10 + 0 with sync 10 + 0`."""
    firsts = [(fair.kind, fair.changes[0]) for fair in report.fair if fair.changes]
    return "; ".join(
        f"{kind}, {words.tidy(first.candidate_arm, 24)} {say.pool(first.candidate)} "
        f"with {words.tidy(first.baseline_arm, 24)} {say.pool(first.baseline)}"
        for kind, first in firsts
    )


def _has(report: TuneReport, stage: Stage) -> list[bool]:
    return [change.stage == stage for fair in report.fair for change in fair.changes]


def _where(report: TuneReport, stage: Stage) -> str:
    if stage == "distance":
        return f"database {words.ms(report.rtt_change_ms)} farther"
    near = report.database_rtt_ms
    return words.distance(near) if near else "database as near as it is"


def _fair_row(label: str, change: Change, marks: Mapping[str, Mark]) -> Row:
    better = change.better_arm
    return Row(label, change, marks.get(better) if better else None)


def fair_title(report: TuneReport) -> str:
    """Who is ahead in each meaning, where the database is."""
    said: dict[str, list[str]] = {}
    for fair in report.fair:
        for change in fair.changes:
            if change.stage == "confirm":
                said.setdefault(_outcome(change), []).append(fair.kind)
    if not said:
        return "Sync against async was not measured"
    parts = [f"{words.listed(kinds)}: {outcome}" for outcome, kinds in said.items()]
    return words.capital("; ".join(parts))


def _outcome(change: Change) -> str:
    if (better := change.better_arm) is not None:
        return f"{words.tidy(better, 24)} bears more"
    return {"equivalent": "no difference that matters", "not measured": "not measured"}.get(
        change.word, "cannot be told apart"
    )
