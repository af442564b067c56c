"""Two settings at twice the load: one that answers next to nothing, and requests given up early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import Setting
from reports.statistics import ALPHA
from reports.tuning import numbers
from reports.tuning.changes import Change, Side, Trials
from reports.tuning.findings import Metric
from reports.tuning.record import Tried

GATED, LOCKED = Setting(20, admission=0), Setting(5)
OBJECTIVE = Objective(p99_ms=150.0)


def trials(setting: Setting, good_per_s: Sequence[float], *, beyond: bool = False) -> list[Tried]:
    return [
        Tried(
            arm="sync", setting=setting, stage="twice", unit=unit, block=unit,
            score=Score(994.0, 1480, 1480, 0), good_per_s=each, rate_per_s=994.0,
            p99_ms=1530.0, p99_beyond=beyond,
        )
        for unit, each in enumerate(good_per_s)
    ]  # fmt: skip


def compared(
    metric: Metric, gated: Sequence[Tried], locked: Sequence[Tried], alpha: float = ALPHA
) -> Change:
    both = Trials([*gated, *locked], OBJECTIVE, 5.0)
    return both.compare(
        "twice", metric, Side("sync", GATED), Side("sync", LOCKED), "present", alpha
    )


@pytest.mark.parametrize(
    ("alpha", "word", "told"),
    [
        (ALPHA, "better", "+18"),
        (ALPHA / 2, "better", "more than +"),
        (ALPHA / 3, "cannot be told apart", "not known ("),
    ],
)
def test_of_a_setting_that_answered_next_to_nothing_is_told_what_is_known(
    alpha: float, word: str, told: str
) -> None:
    gated, locked = trials(GATED, (484.7, 384.0, 434.0)), trials(LOCKED, (0.0, 0.7, 0.0))
    change = compared("good_per_s", gated, locked, alpha)
    assert change.word == word
    assert numbers.change_or_why(change).startswith(told)


@pytest.mark.parametrize("beyond", [True, False])
def test_a_p99_that_lies_among_those_given_up_is_compared_with_nothing(beyond: bool) -> None:
    gated = trials(GATED, (400.0, 400.0, 400.0), beyond=beyond)
    locked = [replace(each, p99_ms=1520.0 + each.unit) for each in trials(LOCKED, (40.0,) * 3)]
    change = compared("p99_ms", gated, locked)
    assert (change.change_pct is None) == beyond
    assert change.word == ("cannot be told apart" if beyond else "equivalent")
    assert numbers.p99(gated[0].p99_ms, beyond=beyond).startswith("over") == beyond
