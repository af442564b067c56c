"""PURE: the tables of a tuning report, as rows of words; nothing here knows a format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from loadtests.tuning.setting import Setting
from reports import words
from reports.tables import Table
from reports.tuning import numbers, say
from reports.tuning.changes import Side, Trials
from reports.tuning.findings import AtTwice, Change, Finalist
from reports.tuning.model import ArmReport, Fair, TuneReport
from reports.tuning.record import ArmSearch, Stage, Tried
from reports.tuning.roles import roles_of
from reports.tuning.terms import METRICS, ROLES, STAGES


def settings_table(
    trials: Trials, arm: ArmReport, fair: tuple[Fair, ...], rtt_change_ms: float
) -> Table:
    """Every confirmed setting beside the others: what it bears here, farther, and at twice."""
    knobs = say.knobs_of(arm)
    twice = {each.setting: each for each in arm.at_twice}
    farther = f"Capacity, database {words.ms(rtt_change_ms)} farther"
    rows = []
    for setting, role in roles_of(arm, fair).items():
        knees = [trials.knee(stage, Side(arm.arm, setting)) for stage in _CONFIRMING]
        if not any(knees) and setting not in twice:
            continue
        rows.append(
            (
                role,
                say.short(setting, knobs),
                *(numbers.knee_of(each) for each in knees),
                _at_twice(twice.get(setting)),
            )
        )
    columns = (
        "What",
        "Setting",
        "Capacity [95%]",
        f"{farther} [95%]",
        "Good answers at twice the load",
    )
    return Table(columns, tuple(rows))


_CONFIRMING: tuple[Stage, ...] = ("confirm", "distance")


def _at_twice(told: AtTwice | None) -> str:
    if told is None:
        return "not measured"
    failed = f", {words.percent(told.error_pct)} errors" if told.error_pct >= 0.05 else ""
    return f"{words.per_s(told.good_per_s)} of {words.per_s(told.offered_per_s)}{failed}"


def comparison_table(arm: ArmReport) -> Table:
    """The recommended setting against the others, stage by stage."""
    knobs = say.knobs_of(arm)
    rows = tuple(
        (
            STAGES[each.stage].name,
            METRICS[each.metric].name,
            f"{say.pool(each.candidate)} against {ROLES[each.against].short} "
            f"{say.apart(each.baseline, each.candidate, knobs)}",
            numbers.change(each),
            each.word,
            words.tidy(each.reason),
        )
        for each in arm.comparisons
    )
    return Table(("Where", "Measure", "Compared", "Change [95%]", "Verdict", "Because"), rows)


def finalist_table(arm: ArmReport) -> Table:
    """The finalists, which of them cannot be told apart, and how far each lies behind the best."""
    knobs = say.knobs_of(arm)
    rows = tuple(
        (
            f"pool {say.short(each.found.setting, knobs)}",
            str(each.found.setting.connections),
            numbers.knee_of(each.found),
            numbers.change_pct(each.behind_pct, each.behind_ci95_pct),
            _standing(each),
            "taken" if each.found.setting == arm.taken else "",
        )
        for each in arm.finalists
    )
    columns = ("Setting", "Connections", "Knee in the finals", "Against the best", "Standing", "")
    return Table(columns, rows)


def _standing(finalist: Finalist) -> str:
    if not finalist.on_plateau:
        return "behind"
    return "too little measured" if say.is_vague(finalist) else "cannot be told apart"


def fair_table(report: TuneReport) -> Table:
    """Sync against async in its three meanings, with the settings compared."""
    rows = tuple(
        (
            fair.kind,
            STAGES[change.stage].name,
            _side(change.candidate_arm, change.candidate),
            _side(change.baseline_arm, change.baseline),
            numbers.change(change),
            _fair_word(change),
        )
        for fair in report.fair
        for change in fair.changes
    )
    return Table(("Meaning", "Where", "This", "Against", "Change [95%]", "Verdict"), rows)


def _side(arm: str, setting: Setting) -> str:
    return f"{words.tidy(arm, 24)} {say.pool(setting)}"


def _fair_word(change: Change) -> str:
    better = change.better_arm
    return f"{words.tidy(better, 24)} bears more" if better else change.word


def refused_table(arms: Sequence[ArmSearch]) -> Table:
    """The settings that could not be tried, and why."""
    rows = tuple(
        (arm.arm, say.whole(setting), words.tidy(reason))
        for arm in arms
        for setting, reason in arm.refused.items()
    )
    return Table(("Arm", "Setting", "Why it was not tried"), rows)


def trial_table(tried: Iterable[Tried]) -> Table:
    """How many trials each arm had in each stage."""
    counted: dict[tuple[str, Stage], int] = {}
    for each in tried:
        counted[each.arm, each.stage] = counted.get((each.arm, each.stage), 0) + 1
    arms = list(dict.fromkeys(arm for arm, _ in counted))
    stages = [stage for stage in STAGES if any((arm, stage) in counted for arm in arms)]
    rows = tuple(
        (words.tidy(arm), *(str(counted.get((arm, stage), 0)) for stage in stages)) for arm in arms
    )
    return Table(("Trials of", *(STAGES[stage].name for stage in stages)), rows)
