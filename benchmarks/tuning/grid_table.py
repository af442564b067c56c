"""PURE: what a measured grid says of the setting that a search chose: tables and sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from loadtests.tuning.past import Measured
from loadtests.tuning.setting import Setting
from loadtests.tuning.world import objective_of
from reports.statistics import ALPHA
from reports.tuning.changes import Side, Trials
from reports.tuning.findings import Change, SettingKnee
from reports.tuning.means import P99, p99s_of
from reports.tuning.numbers import change_or_why, knee_of
from reports.tuning.plateau import plateau_of
from reports.tuning.record import ArmSearch, Tried, TuneRecord


@dataclass(frozen=True, slots=True)
class Cost:
    """Measuring time: trials that count, and the wall time of their blocks."""

    trials: int
    seconds: float

    @classmethod
    def of(cls, blocks: Sequence[Measured]) -> Cost:
        """What these blocks took."""
        return cls(sum(len(each.scores) for each in blocks), sum(each.wall_s for each in blocks))


@dataclass(frozen=True, slots=True)
class Grid:
    """Every setting of one arm at a common ladder of loads, and all once more at `p99_at_per_s`.

    `record` is the grid's own, `taken` and `alternate` of its arm are the search's; `recommended`
    is what the search's run said in the end.
    """

    record: TuneRecord
    recommended: Setting
    p99_at_per_s: float | None

    @property
    def arm(self) -> ArmSearch:
        """The one arm."""
        [arm] = self.record.arms
        return arm

    @property
    def trials(self) -> Trials:
        """All loads, for the knee."""
        return self._trials(self.record.tried)

    @property
    def trials_for_p99(self) -> Trials:
        """One load, for the p99 at it."""
        at = self.p99_at_per_s
        return self._trials([each for each in self.record.tried if each.rate_per_s == at])

    def _trials(self, tried: Sequence[Tried]) -> Trials:
        spec = self.record.spec
        return Trials(tried, objective_of(spec.tune.objective), spec.run.equivalence_pct)

    @property
    def best(self) -> Setting | None:
        """The setting with the highest estimated knee; None when none met the objective."""
        scored = {s: self.trials.scored("confirm", self.side(s)) for s in self.arm.settings}
        plateau = plateau_of(scored, objective_of(self.record.spec.tune.objective))
        return plateau.best if plateau else None

    @property
    def taken(self) -> Setting:
        """What the search took."""
        if self.arm.taken is None:
            raise ValueError("a grid stands beside a search that took a setting")
        return self.arm.taken

    def side(self, setting: Setting) -> Side:
        """A setting, as the comparisons want it."""
        return Side(self.arm.arm, setting)

    def knee(self, setting: Setting) -> SettingKnee | None:
        """A setting's knee with its interval over instances."""
        return self.trials.knee("confirm", self.side(setting))

    def capacity_change(self, setting: Setting, best: Setting) -> Change:
        """A setting's knee against the best's."""
        pair = (self.side(setting), self.side(best))
        return self.trials.compare("confirm", "knee_per_s", *pair, "taken", ALPHA)

    def p99_change(self, setting: Setting, best: Setting) -> Change:
        """A setting's p99 against the best's, at the load of the p99."""
        pair = (self.side(setting), self.side(best))
        return self.trials_for_p99.compare("confirm", "p99_ms", *pair, "taken", ALPHA)

    def p99(self, setting: Setting) -> P99 | None:
        """The geometric mean over trials of their p99 at that load; None without any."""
        found = p99s_of(self.trials_for_p99.of("confirm", self.side(setting)))
        logs = [math.log(each.ms) for each in found if each.ms > 0.0]
        if not logs:
            return None
        return P99(math.exp(sum(logs) / len(logs)), any(each.beyond for each in found))


def told(grid: Grid) -> Iterator[str]:
    """The whole answer in Markdown: what was measured, every setting, the regret of the chosen."""
    yield _what(grid)
    yield ""
    best = grid.best
    if best is None:
        yield "No setting met the objective at any load, so there is nothing to fall behind."
        return
    yield from _settings_table(grid, best)
    yield ""
    yield from _regret(grid, best)


def _what(grid: Grid) -> str:
    spec, tried = grid.record.spec, grid.record.tried
    units = len({each.unit for each in tried if each.stage == "confirm"})
    loads = sorted(
        {each.rate_per_s for each in tried if each.stage == "confirm" and each.rate_per_s}
    )
    return (
        f"{grid.arm.arm} under {spec.tuned_scenario.name}, "
        f"{spec.run.database_rtt_ms:g} ms to the database; p99 within "
        f"{spec.tune.objective.p99_ms:g} ms; {units} instances of {len(grid.arm.settings)} "
        f"settings; loads {', '.join(f'{each:g}' for each in loads)}/s; seed {spec.run.seed}."
    )


def _settings_table(grid: Grid, best: Setting) -> Iterator[str]:
    at = "" if grid.p99_at_per_s is None else f" at {grid.p99_at_per_s:g}/s"
    yield f"| setting | | capacity, 95% interval | against the best | p99{at}, ms |"
    yield "|---|---|---|---|---|"
    for setting in sorted(grid.arm.settings, key=lambda each: (each.cost, each)):
        found = grid.knee(setting)
        against = "–" if setting == best else change_or_why(grid.capacity_change(setting, best))
        yield (
            f"| {setting.words} | {', '.join(_marks(grid, setting, best))} "
            f"| {knee_of(found)} | {against} "
            f"| {_ms(grid.p99(setting))} |"
        )


def _ms(found: P99 | None) -> str:
    return "–" if found is None else f"{'over ' if found.beyond else ''}{found.ms:.0f}"


def _marks(grid: Grid, setting: Setting, best: Setting) -> Iterator[str]:
    if setting == grid.recommended:
        yield "**recommended**"
    if setting == grid.taken:
        yield "taken"
    if setting == grid.arm.alternate:
        yield "roomiest"
    if setting == grid.arm.present:
        yield "present"
    if setting == best:
        yield "best"


def _regret(grid: Grid, best: Setting) -> Iterator[str]:
    """The regret of each setting that the search's answer names."""
    names: dict[Setting, list[str]] = {grid.recommended: ["recommended"]}
    names.setdefault(grid.taken, []).append("taken")
    if grid.arm.alternate is not None:
        names.setdefault(grid.arm.alternate, []).append("roomiest")
    for setting, roles in names.items():
        name = " and ".join(roles)
        if setting == best:
            yield f"- {name} ({setting.words}): it is the grid's best, regret 0."
            continue
        capacity, p99 = grid.capacity_change(setting, best), grid.p99_change(setting, best)
        yield (
            f"- {name} ({setting.words}) against the grid's best ({best.words}): capacity "
            f"{change_or_why(capacity)}, {capacity.word}; p99 {change_or_why(p99)}, {p99.word}."
        )


def costs_table(search: Cost, grid: Cost) -> Iterator[str]:
    """What the search took beside the grid."""
    yield "| | trials | of the grid's | measuring time | of the grid's |"
    yield "|---|---|---|---|---|"
    for name, cost in (("search and finals", search), ("grid", grid)):
        yield (
            f"| {name} | {cost.trials} | {100 * cost.trials / grid.trials:.0f}% "
            f"| {cost.seconds:.0f} s | {100 * cost.seconds / grid.seconds:.0f}% |"
        )
