"""PURE: an arm's recommended setting, and whether fresh processes confirm it."""

from __future__ import annotations

from dataclasses import dataclass

from loadtests.tuning.setting import Setting
from reports.model import Status
from reports.tuning.changes import Trials
from reports.tuning.choosing import Contest
from reports.tuning.findings import Change, Role, SettingKnee
from reports.tuning.plateau import Plateau
from reports.tuning.proving import Proof
from reports.tuning.record import ArmSearch
from reports.words import capital


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
    """Judge one arm: choose among what was measured again, and weigh what was measured of it."""
    if search.taken is None or plateau is None:
        ended = "The run ended before a setting was chosen." if status == "interrupted" else (
            "No setting met the objective at any load that was tried."
        )  # fmt: skip
        return Decision(None, None, None, (), False, (ended,))
    contest = Contest(search, search.taken, trials)
    recommended, replaced = contest.choose()
    comparisons = tuple(contest.comparisons(recommended))
    capacity = trials.knee("confirm", contest.side(recommended))
    proof = Proof(contest, recommended, capacity, comparisons, status)
    doubts = proof.doubts()
    reasons = [*(doubts or [proof.proof()]), *proof.remarks(), *replaced]
    said = tuple(f"{capital(each)}." for each in reasons)
    return Decision(recommended, search.alternate, capacity, comparisons, not doubts, said)
