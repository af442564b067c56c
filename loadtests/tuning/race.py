"""PURE: the race: the load is raised step by step, and settings that miss the objective leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import Setting

STEP = 1.08
"""From one rung to the next. Finer steps tell more apart than a trial of a second can."""
ATTEMPTS = 2
FEW = 6
"""So few survivors get one attempt more."""
LONGEST_STRIDE = 4
SLACK = 4
"""Rungs below the highest from which a cheap setting still comes into the finals: where trials are
noisy, equal settings leave as far apart (benchmarks/tuning)."""
LOWEST_RATE_PER_S = 1.0


@dataclass(frozen=True, slots=True)
class Heat:
    """One block of the race: every one of `settings` once, at the same load, with the same
    arrivals. `rung` counts steps from the start (negative: below it); `attempt` from 1."""

    rung: int
    rate_per_s: float
    attempt: int
    settings: tuple[Setting, ...]


class Race:
    """Who is still in it, and what is to be measured next. The same scores give the same race.

    Like a high jump: at each rung those who clear it stay, those who miss it in all their attempts
    leave, provided that somebody cleared it. Where all clear, the rung goes up in longer strides;
    where all miss, it comes back halfway to the highest one that was cleared. It ends when
    somebody's highest rung is next to one that nobody who was left could clear.
    """

    def __init__(
        self, settings: Sequence[Setting], start_rate_per_s: float, objective: Objective
    ) -> None:
        if not settings:
            raise ValueError("a race needs at least one setting")
        self._start_rate_per_s = start_rate_per_s
        self._objective = objective
        self.standing: tuple[Setting, ...] = tuple(settings)
        self.cleared: dict[Setting, int] = {}
        """The highest rung that each setting cleared; those that never cleared one are absent."""
        self._rung, self._stride = 0, 1
        self._missed: int | None = None
        self._attempt = 1
        self._waiting = self.standing
        self._over = False

    @property
    def top(self) -> int | None:
        """The highest rung that anybody cleared."""
        return max(self.cleared.values(), default=None)

    def rate_at(self, rung: int) -> float:
        """The offered load of a rung, to three significant digits."""
        return max(LOWEST_RATE_PER_S, float(f"{self._start_rate_per_s * STEP**rung:.3g}"))

    def next_heat(self) -> Heat | None:
        """What to measure now; None when the race is over."""
        if self._over:
            return None
        return Heat(self._rung, self.rate_at(self._rung), self._attempt, self._waiting)

    def record(self, heat: Heat, scores: Mapping[Setting, Score]) -> None:
        """Take the scores of the heat in hand; a setting without one (it died) missed it."""
        if heat != self.next_heat():
            raise ValueError("scores of another heat than the one in hand")
        for setting in self._waiting:
            score = scores.get(setting)
            if score is not None and score.clears(self._objective):
                self.cleared[setting] = max(heat.rung, self.cleared.get(setting, heat.rung))
        self._waiting = tuple(s for s in self._waiting if self.cleared.get(s) != heat.rung)
        if self._waiting and self._attempt < self._attempts(heat.rung):
            self._attempt += 1
        else:
            self._finish_rung()

    def _attempts(self, rung: int) -> int:
        """One is enough where many miss a rung that need not be the last."""
        few = len(self.standing) <= FEW
        nobody = len(self._waiting) == len(self.standing)
        decides = self.top is not None and rung - self.top <= 1
        if nobody and not (few or decides):
            return 1
        return ATTEMPTS + few

    def _finish_rung(self) -> None:
        stay = tuple(s for s in self.standing if s not in set(self._waiting))
        if stay:
            unanimous = not self._waiting
            self.standing = stay
            self._stride = min(2 * self._stride, LONGEST_STRIDE) if unanimous else 1
        else:
            self._missed = self._rung
        self._go_on()

    def _go_on(self) -> None:
        """Choose the next rung, or end."""
        low, high = self.top, self._missed
        if low is None:
            assert high is not None  # nobody cleared anything, so all missed this one
            self._over = self.rate_at(high) <= LOWEST_RATE_PER_S
            self._rung = high - self._stride
            self._stride = 2 * self._stride
        elif high is None:
            self._rung = low + self._stride
        else:
            self._over = high - low <= 1
            self._rung = (low + high) // 2
        self._attempt, self._waiting = 1, self.standing

    @property
    def eligible(self) -> list[Setting]:
        """Whoever came within SLACK rungs of the highest, and so may be a finalist."""
        top = self.top
        return [] if top is None else [s for s, r in self.cleared.items() if r >= top - SLACK]

    def finalists(self, most: int) -> list[Setting]:
        """The settings worth more blocks, at most `most`, in ascending order of cost: the cheapest
        of those that cleared the highest rung; the roomiest of those that came as far or one rung
        less, to fall back on where the cheapest turns out to be too small; and the cheapest of all
        that came within SLACK rungs, since to have left a race by two trials is no proof."""
        if self.top is None:
            return []
        highest = [s for s, rung in self.cleared.items() if rung == self.top]
        near = [s for s, rung in self.cleared.items() if rung >= self.top - 1]
        ranked = [min(highest, key=_by_cost), max(near, key=lambda s: (s.room, s))]
        ranked = list(dict.fromkeys([*ranked[:most], *sorted(self.eligible, key=_by_cost)]))
        return sorted(ranked[:most], key=_by_cost)


def _by_cost(setting: Setting) -> tuple[tuple[int, ...], Setting]:
    return (setting.cost, setting)
