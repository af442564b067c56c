"""Where a request's time goes as the pool changes: thread, pool, database, own work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import Knob
from reports import words
from reports.charts.chart import Chart
from reports.charts.style import INK, SMALL_PT, new_sheet, quiet
from reports.charts.time_split import PARTS, draw_parts, parts_legend
from reports.tuning import say
from reports.tuning.along import Along
from reports.tuning.record import Split

ROW_PT = 18.0
PANEL_PT = 70.0
SHOWN = tuple(part for part in PARTS if part.key != "outside")
DOING = {"own": "the app's own work", "db": "the database"}


def split_chart(
    name: str, arm: str, pools: Along, choices: Sequence[Setting], knobs: frozenset[Knob]
) -> Chart | None:
    """One bar per setting of `pools` whose trials tell their split, the smallest pool above; None
    where none of them does. `choices`: all that could have been measured there."""
    told = {each.setting: each.split for each in pools.seen if each.split is not None}
    if not told:
        return None
    rows = [(setting, _parts(split)) for setting, split in told.items()]
    settings = list(told)
    title = _finding(arm, told, pools.rate_per_s)
    missing = [each for each in choices if each not in told]
    sheet = new_sheet(PANEL_PT + ROW_PT * len(rows), title, _note(missing))
    [axes] = sheet.axes
    for y, (_, parts) in enumerate(rows):
        draw_parts(axes, y, shares_pct(parts), SHOWN, 100.0, words.ms(sum(parts.values())))
    quiet(axes, "x")
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 100.1)
    labels = say.labels(settings, knobs)
    axes.set_yticks(range(len(rows)), labels, color=INK, fontsize=SMALL_PT)
    axes.set_xlabel("share of the mean time in the app (%); at the end: all of it")
    parts_legend(axes, SHOWN)
    return Chart(
        name=name,
        title=title,
        caption=(
            f"Where good answers spend their time in the app at {words.per_s(pools.rate_per_s)} "
            "offered, as the app itself reports it (Server-Timing), in search and finals; each bar "
            f"is 100% of the mean that stands at its end{say.common(settings, knobs)}. Waiting for "
            "a connection includes the admission gate. All rows are at the same load, the highest "
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


def _finding(arm: str, told: Mapping[Setting, Split], rate_per_s: float) -> str:
    """What takes the largest part with the smallest pool, and with the largest."""
    start = f"{words.tidy(arm, 24)} at {words.rounded(rate_per_s)} requests/s"
    said = [f"with {say.pool(setting)} {_largest(split)}" for setting, split in told.items()]
    if len(said) == 1:
        return f"{start}: {said[0]}"
    return f"{start}: {said[0]}; {said[-1]}"


def _largest(split: Split) -> str:
    parts = _parts(split)
    part = max(SHOWN, key=lambda each: parts[each.key])
    return f"{DOING.get(part.key, part.label)} takes {words.ms(parts[part.key])}"


def _note(missing: Sequence[Setting]) -> str:
    if not missing:
        return ""
    return f"Not measured at this load: {words.listed(say.pool(each) for each in missing)}"
