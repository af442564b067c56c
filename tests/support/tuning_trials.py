"""What simulated services under tuning show in a trial: their split, their p99, their bursts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from loadtests.spec import Arm
from loadtests.tuning.score import Score
from loadtests.tuning.setting import Setting
from reports.tuning.record import Split, Stage, Tried
from tests.support.tuning_surfaces import OBJECTIVE, Surface

ROUND_TRIPS = 4
"""How often a simulated request goes to the database while it holds its connection."""


@dataclass(frozen=True)
class Simulated:
    """One arm of a record: what it is, and how it behaves."""

    arm: Arm
    surface: Surface

    def farther(self, rtt_ms: float) -> Simulated:
        """The same with a longer way to the database."""
        holding_ms = self.surface.holding_ms + ROUND_TRIPS * rtt_ms
        return replace(self, surface=replace(self.surface, holding_ms=holding_ms))


@dataclass(frozen=True)
class Hopeless(Surface):
    """A service too slow for the objective at any load."""

    def knee_per_s(self, setting: Setting) -> float:
        return 0.01


def open_trial(
    surface: Surface, setting: Setting, score: Score, arm: str, stage: Stage, block: int
) -> Tried:
    """What a trial would have told beside its score: the wait grows where the service is bound."""
    knee_per_s = surface.knee_per_s(setting)
    slots = setting.pool_size + setting.max_overflow
    used = 0.0 if isinstance(surface, Hopeless) else score.offered_per_s / knee_per_s
    beyond = max(0.0, setting.workers * slots / surface.database_at - 1.0)
    db_ms, own_ms = (
        surface.holding_ms * (1.0 + surface.harm * beyond),
        600.0 / surface.processor_per_s,
    )
    waiting_ms = min(2000.0, 30.0 * used**6)
    for_thread = 1.0 if setting.threads < slots else 0.1
    total_ms = db_ms + own_ms + waiting_ms
    good_per_s = min(score.offered_per_s, 1.05 * knee_per_s)
    return Tried(
        arm=arm,
        setting=setting,
        stage=stage,
        unit=0,
        block=block,
        score=score,
        good_per_s=good_per_s,
        rate_per_s=score.offered_per_s,
        p50_ms=total_ms,
        good=score.planned - score.errors,
        good_p50_ms=total_ms,
        p99_ms=min(9000.0, max(2.0 * total_ms, OBJECTIVE.p99_ms * used**4)),
        split=Split(
            thread_ms=for_thread * waiting_ms,
            pool_ms=(1.0 - for_thread) * waiting_ms,
            db_ms=db_ms,
            own_ms=own_ms,
            total_ms=total_ms,
        ),
        cpu_ms_per_request=1e3 / surface.processor_per_s,
        connections=min(slots, max(1, round(good_per_s * db_ms / 1e3 * 2))),
        threads=min(setting.threads, 3 + slots),
        server={
            "Questions": 6.0 * score.planned,
            "Threads_running": 1.0 + beyond,
            "Innodb_row_lock_time": 10.0 * beyond,
        },
    )


def burst_trials(simulated: Simulated, setting: Setting, unit: int, block: int) -> Iterator[Tried]:
    """The calm load and the burst of one instance; where the service has the trap, the burst
    gets next to no answers."""
    slots = setting.pool_size + setting.max_overflow
    knee_per_s = replace(simulated.surface, trap=False).knee_per_s(setting)
    for users in (setting.pool_size, setting.threads + slots + 20):
        calm = users == setting.pool_size
        locked = simulated.surface.trap and not calm
        good_per_s = knee_per_s * (1.0 + 0.02 * unit) * (0.02 if locked else 1.0)
        good, errors = max(1, round(good_per_s * 1.5)), users if locked else 0
        p50_ms = 4800.0 if locked else 1e3 * users / good_per_s
        yield Tried(
            arm=simulated.arm.name, setting=setting, stage="burst", unit=unit, block=block,
            score=Score(good_per_s, good + errors, errors, errors),
            good_per_s=good_per_s, users=users,
            p50_ms=p50_ms, p99_ms=p50_ms * (1.5 if calm else 6.0),
            connections=slots, threads=setting.threads,
        )  # fmt: skip
