"""PURE: what stays with an instance, what comes with its connections, their order, and warmth."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
RESAMPLES = 2000
Effects = Floats
"""Log of answers per second over the mean of all instances in the same cycle, cold or warm alike:
instances × openings × cycles × (cold, warm)."""


def effects(turns: pd.DataFrame) -> Effects:
    """What the machine does to a whole cycle is taken out, and the mean difference of warm and cold
    with it."""
    logs = turns.assign(log=np.log(turns["answers"] / turns["wall_s"]))
    keys = ["opening", "cycle", "warm"]
    logs["log"] -= logs.groupby(keys)["log"].transform("mean")
    return _cube(logs)


def warmth(turns: pd.DataFrame) -> Floats:
    """Log ratio of an instance's warm turns to its cold ones, on average: one for each instance."""
    cube = _cube(turns.assign(log=np.log(turns["answers"] / turns["wall_s"])))
    return np.asarray((cube[..., 1] - cube[..., 0]).mean(axis=(1, 2)), dtype=np.float64)


def _cube(logs: pd.DataFrame) -> Floats:
    keys = ["number", "opening", "cycle", "warm"]
    shape = [logs[key].nunique() for key in keys]
    return logs.sort_values(keys)["log"].to_numpy(dtype=np.float64).reshape(shape)


def ranks(turns: pd.DataFrame) -> Floats:
    """Instances × openings: as which an instance opened its connections, from −½ to +½."""
    table = turns.groupby(["number", "opening"])["rank"].first().unstack()
    return np.asarray(table.to_numpy(dtype=np.float64) / (len(table) - 1) - 0.5)


def between_variance(cube: Effects) -> float:
    """Of what stays with an instance from one opening to another: the mean covariance over pairs
    of openings, to which the noise of turns adds nothing."""
    means = cube.mean(axis=(2, 3))
    pairs = combinations(range(means.shape[1]), 2)
    return float(np.mean([np.cov(means[:, a], means[:, b])[0, 1] for a, b in pairs]))


def opening_variance(cube: Effects) -> float:
    """Of what stays while an instance keeps its connections, beyond what stays anyway: within an
    opening, the covariance of odd and even cycles."""
    even, odd = cube[:, :, 0::2].mean(axis=(2, 3)), cube[:, :, 1::2].mean(axis=(2, 3))
    within = [np.cov(even[:, a], odd[:, a])[0, 1] for a in range(cube.shape[1])]
    return float(np.mean(within)) - between_variance(cube)


def order_effect(cube: Effects, order: Floats) -> float:
    """Log ratio of having opened last to having opened first: the slope over ranks, each against
    the instance's own mean over openings; 0 where every instance kept its rank."""
    means = cube.mean(axis=(2, 3))
    y, x = (each - each.mean(axis=1, keepdims=True) for each in (means, order))
    spread = float((x * x).sum())
    return float((x * y).sum()) / spread if spread else 0.0


def rows(turns: pd.DataFrame) -> Iterator[str]:
    """Markdown: each quantity with its 95% interval, a bootstrap over instances."""
    cube, order, warm = effects(turns), ranks(turns), warmth(turns)
    yield "| answers per second | | 95% interval |\n|---|---|---|"
    for what, of in (
        ("stays with the instance, sd", lambda chosen: _sd(between_variance(cube[chosen]))),
        ("the same, cold turns only", lambda chosen: _sd(between_variance(cube[chosen][..., :1]))),
        ("the same, warm turns only", lambda chosen: _sd(between_variance(cube[chosen][..., 1:]))),
        ("comes with the connections, sd", lambda chosen: _sd(opening_variance(cube[chosen]))),
        ("opened last against first", lambda chosen: order_effect(cube[chosen], order[chosen])),
        ("warm against cold", lambda chosen: float(warm[chosen].mean())),
    ):
        middle, low, high = _interval(of, len(cube))
        yield f"| {what} | {middle:+.1f}% | [{low:+.1f}, {high:+.1f}] |"


def _sd(variance: float) -> float:
    return math.sqrt(max(0.0, variance))


def _interval(
    of: Callable[[npt.NDArray[np.intp]], float], count: int
) -> tuple[float, float, float]:
    """In percent: of all instances, and 95% of those drawn again."""
    random = np.random.default_rng(1)
    drawn = [of(random.integers(count, size=count)) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    middle = of(np.arange(count))
    return 100 * middle, 100 * float(low), 100 * float(high)
