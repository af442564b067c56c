"""Where a request's time goes as the pool changes: thread, pool, database, own work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import Knob
from reports import words
from reports.charts.chart import Chart
from reports.charts.parted_bars import PARTS, Told, draw_parts, parts_legend
from reports.charts.style import INK, SMALL_PT, new_sheet, quiet
from reports.tuning import say
from reports.tuning.found import searched
from reports.tuning.means import mean_split
from reports.tuning.record import Split, Tried

ROW_PT = 18.0
PANEL_PT = 70.0
SHOWN = tuple(part for part in PARTS if part.key != "outside")
DOING = {"own": "the app's own work", "db": "the database"}


@dataclass(frozen=True, slots=True)
class Splits:
    """Mean split of every setting at one load; settings of `missing` were not measured there."""

    rate_per_s: float
    splits: dict[Setting, Split]
    missing: tuple[Setting, ...]


def splits_of(tried: Iterable[Tried], arm: str, settings: Sequence[Setting]) -> Splits | None:
    """At the load where most of `settings` were measured, of several the highest; None where no
    trial tells its split."""
    trials = searched(tried, arm)
    told = {
        (setting, each.score.offered_per_s)
        for setting in settings
        for each in trials.get(setting, ())
        if each.split is not None
    }
    if not told:
        return None
    counted = Counter(rate for _, rate in told)
    rate = max(counted, key=lambda each: (counted[each], each))
    found = {}
    for setting in settings:
        there = [each for each in trials.get(setting, ()) if each.score.offered_per_s == rate]
        if (split := mean_split(there)) is not None:
            found[setting] = split
    return Splits(rate, found, tuple(each for each in settings if each not in found))


def split_chart(name: str, arm: str, splits: Splits, knobs: frozenset[Knob]) -> Chart:
    """One bar per setting, the smallest pool above."""
    rows = [(setting, _parts(split)) for setting, split in splits.splits.items()]
    pools = list(splits.splits)
    title = _finding(arm, splits)
    sheet = new_sheet(PANEL_PT + ROW_PT * len(rows), title, _note(splits))
    [axes] = sheet.axes
    for y, (_, parts) in enumerate(rows):
        told = Told(None, say.pool(pools[y]), lambda share: f"{words.rounded(share)}%")
        draw_parts(axes, y, shares_pct(parts), SHOWN, 100.0, words.ms(sum(parts.values())), told)
    quiet(axes, "x")
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 100.1)
    labels = say.labels(pools, knobs)
    axes.set_yticks(range(len(rows)), labels, color=INK, fontsize=SMALL_PT)
    axes.set_xlabel("share of the mean time in the app (%); at the end: all of it")
    parts_legend(axes, SHOWN)
    return Chart(
        name=name,
        title=title,
        caption=(
            f"Where good answers spend their time in the app at {words.per_s(splits.rate_per_s)} "
            "offered, as the app itself reports it (Server-Timing), in search and finals; each bar "
            f"is 100% of the mean that stands at its end{say.common(pools, knobs)}. Waiting for a "
            "connection includes the admission gate. All rows are at the same load, the highest "
            "one at which most pools were measured; what waits outside the app is not in here."
        ),
        sheet=sheet,
        columns=("Setting", *(part.label for part in SHOWN), "together"),
        rows=tuple(
            (
                say.short(setting, knobs),
                *(words.ms(parts[part.key]) for part in SHOWN),
                words.ms(sum(parts.values())),
            )
            for setting, parts in rows
        ),
    )


def shares_pct(parts_ms: Mapping[str, float]) -> dict[str, float]:
    """Each part's share of the whole."""
    whole = sum(parts_ms.values())
    return {key: 100.0 * part / whole if whole else 0.0 for key, part in parts_ms.items()}


def _parts(split: Split) -> dict[str, float]:
    return {
        "thread": split.thread_ms,
        "pool": split.pool_ms,
        "db": split.db_ms,
        "own": max(0.0, split.own_ms),
    }


def _finding(arm: str, splits: Splits) -> str:
    """What takes the largest part with the smallest pool, and with the largest."""
    ordered = list(splits.splits.items())
    start = f"{words.tidy(arm, 24)} at {words.rounded(splits.rate_per_s)} requests/s"
    said = [f"with {say.pool(setting)} {_largest(split)}" for setting, split in ordered]
    if len(said) == 1:
        return f"{start}: {said[0]}"
    return f"{start}: {said[0]}; {said[-1]}"


def _largest(split: Split) -> str:
    parts = _parts(split)
    part = max(SHOWN, key=lambda each: parts[each.key])
    return f"{DOING.get(part.key, part.label)} takes {words.ms(parts[part.key])}"


def _note(splits: Splits) -> str:
    if not splits.missing:
        return ""
    missing = words.listed(say.pool(each) for each in splits.missing)
    return f"Not measured at this load: {missing}"
