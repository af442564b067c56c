"""The shape of a tune run's answer: what `tune.json` holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from loadtests.tuning.score import Objective
from loadtests.tuning.setting import Setting
from reports.model import Status
from reports.tuning.findings import (
    AtTwice,
    Change,
    Finalist,
    Hazard,
    Nearest,
    SettingKnee,
    Snippet,
)

FairKind = Literal["same budget", "each at its best", "framework defaults"]


@dataclass(frozen=True, slots=True)
class ArmReport:
    """One arm's answer. `recommended` is None when no setting met the objective."""

    arm: str
    kind: Literal["app", "command", "url"]
    app: str | None
    present: Setting
    default: Setting | None
    """What the frameworks would give it; None where that cannot differ from what it has."""
    taken: Setting | None
    alternate: Setting | None
    recommended: Setting | None
    capacity: SettingKnee | None
    """The recommended setting's knee in stage `confirm`."""
    finalists: tuple[Finalist, ...]
    """In ascending order of cost; those on the plateau cannot be told apart from the best."""
    tied_in_race: tuple[Setting, ...]
    """Settings that cleared the race's last rungs as well, but were not measured in the finals."""
    over_default: Change | None
    over_present: Change | None
    """The gains in stage `confirm`; None where the recommended setting is that one itself."""
    comparisons: tuple[Change, ...]
    """All of the arm: the recommended setting, or the taken one, in every stage that has them."""
    at_twice: tuple[AtTwice, ...]
    confirmed: bool
    verdict: tuple[str, ...]
    """Why it is confirmed, or why not; and why not the setting that was taken first."""
    hazards: tuple[Hazard, ...]
    why: tuple[str, ...]
    nearest: Nearest | None
    paste: tuple[Snippet, ...]
    trials: int
    measuring_s: float
    """The windows of these trials together, without what leads in, is waited for or put back."""
    notes: tuple[str, ...]

    @property
    def plateau(self) -> tuple[Finalist, ...]:
        """The finalists that cannot be told apart from the best, cheapest first."""
        return tuple(each for each in self.finalists if each.on_plateau)

    def to_json(self) -> dict[str, Any]:
        """As `tune.json` has it under `arms`: the contract's keys first."""
        capacity, gain = self.capacity, self.over_default
        return {
            "recommended": _setting(self.recommended),
            "plateau": [_knee(each.found) for each in self.plateau],
            "capacity_per_s": capacity and capacity.per_s,
            "ci95_per_s": capacity and capacity.ci95_per_s,
            "gain_over_default_pct": self._gain_pct(gain, self.default),
            "gain_ci95_pct": gain and gain.ci95_pct,
            "gain_over_present_pct": self._gain_pct(self.over_present, self.present),
            "confirmed": self.confirmed,
            "trials": self.trials,
            "measuring_s": self.measuring_s,
            "why": list(self.why),
            "hazards": [each.words for each in self.hazards],
            "verdict": list(self.verdict),
            "capacity_censored": capacity and capacity.censored,
            "gain_bound": gain and gain.bound,
            "gain_over_present_ci95_pct": self.over_present and self.over_present.ci95_pct,
            "gain_over_present_bound": self.over_present and self.over_present.bound,
            "present": _setting(self.present),
            "default": _setting(self.default),
            "taken": _setting(self.taken),
            "alternate": _setting(self.alternate),
            "finalists": [_finalist(each) for each in self.finalists],
            "tied_in_race": [each.to_json() for each in self.tied_in_race],
            "comparisons": [asdict(each) for each in self.comparisons],
            "at_twice": [asdict(each) for each in self.at_twice],
            "hazard_details": [asdict(each) for each in self.hazards],
            "nearest": self.nearest and asdict(self.nearest),
            "paste": [asdict(each) for each in self.paste],
            "notes": list(self.notes),
        }

    def _gain_pct(self, change: Change | None, other: Setting | None) -> float | None:
        """0 where the recommended setting is `other` itself; None where nothing was measured."""
        if self.recommended is not None and self.recommended == other:
            return 0.0
        return None if change is None else change.change_pct


@dataclass(frozen=True, slots=True)
class Fair:
    """One of the three meanings of "sync against async", in the stages that were measured."""

    kind: FairKind
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class TuneReport:
    """A tune run's answer."""

    schema: int
    run: str
    status: Status
    headline: str
    scenario: str
    objective: Objective
    database_rtt_ms: float
    rtt_change_ms: float
    hosts: int
    arms: tuple[ArmReport, ...]
    fair: tuple[Fair, ...]
    notes: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Whether every arm has a confirmed recommendation."""
        return all(arm.confirmed for arm in self.arms)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values: the contract's keys first, null where a number does not exist."""
        return {
            "schema": self.schema,
            "arms": {arm.arm: arm.to_json() for arm in self.arms},
            "run": self.run,
            "status": self.status,
            "valid": self.valid,
            "headline": self.headline,
            "scenario": self.scenario,
            "objective": asdict(self.objective),
            "database_rtt_ms": self.database_rtt_ms,
            "rtt_change_ms": self.rtt_change_ms,
            "hosts": self.hosts,
            "fair": [asdict(each) for each in self.fair],
            "notes": list(self.notes),
        }


def _setting(setting: Setting | None) -> dict[str, int] | None:
    return None if setting is None else setting.to_json()


def _knee(found: SettingKnee) -> dict[str, Any]:
    numbers = {
        "knee_per_s": found.per_s,
        "ci95_per_s": found.ci95_per_s,
        "censored": found.censored,
        "units": found.units,
    }
    return {**found.setting.to_json(), **numbers}


def _finalist(finalist: Finalist) -> dict[str, Any]:
    return {
        **_knee(finalist.found),
        "behind_pct": finalist.behind_pct,
        "behind_ci95_pct": finalist.behind_ci95_pct,
        "on_plateau": finalist.on_plateau,
    }
