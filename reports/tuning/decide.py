"""PURE: which setting is recommended, and whether fresh processes confirm it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loadtests.tuning.hazards import worth_a_burst
from loadtests.tuning.score import LATE_SHARE
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from reports.model import Status
from reports.statistics import ALPHA, adjusted_alpha
from reports.tuning.changes import Side, Trials
from reports.tuning.model import Change, Metric, Role, SettingKnee
from reports.tuning.phrases import ROLES, change_words, setting_words
from reports.tuning.plateau import Plateau
from reports.tuning.record import ArmSearch, Stage
from reports.tuning.robust import CLOSE_PCT, shortfalls_pct, steadiest

METRICS: Mapping[Stage, tuple[Metric, ...]] = {
    "confirm": ("knee_per_s",),
    "twice": ("good_per_s", "p99_ms"),
    "distance": ("knee_per_s",),
}
"""What is compared in each stage; the first of them decides."""
WHERE: Mapping[Stage, str] = {
    "confirm": "in fresh processes",
    "twice": "at twice the load",
    "distance": "with the database farther away",
}
NOT_MEASURED: Mapping[Stage, str] = {
    "twice": "what it does at twice the load was not measured",
    "distance": "what it does with the database farther away was not measured",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What is recommended, with everything that speaks for or against it."""

    recommended: Setting | None
    alternate: Setting | None
    capacity: SettingKnee | None
    comparisons: tuple[Change, ...]
    confirmed: bool
    reasons: tuple[str, ...]

    def over(self, role: Role) -> Change | None:
        """The recommended setting's gain over another one in stage `confirm`."""
        found = (
            each
            for each in self.comparisons
            if each.stage == "confirm"
            and each.against == role
            and each.candidate == self.recommended
        )
        return next(found, None)


def decide(search: ArmSearch, plateau: Plateau | None, trials: Trials, status: Status) -> Decision:
    """Judge one arm. Of the taken, the roomiest and the present setting that one is recommended
    which is nowhere told apart as worse and steadiest over all conditions; the default, should it
    beat that one in `confirm`."""
    taken = search.taken
    if taken is None or plateau is None:
        ended = "The run ended before a setting was chosen." if status == "interrupted" else (
            "No setting met the objective at any load that was tried."
        )  # fmt: skip
        return Decision(None, None, None, (), False, (ended,))
    arm = _Arm(search, taken, search.alternate, trials)
    recommended, replaced = arm.choose()
    comparisons = tuple(arm.comparisons(recommended))
    capacity = trials.knee("confirm", Side(search.arm, recommended))
    doubts = [*_unproven(capacity, status), *_not_robust(comparisons, recommended)]
    missing = [] if capacity is None else arm.missing(recommended)
    if status == "interrupted":
        doubts += missing
    reasons = [*replaced, *(doubts or [_proof(capacity, comparisons, recommended)])]
    if status == "complete":
        reasons += missing
    reasons += _nearly_robust(comparisons, recommended)
    reasons += _stalls(trials, Side(search.arm, recommended), capacity)
    said = tuple(f"{each[0].upper()}{each[1:]}." for each in reasons)
    return Decision(recommended, arm.alternate, capacity, comparisons, not doubts, said)


@dataclass(frozen=True, slots=True)
class _Arm:
    """One arm's settings that were measured again, and how they compare."""

    search: ArmSearch
    taken: Setting
    alternate: Setting | None
    trials: Trials

    def compare(
        self, stage: Stage, metric: Metric, one: Setting, role: Role, alpha: float
    ) -> Change | None:
        """A setting against the one in a role; None unless they differ and both were measured."""
        other = self._in_role(role)
        if other is None or other == one:
            return None
        candidate, baseline = Side(self.search.arm, one), Side(self.search.arm, other)
        found = self.trials.compare(stage, metric, candidate, baseline, role, alpha)
        return None if found.word == "not measured" else found

    def _in_role(self, role: Role) -> Setting | None:
        return {
            "taken": self.taken,
            "alternate": self.alternate,
            "present": self.search.present,
            "default": FRAMEWORK_DEFAULT,
        }.get(role)

    def choose(self) -> tuple[Setting, list[str]]:
        """The setting to recommend, and why it is not the taken one."""
        chosen, reasons = self._steadiest()
        found = self.compare("confirm", "knee_per_s", chosen, "default", self._alpha(chosen))
        if found is not None and found.word == "worse":
            return found.baseline, [self._instead(found)]
        return chosen, reasons

    def _steadiest(self) -> tuple[Setting, list[str]]:
        """Of the taken, the roomiest and the present setting, without those that another of them
        beats anywhere: the one that no condition speaks against, the cheaper of two that are
        close."""
        roles: dict[Setting, Role] = {self.taken: "taken"}
        if not self.trials.of("confirm", Side(self.search.arm, self.taken)):
            return self.taken, []  # nothing speaks against it
        if (present := self._present_if_sound()) is not None:
            roles.setdefault(present, "present")
        if self.alternate is not None:
            roles.setdefault(self.alternate, "alternate")
        beaten = {s: found for s in roles if (found := self._beaten(s, tuple(roles.values())))}
        standing = [s for s in roles if s not in beaten] or list(roles)
        worst_pct = shortfalls_pct(standing, [self._figure(stage) for stage in METRICS])
        chosen = steadiest(worst_pct)
        if chosen == self.taken:
            return self.taken, []
        if self.taken in beaten:
            why = self._instead(beaten[self.taken])
            if chosen != beaten[self.taken].baseline:
                why += f"; {self._said(chosen, roles[chosen])} is cheaper and level with the latter"
            return chosen, [why]
        return chosen, [
            f"not {setting_words(self.taken, self.search.app)}, which the search took: "
            f"{self._said(chosen, roles[chosen])} cannot be told apart from it anywhere, and falls "
            f"short of the best by {worst_pct[chosen]:.0f}% at most in any of the conditions, the "
            f"former by {worst_pct[self.taken]:.0f}%"
            + (", with less to keep open" if chosen.cost < self.taken.cost else "")
        ]

    def _beaten(self, setting: Setting, roles: tuple[Role, ...]) -> Change | None:
        """Where a contender is told apart as worse than another one, if anywhere."""
        looks = (
            self.compare(stage, metrics[0], setting, role, ALPHA)
            for stage, metrics in METRICS.items()
            for role in roles
        )
        return next((found for found in looks if found and found.word == "worse"), None)

    def _said(self, setting: Setting, role: Role) -> str:
        return f"{ROLES[role]} ({setting_words(setting, self.search.app)})"

    def _present_if_sound(self) -> Setting | None:
        """The present setting, unless arithmetic warns of it and not of the taken one."""
        present, app = self.search.present, self.search.app
        warned = worth_a_burst(present, app) and not worth_a_burst(self.taken, app)
        return None if warned else present

    def _figure(self, stage: Stage) -> dict[Setting, float]:
        """What each setting achieved in a stage, by the metric that decides there."""
        settings = (self.taken, self.search.present, self.alternate)
        found = {s: self._achieved(stage, Side(self.search.arm, s)) for s in settings if s}
        return {setting: value for setting, value in found.items() if value is not None}

    def _achieved(self, stage: Stage, side: Side) -> float | None:
        if METRICS[stage][0] == "good_per_s":
            rates = [each.good_per_s for each in self.trials.of(stage, side)]
            return sum(rates) / len(rates) if rates else None
        knee = self.trials.knee(stage, side)
        return knee.per_s if knee else None

    def _instead(self, found: Change) -> str:
        app = self.search.app
        return (
            f"not {setting_words(found.candidate, app)}, which the search took: "
            f"{WHERE[found.stage]} {ROLES[found.against]} ({setting_words(found.baseline, app)}) "
            f"is better; {_metric(found)} of the former against the latter {change_words(found)}"
        )

    def comparisons(self, recommended: Setting) -> Iterator[Change]:
        """The recommended setting against present and default, whose intervals are adjusted
        together stage by stage; and against the rest of the plateau, at 95% each."""
        rest: tuple[Role, ...] = ("alternate", "taken")
        for stage, metrics in METRICS.items():
            for metric in metrics:
                for role in (*self._others(recommended), *rest):
                    alpha = ALPHA if role in rest else self._alpha(recommended)
                    if found := self.compare(stage, metric, recommended, role, alpha):
                        yield found

    def _alpha(self, setting: Setting | None = None) -> float:
        return adjusted_alpha(len(self._others(setting or self.taken)))

    def _others(self, setting: Setting) -> tuple[Role, ...]:
        """Present and default, where they are not `setting`, each setting once."""
        roles: tuple[Role, ...] = ("default", "present")
        if self.search.present == FRAMEWORK_DEFAULT:
            roles = ("default",)
        return tuple(role for role in roles if self._in_role(role) != setting)

    def missing(self, recommended: Setting) -> list[str]:
        """What was not tried of the recommended setting."""
        side = Side(self.search.arm, recommended)
        return [said for stage, said in NOT_MEASURED.items() if not self.trials.of(stage, side)]


def _unproven(capacity: SettingKnee | None, status: Status) -> Iterator[str]:
    if capacity is None:
        ended = "the run ended before" if status == "interrupted" else "the run did not get to"
        yield f"not confirmed: {ended} the tries in fresh processes"
    elif capacity.censored == "below":
        yield (
            f"not confirmed: in fresh processes it missed the objective already at "
            f"{capacity.per_s:.0f}/s, the lowest load it was tried at"
        )
    elif capacity.units < 2:
        yield "not confirmed: one fresh instance only, and an interval needs two"


def _stalls(trials: Trials, side: Side, capacity: SettingKnee | None) -> Iterator[str]:
    """The knee leaves out what goes wrong in few of its seconds; whether that was too much."""
    if capacity is None or capacity.censored == "below":
        return
    scores = [each.score for each in trials.scored("confirm", side)]
    below = [each for each in scores if each.offered_per_s <= capacity.per_s]
    planned, late = sum(each.planned for each in below), sum(each.late for each in below)
    if late > LATE_SHARE * planned:
        yield (
            f"but its seconds differ: of all {planned:,} requests at loads up to that "
            f"{100 * late / planned:.1f}% were late"
        )


def _not_robust(comparisons: tuple[Change, ...], recommended: Setting) -> Iterator[str]:
    """Where the recommended setting is clearly worse than what it is to replace."""
    for found in _worse(comparisons, recommended):
        if found.change_pct is None or abs(found.change_pct) > CLOSE_PCT:
            yield f"not confirmed: {_better(found)}"


def _nearly_robust(comparisons: tuple[Change, ...], recommended: Setting) -> Iterator[str]:
    """Where it is worse, but by so little that it stays recommended."""
    for found in _worse(comparisons, recommended):
        if found.change_pct is not None and abs(found.change_pct) <= CLOSE_PCT:
            yield f"but {_better(found)}"


def _worse(comparisons: tuple[Change, ...], recommended: Setting) -> Iterator[Change]:
    for found in comparisons:
        decides = found.metric == METRICS[found.stage][0]
        known = found.against in ("default", "present") and found.candidate == recommended
        if decides and known and found.word == "worse":
            yield found


def _better(found: Change) -> str:
    return (
        f"{WHERE[found.stage]} {ROLES[found.against]} is better; {_metric(found)} against it "
        f"{change_words(found)}"
    )


def _proof(
    capacity: SettingKnee | None, comparisons: tuple[Change, ...], recommended: Setting
) -> str:
    assert capacity is not None  # else there are doubts
    stages = {each.stage for each in comparisons if each.candidate == recommended}
    held = [WHERE[stage] for stage in METRICS if stage in stages]
    nowhere = f"; it is nowhere clearly worse ({', '.join(held)})" if held else ""
    return f"confirmed by {capacity.units} fresh instances with seeds of their own{nowhere}"


def _metric(found: Change) -> str:
    return {
        "knee_per_s": "capacity", "good_per_s": "good answers per second", "p99_ms": "p99",
    }[found.metric]  # fmt: skip
