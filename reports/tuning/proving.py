"""PURE: whether fresh processes confirm a recommended setting: what speaks against it, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from loadtests.tuning.score import LATE_SHARE, Score
from loadtests.tuning.setting import Setting
from loadtests.tuning.stages import FEWEST_INSTANCES
from reports.model import Status
from reports.tuning import numbers
from reports.tuning.choosing import COMPARED, DEADLOCK, Contest, is_better
from reports.tuning.findings import Change, SettingKnee
from reports.tuning.record import Stage
from reports.tuning.robust import CLOSE_PCT
from reports.tuning.terms import METRICS, ROLES, STAGES
from reports.words import listed

LOSS_PCT = 25.0
"""A setting is confirmed only if it loses less than this against what it is to replace, surely. On
a usual machine a 95% interval reaches 15 to 21% to either side with three instances, 9 to 14% with
five (benchmarks/tuning/results.md)."""
AGAIN: tuple[Stage, ...] = ("twice", "distance")
"""The conditions that a confirmed setting was tried in beside `confirm`."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was measured of an arm's recommended setting in fresh processes."""

    contest: Contest
    recommended: Setting
    capacity: SettingKnee | None
    comparisons: tuple[Change, ...]
    status: Status

    def doubts(self) -> list[str]:
        """Everything for which the setting is not confirmed."""
        found = [*self._unproven(), *self._late_instances(), *self._worse(), *self._may_lose()]
        if self.contest.deadlocked(self.recommended):
            found.append(DEADLOCK)
        if self.capacity is not None:
            found += self._not_tried()
        return [f"not confirmed: {each}" for each in found]

    def proof(self) -> str:
        """What confirms it, where there is no doubt."""
        assert self.capacity is not None  # else there are doubts
        said = f"confirmed by {self.capacity.units} fresh instances with seeds of their own"
        enough = (each for each in COMPARED if self._units(each) >= FEWEST_INSTANCES)
        if held := [STAGES[each].said for each in enough]:
            said += f"; it is nowhere clearly worse ({', '.join(held)})"
        if others := [ROLES[each.against].said for each in self._decisive("confirm")]:
            said += f", and a loss of {LOSS_PCT:.0f}% against {listed(others)} is excluded"
        return said

    def remarks(self) -> Iterator[str]:
        """What is to be known of a setting, confirmed or not."""
        for found in self._told_worse():
            if _is_close(found):
                yield f"but {is_better(found, ROLES[found.against].said)}"
        for stage in COMPARED:
            if 0 < (units := self._units(stage)) < FEWEST_INSTANCES:
                yield (
                    f"but {STAGES[stage].said} {units} instances only were measured, too few to "
                    "show a difference"
                )
        compared = {each.against for each in self._decisive("confirm")}
        if self.capacity is not None:
            for role in self.contest.others(self.recommended):
                if role not in compared:
                    yield f"but {ROLES[role].said} was not measured beside it"
        yield from self._stalls()

    def _unproven(self) -> Iterator[str]:
        capacity = self.capacity
        if capacity is None:
            ended = "ended before" if self.status == "interrupted" else "did not get to"
            yield f"the run {ended} the tries in fresh processes"
        elif capacity.censored == "below":
            yield (
                f"in fresh processes it missed the objective already at {capacity.per_s:.0f}/s, "
                "the lowest load it was tried at"
            )
        elif capacity.units < 2:
            yield "one fresh instance only, and an interval needs two"
        elif capacity.censored is None and capacity.ci95_per_s is None:
            yield "too little was measured for an interval of its capacity"

    def _late_instances(self) -> Iterator[str]:
        """Instances that fail where the knee says the setting does not: it is read off the counts
        of all together, in which one that is late all the time can go under."""
        by_instance = self._up_to_knee()
        for number, (_, scores) in enumerate(sorted(by_instance.items()), start=1):
            missed = sum(not each.clears(self.contest.trials.objective) for each in scores)
            if missed and missed >= min(len(scores), max(2, len(scores) / 2)):
                yield (
                    f"fresh instance {number} of {len(by_instance)} missed the objective in "
                    f"{missed} of {len(scores)} trials at loads up to that capacity"
                )

    def _stalls(self) -> Iterator[str]:
        """The knee leaves out what goes wrong in few seconds; whether that was too much."""
        scores = [each for of_one in self._up_to_knee().values() for each in of_one]
        planned, late = sum(each.planned for each in scores), sum(each.late for each in scores)
        if late > LATE_SHARE * planned:
            yield (
                f"but single seconds stalled: of all {planned:,} requests at loads up to that "
                f"capacity {100 * late / planned:.1f}% were late"
            )

    def _up_to_knee(self) -> Mapping[int, Sequence[Score]]:
        """What each instance did at loads that the setting is said to bear."""
        found: dict[int, list[Score]] = defaultdict(list)
        capacity = self.capacity
        if capacity is None or capacity.censored == "below":
            return found
        highest_per_s = capacity.per_s * (1 + 1e-9)  # it was a logarithm in between
        for each in self.contest.trials.scored("confirm", self.contest.side(self.recommended)):
            if each.score.offered_per_s <= highest_per_s:
                found[each.unit].append(each.score)
        return found

    def _worse(self) -> Iterator[str]:
        """Where it is clearly worse than what it is to replace."""
        return (
            is_better(found, ROLES[found.against].said)
            for found in self._told_worse()
            if not _is_close(found)
        )

    def _may_lose(self) -> Iterator[str]:
        """What it is to replace, and may be much better for all that was measured."""
        for found in self._decisive("confirm"):
            if found.word == "worse" and not _is_close(found):
                continue  # said already
            low_pct = found.ci95_pct[0] if found.ci95_pct else None
            if low_pct is None or low_pct < -LOSS_PCT:
                yield (
                    f"too little was measured to exclude a loss of {LOSS_PCT:.0f}% against "
                    f"{ROLES[found.against].said} ({METRICS[found.metric].said} against it "
                    f"{numbers.change_or_why(found)})"
                )

    def _not_tried(self) -> Iterator[str]:
        side = self.contest.side(self.recommended)
        for stage in AGAIN:
            if not self.contest.trials.of(stage, side):
                yield f"what it does {STAGES[stage].said} was not measured"

    def _told_worse(self) -> Iterator[Change]:
        compared = (each for stage in COMPARED for each in self._decisive(stage))
        return (each for each in compared if each.word == "worse")

    def _decisive(self, stage: Stage) -> list[Change]:
        """The comparisons with what it is to replace, by the metric that decides."""
        return [
            each
            for each in self.comparisons
            if (each.stage, each.metric) == (stage, COMPARED[stage][0])
            and each.against in ("default", "present")
        ]

    def _units(self, stage: Stage) -> int:
        """The instances of the stage's thinnest comparison; 0 where there is none."""
        return min((each.units for each in self.comparisons if each.stage == stage), default=0)


def _is_close(found: Change) -> bool:
    """Whether a setting that is worse is so by little; nobody knows where only a bound is known."""
    known = found.change_pct is not None and found.bound != "less than"
    return known and abs(found.change_pct or 0.0) <= CLOSE_PCT
