"""PURE: the heat map's cells, pool by load, and which cannot be told apart from the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import Setting
from reports.statistics import Estimate
from reports.tuning.found import furthest, searched
from reports.tuning.means import P99, middle, p99s_of
from reports.tuning.paired import in_time, shared_blocks
from reports.tuning.record import Tried

MOST_LOADS = 11
"""More columns would be too narrow for their numbers on a telephone."""

ByRate = dict[float, list[Tried]]


@dataclass(frozen=True, slots=True)
class Cell:
    """A setting at a load, all its trials there together.

    `held`: all together met the objective. `level`: nothing tells it apart from the best at that
    load, which is level with itself.
    """

    good_per_s: float
    p99: P99 | None
    error_pct: float
    held: bool
    level: bool
    trials: int


@dataclass(frozen=True, slots=True)
class Grid:
    """One setting for each pool, in ascending order of cost; loads ascending; cells where any
    trial was made; `left_out` loads of the search that are not shown."""

    rows: tuple[Setting, ...]
    rates_per_s: tuple[float, ...]
    cells: dict[tuple[Setting, float], Cell]
    left_out: int


def grid_of(
    tried: Iterable[Tried], arm: str, objective: Objective, first: Sequence[Setting]
) -> Grid:
    """For each pool the one of `first` that has it, else the setting that got furthest."""
    trials = searched(tried, arm)
    pools: dict[tuple[int, int], list[Setting]] = {}
    for setting in sorted(trials, key=lambda each: (each.cost, each)):
        pools.setdefault((setting.pool_size, setting.max_overflow), []).append(setting)
    rows = []
    for settings in pools.values():
        chosen = next((each for each in first if each in settings), None)
        chosen = chosen or furthest(settings, trials, objective)
        if chosen is not None:
            rows.append(chosen)
    by_rate = {row: _by_rate(trials[row]) for row in rows}
    cells = {
        (row, rate): _cell(at_rate, objective, level=_level(row, rate, by_rate))
        for row in rows
        for rate, at_rate in by_rate[row].items()
    }
    rates = _most_measured({rate for _, rate in cells}, [rate for _, rate in cells])
    shown = {key: cell for key, cell in cells.items() if key[1] in rates}
    return Grid(tuple(rows), rates, shown, len({rate for _, rate in cells}) - len(rates))


def _by_rate(trials: Iterable[Tried]) -> ByRate:
    by_rate: ByRate = {}
    for each in trials:
        by_rate.setdefault(each.score.offered_per_s, []).append(each)
    return by_rate


def _most_measured(rates: set[float], cells: Sequence[float]) -> tuple[float, ...]:
    """At most MOST_LOADS: those with the most cells, of equals the highest."""
    ranked = sorted(rates, key=lambda rate: (-cells.count(rate), -rate))
    return tuple(sorted(ranked[:MOST_LOADS]))


def _level(row: Setting, rate: float, by_rate: Mapping[Setting, ByRate]) -> bool:
    """Whether a setting cannot be told apart from the one that answers most in time at a load: over
    the blocks that both share there, or at the next lower load where they share enough for an
    interval. A single trial tells nothing."""
    there = {each: found[rate] for each, found in by_rate.items() if rate in found}
    best = max(there, key=lambda each: _in_time_share(there[each]))  # of equals the cheapest
    if row == best:
        return True
    both = sorted(at for at in by_rate[row] if at <= rate and at in by_rate[best])
    for at in reversed(both):
        change = in_time(shared_blocks(by_rate[best][at], by_rate[row][at]))
        if isinstance(change, Estimate):
            return change.interval_pct()[1] >= 0.0
    return True


def _in_time_share(trials: Sequence[Tried]) -> float:
    planned = sum(each.score.planned for each in trials)
    return 1.0 - sum(each.score.late for each in trials) / planned if planned else 0.0


def _cell(trials: Sequence[Tried], objective: Objective, *, level: bool) -> Cell:
    planned = sum(each.score.planned for each in trials)
    errors = sum(each.score.errors for each in trials)
    late = sum(each.score.late for each in trials)
    together = Score(trials[0].score.offered_per_s, planned, late, errors)
    return Cell(
        good_per_s=sum(each.good_per_s for each in trials) / len(trials),
        p99=middle(p99s_of(trials)),
        error_pct=100.0 * errors / planned if planned else 0.0,
        held=together.clears(objective),
        level=level,
        trials=len(trials),
    )
