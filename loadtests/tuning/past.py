"""PURE: a tune run's own lines in the journal, written as values and read back from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from loadtests.errors import StorageError
from loadtests.tuning.score import Score
from loadtests.tuning.setting import Setting
from loadtests.tuning.space import Bounds
from loadtests.tuning.stages import Chosen, Stage
from loadtests.tuning.start import Need
from loadtests.tuning.world import Candidate

EVENT = "tune"
"""The journal's word for these lines; `what` tells them apart."""
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SpaceFacts:
    """What could be tried of an arm, as it stood before anything was measured."""

    arm: str
    present: Setting
    settings: tuple[Setting, ...]
    refused: Mapping[Setting, str]
    notes: tuple[str, ...]

    def facts(self) -> Facts:
        """As the journal has it."""
        return {
            "arm": self.arm,
            "present": self.present.to_json(),
            "settings": [each.to_json() for each in self.settings],
            "refused": [{**setting.to_json(), "why": why} for setting, why in self.refused.items()],
            "notes": list(self.notes),
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> SpaceFacts:
        """What `facts` wrote."""
        refused = {_setting(each): str(each["why"]) for each in facts["refused"]}
        settings = tuple(map(_setting, facts["settings"]))
        return cls(
            facts["arm"], _setting(facts["present"]), settings, refused, tuple(facts["notes"])
        )


@dataclass(frozen=True, slots=True)
class PilotFacts:
    """What a closed load on the present setting, and on the one that Little's law then asks for,
    said of an arm; the search starts at `start_rate_per_s`."""

    arm: str
    need: Need | None
    start: Setting | None
    start_rate_per_s: float

    def facts(self) -> Facts:
        """As the journal has it."""
        return {
            "arm": self.arm,
            "need": asdict(self.need) if self.need else None,
            "start": self.start.to_json() if self.start else None,
            "start_rate_per_s": self.start_rate_per_s,
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> PilotFacts:
        """What `facts` wrote."""
        need, start = facts["need"], facts["start"]
        return cls(
            facts["arm"],
            Need(**need) if need else None,
            _setting(start) if start else None,
            facts["start_rate_per_s"],
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """One block that counts: settings of one arm under one load, all with the same arrivals.

    `unit` as in `reports.tuning.record.Tried`; `rung` in search and finals, `attempt` in the
    search. `block` is None when nobody was left alive to be measured. `wall_s` is what it took,
    with whatever had to be measured again.
    """

    stage: Stage
    arm: str
    unit: int
    block: int | None
    scores: Mapping[Setting, Score]
    wall_s: float
    rate_per_s: float | None = None
    users: int | None = None
    rung: int | None = None
    attempt: int | None = None

    def facts(self) -> Facts:
        """As the journal has it."""
        plain = {
            name: getattr(self, name)
            for name in self.__dataclass_fields__
            if name not in ("scores", "wall_s")
        }
        scores = [{**s.to_json(), **asdict(score)} for s, score in self.scores.items()]
        return {**plain, "wall_s": round(self.wall_s, 3), "scores": scores}

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Measured:
        """What `facts` wrote."""
        scores = {_setting(each): _score(each) for each in facts["scores"]}
        names = cls.__dataclass_fields__.keys() - {"scores"}
        return cls(scores=scores, **{name: facts[name] for name in names})


@dataclass
class Past:
    """What earlier lines of the journal tell, folded; empty in a new run."""

    spaces: dict[str, SpaceFacts] = field(default_factory=dict)
    candidates: dict[str, Candidate] = field(default_factory=dict)
    """Every name that any instance had."""
    starters: dict[str, tuple[Setting, ...]] = field(default_factory=dict)
    """The settings that each arm's race began with: its second one, where it has two."""
    race_from: dict[str, tuple[int, float | None]] = field(default_factory=dict)
    """Of that race: how many blocks were measured before it, and the load that it starts at where
    that is not the pilot's."""
    invited: bool = False
    """Whether neighbours of the leaders were asked for a second race."""
    pilots: dict[str, PilotFacts] = field(default_factory=dict)
    measured: list[Measured] = field(default_factory=list)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    """What each arm's settings had to fit into when the run began."""
    finished: set[Stage] = field(default_factory=set)
    finished_arms: dict[Stage, set[str]] = field(default_factory=dict)
    """Arms that have a stage behind them which others may still have before them."""
    finalists: dict[str, tuple[Setting, ...]] = field(default_factory=dict)
    chosen: dict[str, Chosen | None] = field(default_factory=dict)
    """None: no finalist of the arm met the objective, or there was none."""
    process_mb: float | None = None
    """What the largest worker process of the search took after its finals."""
    paces: dict[tuple[str, str], float] = field(default_factory=dict)
    """Closed throughput of what was taken, by arm and world."""
    notes: list[str] = field(default_factory=list)

    def of_stage(self, stage: Stage, arm: str | None = None) -> list[Measured]:
        """The blocks of a stage, and of an arm, in order."""
        return [m for m in self.measured if m.stage == stage and arm in (None, m.arm)]

    def has_finished(self, stage: Stage, arms: Iterable[str]) -> bool:
        """Whether these arms have a stage behind them."""
        return stage in self.finished or set(arms) <= self.finished_arms.get(stage, set())

    @property
    def spent_s(self) -> float:
        """Wall time of all blocks that count."""
        return sum(each.wall_s for each in self.measured)

    @property
    def trials(self) -> int:
        """Trials that count."""
        return sum(len(each.scores) for each in self.measured)

    def _begin_race(self, facts: Mapping[str, Any]) -> None:
        start_rate_per_s = facts["start_rate_per_s"]
        self.starters[facts["arm"]] = tuple(map(_setting, facts["settings"]))
        self.race_from[facts["arm"]] = (len(self.measured), start_rate_per_s)
        if start_rate_per_s is not None:
            self.invited = True
            self.finished.discard("search")

    def _finish(self, stage: Stage, arms: Iterable[str] | None) -> None:
        if arms is None:
            self.finished.add(stage)
        else:
            self.finished_arms.setdefault(stage, set()).update(arms)

    def heats(self, arm: str) -> list[Measured]:
        """The blocks of an arm's last race."""
        first, _ = self.race_from[arm]
        return [m for m in self.measured[first:] if m.stage == "search" and m.arm == arm]

    def add(self, what: str, facts: Mapping[str, Any]) -> None:
        """Fold one more line in; a kind that this version does not know is passed over."""
        match what:
            case "space":
                self.spaces[facts["arm"]] = SpaceFacts.of(facts)
            case "starters":
                self._begin_race(facts)
            case "pace":
                self.paces[facts["arm"], facts["world"]] = facts["good_per_s"]
            case "world":
                for each in facts["candidates"]:
                    self.candidates[each["name"]] = Candidate(each["arm"], _setting(each))
            case "pilot":
                self.pilots[facts["arm"]] = PilotFacts.of(facts)
            case "measured":
                self.measured.append(Measured.of(facts))
            case "finalists":
                self.finalists[facts["arm"]] = tuple(map(_setting, facts["settings"]))
            case "chosen":
                self.chosen[facts["arm"]] = _chosen(facts)
            case "bounds":
                names = Bounds.__dataclass_fields__
                self.bounds[facts["arm"]] = Bounds(**{name: facts[name] for name in names})
            case "finished":
                self._finish(facts["stage"], facts.get("arms"))
                self.process_mb = facts.get("process_mb", self.process_mb)
            case "note":
                self.notes.append(facts["text"])


def past_of(events: Iterable[Mapping[str, Any]]) -> Past:
    """What a journal's events tell. Raises StorageError when a line is not as this version writes
    it."""
    past = Past()
    for event in events:
        if event.get("event") != EVENT:
            continue
        try:
            past.add(event["what"], event)
        except (KeyError, TypeError) as error:
            raise StorageError(
                f"A tune line of the journal is not as this version writes it ({error!r}).",
                hint="Use the version of bench that made the run, or tune anew.",
            ) from error
    return past


def chosen_facts(arm: str, chosen: Chosen | None) -> Facts:
    """What was taken of an arm, as the journal has it."""
    return {
        "arm": arm,
        "taken": chosen.taken.to_json() if chosen else None,
        "alternate": chosen.alternate.to_json() if chosen and chosen.alternate else None,
        "knee_per_s": chosen.knee_per_s if chosen else None,
    }


def _chosen(facts: Mapping[str, Any]) -> Chosen | None:
    if facts["taken"] is None:
        return None
    alternate = facts["alternate"]
    return Chosen(
        _setting(facts["taken"]), _setting(alternate) if alternate else None, facts["knee_per_s"]
    )


def named(settings: Mapping[str, Candidate]) -> list[Facts]:
    """Candidates by name, as the journal has them."""
    return [
        {"name": name, "arm": each.arm, **each.setting.to_json()} for name, each in settings.items()
    ]


def plain(settings: Sequence[Setting]) -> list[Facts]:
    """Settings as the journal has them."""
    return [dict(each.to_json()) for each in settings]


def _setting(facts: Mapping[str, Any]) -> Setting:
    return Setting(**{name: facts[name] for name in Setting.__dataclass_fields__})


def _score(facts: Mapping[str, Any]) -> Score:
    return Score(**{name: facts[name] for name in Score.__dataclass_fields__})
