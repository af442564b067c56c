"""PURE: which of the settings that were measured again is recommended, and how it compares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from loadtests.tuning.hazards import worth_a_burst
from loadtests.tuning.setting import Setting
from reports.statistics import ALPHA, adjusted_alpha
from reports.tuning import numbers, say
from reports.tuning.changes import Side, Trials
from reports.tuning.findings import Change, Metric, Role
from reports.tuning.hazards import deadlock_shown
from reports.tuning.record import ArmSearch, Stage
from reports.tuning.robust import shortfalls_pct, steadiest
from reports.tuning.terms import METRICS, ROLES, STAGES

COMPARED: Mapping[Stage, tuple[Metric, ...]] = {
    "confirm": ("knee_per_s",),
    "twice": ("good_per_s", "p99_ms"),
    "distance": ("knee_per_s",),
}
"""What is compared in each stage; the first of them decides."""
DEADLOCK = "a burst showed that its threads and its pool wait for each other"


@dataclass(frozen=True, slots=True)
class Contest:
    """One arm's settings that were measured again."""

    search: ArmSearch
    taken: Setting
    trials: Trials

    def choose(self) -> tuple[Setting, list[str]]:
        """The setting to recommend, and why it is not the taken one. Of the taken, the roomiest
        and the present setting that one which is nowhere told apart as worse and steadiest over
        all conditions; the default, should it beat that one in `confirm`."""
        if not self.trials.of("confirm", self.side(self.taken)):
            return self.taken, []  # nothing speaks against it
        contenders = self._contenders()
        chosen, reasons = self._steadiest(contenders)
        found = self._compare("confirm", "knee_per_s", chosen, "default", self._alpha(chosen))
        if found and found.word == "worse" and self._is_sound(found.baseline, beside=chosen):
            reasons.append(self._instead(found, contenders[chosen]))
            chosen = found.baseline
        return chosen, [*reasons, *self._widened(chosen)]

    def comparisons(self, recommended: Setting) -> Iterator[Change]:
        """The recommended setting against present and default, whose intervals are adjusted
        together stage by stage; and against the rest of the plateau, at 95% each."""
        rest: tuple[Role, ...] = ("alternate", "taken")
        for stage, metrics in COMPARED.items():
            for metric in metrics:
                for role in (*self.others(recommended), *rest):
                    alpha = ALPHA if role in rest else self._alpha(recommended)
                    if found := self._compare(stage, metric, recommended, role, alpha):
                        yield found

    def others(self, setting: Setting) -> tuple[Role, ...]:
        """Present and default, where they are not `setting`, each setting once."""
        roles: tuple[Role, ...] = ("default", "present")
        if self.search.present == self.search.default:
            roles = ("default",)
        return tuple(role for role in roles if self._in_role(role) != setting)

    def side(self, setting: Setting) -> Side:
        """A setting of this arm."""
        return Side(self.search.arm, setting)

    def deadlocked(self, setting: Setting) -> bool:
        """Whether a burst showed that a setting's threads and pool wait for each other."""
        bursts = self.trials.of("burst", self.side(setting))
        return deadlock_shown(setting, self.search.app, bursts)

    def _compare(
        self, stage: Stage, metric: Metric, one: Setting, role: Role, alpha: float
    ) -> Change | None:
        """A setting against the one in a role; None unless they differ and both were measured."""
        other = self._in_role(role)
        if other is None or other == one:
            return None
        found = self.trials.compare(stage, metric, self.side(one), self.side(other), role, alpha)
        return None if found.word == "not measured" else found

    def _in_role(self, role: Role) -> Setting | None:
        return {
            "taken": self.taken,
            "alternate": self.search.alternate,
            "present": self.search.present,
            "default": self.search.default,
        }.get(role)

    def _contenders(self) -> dict[Setting, Role]:
        """The taken, the present and the roomiest setting, but for those that were not measured
        beside it or are not sound."""
        roles: dict[Setting, Role] = {self.taken: "taken"}
        others: tuple[Role, ...] = ("present", "alternate")
        for role in others:
            setting = self._in_role(role)
            if setting is None or not self.trials.of("confirm", self.side(setting)):
                continue
            if self._is_sound(setting, beside=self.taken):
                roles.setdefault(setting, role)
        if len(roles) > 1 and self.deadlocked(self.taken):
            del roles[self.taken]
        return roles

    def _is_sound(self, setting: Setting, beside: Setting) -> bool:
        """Whether no burst showed a deadlock, and arithmetic does not warn of it alone."""
        app = self.search.app
        warned = worth_a_burst(setting, app) and not worth_a_burst(beside, app)
        return not warned and not self.deadlocked(setting)

    def _steadiest(self, contenders: Mapping[Setting, Role]) -> tuple[Setting, list[str]]:
        """The contender that no condition speaks against, of those that no other one beats
        anywhere; the cheaper of two that are close."""
        roles = tuple(contenders.values())
        beaten = {s: found for s in contenders if (found := self._beaten(s, roles))}
        standing = [s for s in contenders if s not in beaten] or list(contenders)
        figures = [self._figure(stage, contenders) for stage in COMPARED]
        worst_pct = shortfalls_pct(standing, figures)
        chosen = steadiest(worst_pct)
        if chosen == self.taken:
            return chosen, []
        said = f"{ROLES[contenders[chosen]].said} ({self._words(chosen)})"
        if self.taken not in contenders:
            return chosen, [f"{self._not(self.taken, 'taken')}: {DEADLOCK}; {said} instead"]
        if self.taken in beaten:
            why = self._instead(beaten[self.taken], "taken")
            if chosen != beaten[self.taken].baseline:
                why += f"; {said} is cheaper and level with the latter"
            return chosen, [why]
        cheaper = ", with less to keep open" if chosen.cost < self.taken.cost else ""
        return chosen, [
            f"{self._not(self.taken, 'taken')}: {said} cannot be told apart from it anywhere, and "
            f"falls short of the best by {worst_pct[chosen]:.0f}% at most in any of the "
            f"conditions, the former by {worst_pct[self.taken]:.0f}%{cheaper}"
        ]

    def _beaten(self, setting: Setting, roles: tuple[Role, ...]) -> Change | None:
        """Where a contender is told apart as worse than another one, if anywhere."""
        looks = (
            self._compare(stage, metrics[0], setting, role, ALPHA)
            for stage, metrics in COMPARED.items()
            for role in roles
        )
        return next((found for found in looks if found and found.word == "worse"), None)

    def _figure(self, stage: Stage, contenders: Mapping[Setting, Role]) -> dict[Setting, float]:
        """What each contender achieved in a stage, by the metric that decides there."""
        found = {setting: self._achieved(stage, self.side(setting)) for setting in contenders}
        return {setting: value for setting, value in found.items() if value is not None}

    def _achieved(self, stage: Stage, side: Side) -> float | None:
        """None where it was not measured or its end was not reached; 0 where it held no load."""
        if COMPARED[stage][0] == "good_per_s":
            rates = [each.good_per_s for each in self.trials.of(stage, side)]
            return sum(rates) / len(rates) if rates else None
        knee = self.trials.knee(stage, side)
        if knee is None or knee.censored == "above":
            return None
        return 0.0 if knee.censored == "below" else knee.per_s

    def _alpha(self, recommended: Setting) -> float:
        return adjusted_alpha(len(self.others(recommended)) + self._chosen_over(recommended))

    def _chosen_over(self, recommended: Setting) -> int:
        """How many settings fresh processes chose it over, because it did well there."""
        if recommended == self.taken:
            return 0
        return len({*self._contenders(), recommended}) - 1

    def _widened(self, chosen: Setting) -> Iterator[str]:
        """That the winner's intervals are those of a winner."""
        others, over = len(self.others(chosen)), self._chosen_over(chosen)
        if others and over:
            yield (
                "the same processes that chose it measured it, so its intervals against default "
                f"and present are as wide as for {others + over} comparisons"
            )

    def _instead(self, found: Change, role: Role) -> str:
        other = f"{ROLES[found.against].said} ({self._words(found.baseline)})"
        return f"{self._not(found.candidate, role)}: {is_better(found, other)}"

    def _not(self, setting: Setting, role: Role) -> str:
        """`not pool 5 + 0, which the search took`."""
        if role == "taken":
            return f"not {self._words(setting)}, which the search took"
        return f"not {ROLES[role].said} ({self._words(setting)}) either"

    def _words(self, setting: Setting) -> str:
        return say.full(setting, self.search.app)


def is_better(found: Change, other: str) -> str:
    """That what a setting is compared with, called `other`, is better than it, and by how much:
    `at twice the load the default is better (p99 against it +9.0% [+2.0, +16])`."""
    change = f"{METRICS[found.metric].said} against it {numbers.change_or_why(found)}"
    return f"{STAGES[found.stage].said} {other} is better ({change})"
