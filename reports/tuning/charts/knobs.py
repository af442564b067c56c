"""How capacity answers to each knob, the others left as in the setting that was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import Knob
from reports import words
from reports.charts.chart import Chart
from reports.charts.rows import draw_reading
from reports.charts.style import INK, MUTED, PAPER, ROUND_STEPS, Mark, new_sheet, quiet
from reports.charts.tags import tag
from reports.tuning import numbers, say
from reports.tuning.found import Found

ROW_PT = 17.0
HEADING_PT = 18.0
FOOT_PT = 30.0
WIDEST = 1.6
"""An interval is drawn up to this many times the best knee; beyond stands an arrow head."""


NEAR = 0.5


@dataclass(frozen=True, slots=True)
class Answer:
    """One value of a knob and what the search found for it."""

    found: Found
    interval_per_s: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Response:
    """A knob and its answers, by ascending value."""

    knob: Knob
    answers: tuple[Answer, ...]


def knobs_chart(
    name: str, arm: str, centre: Setting, responses: Sequence[Response], mark: Mark
) -> Chart | None:
    """One panel per knob over one axis of capacity; None where no knob has two values."""
    responses = [each for each in responses if len(each.answers) > 1]
    found = [answer.found for each in responses for answer in each.answers]
    if all(each.knee is None or each.missed_everywhere for each in found):
        return None
    heights = [HEADING_PT + ROW_PT * len(each.answers) for each in responses]
    title = _finding(arm, responses[0])
    sheet = new_sheet(sum(heights) + FOOT_PT, title, _note(responses), heights=heights)
    left, right = reach(responses)
    for axes, response in zip(sheet.axes, responses, strict=True):
        _draw_panel(axes, response, centre, mark, (left, right))
    for axes in sheet.axes[:-1]:
        axes.tick_params(labelbottom=False)
        axes.spines["bottom"].set_visible(False)
    sheet.axes[-1].set_xlabel("highest offered load within the objective (requests/s)")
    return Chart(
        name=name,
        title=title,
        caption=(
            "Each row changes one knob of the setting that was taken and leaves the others. Points "
            "are knees from all trials of search and finals, lines their 95% intervals over "
            "blocks. A hollow mark with an arrow is known from one side only. These are the "
            "search's numbers: settings were dropped on them, so they flatter those that stayed; "
            "the confirmation's, measured anew, count."
            + (" The axis does not begin at zero." if left else "")
        ),
        sheet=sheet,
        columns=("Knob", "Value", "Knee", "95% interval", "Trials"),
        rows=tuple(_table_row(each.knob, answer) for each in responses for answer in each.answers),
    )


def reach(responses: Sequence[Response]) -> tuple[float, float]:
    """From where to where the axis goes: from nought, unless all lies in its upper half."""
    answers = [answer for each in responses for answer in each.answers]
    knees = [each.found.knee.per_s for each in answers if each.found.knee]
    ends = [end for each in answers for end in each.interval_per_s or ()]
    low, high = min([*knees, *ends]), min(WIDEST * max(knees), max([*knees, *ends]))
    margin = 0.08 * (high - low) or 0.1 * high
    return (low - margin if low > NEAR * high else 0.0), high + margin


def _draw_panel(
    axes: Axes, response: Response, centre: Setting, mark: Mark, ends: tuple[float, float]
) -> None:
    quiet(axes, "x")
    axes.set_xlim(*ends)
    axes.set_ylim(len(response.answers) - 0.4, -0.6)
    axes.set_title(say.KNOB_NAMES[response.knob], loc="left", fontsize=8.5, color=MUTED, pad=3)
    labels = [
        f"{'★ ' if each.found.setting == centre else ''}"
        f"{say.knob_value(response.knob, each.found.setting)}"
        for each in response.answers
    ]
    axes.set_yticks(range(len(labels)), labels, color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=ROUND_STEPS))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    for y, answer in enumerate(response.answers):
        _draw_answer(axes, y, answer, labels[y], mark, ends[1])
        draw_reading(axes, y, numbers.knee(answer.found.knee, answer.interval_per_s))


def _draw_answer(axes: Axes, y: int, answer: Answer, label: str, mark: Mark, right: float) -> None:
    found = answer.found.knee
    if found is None:
        return
    if answer.interval_per_s and not found.censored:
        low, high = answer.interval_per_s
        axes.plot(
            [low, min(high, right)], [y, y], color=mark.colour, linewidth=2.0,
            solid_capstyle="butt", zorder=2,
        )  # fmt: skip
        if high > right:
            axes.plot([right], [y], ">", color=mark.colour, clip_on=False)
    shape = {"above": ">", "below": "<", None: mark.marker}[found.censored]
    [point] = axes.plot(
        [min(found.per_s, right)],
        [y],
        shape,
        color=mark.colour,
        markerfacecolor=PAPER if found.censored else mark.colour,
        markersize=6.0,
        markeredgewidth=1.3,
        zorder=3,
    )
    tag(point, tips=[f"{label}: {numbers.knee(found, answer.interval_per_s)}"])


def _finding(arm: str, response: Response) -> str:
    known = [each.found for each in response.answers if each.found.knee is not None]
    start = f"{words.tidy(arm, 24)}, {say.KNOB_NAMES[response.knob]}"
    said = [
        f"{say.knob_value(response.knob, each.setting)} bears {numbers.knee(each.knee)}"
        for each in known
    ]
    best = max(range(len(known)), key=lambda index: known[index].knee.per_s)  # type: ignore[union-attr]
    shown = dict.fromkeys([said[0], said[best], said[-1]])
    return f"{start}: {words.listed(shown)}"


def _note(responses: Sequence[Response]) -> str:
    missing = [
        f"{say.KNOB_NAMES[each.knob]} {say.knob_value(each.knob, answer.found.setting)}"
        for each in responses
        for answer in each.answers
        if answer.found.knee is None
    ]
    return f"Not measured: {words.listed(missing)}" if missing else ""


def _table_row(knob: Knob, answer: Answer) -> tuple[str, ...]:
    ci = answer.interval_per_s
    return (
        say.KNOB_NAMES[knob],
        say.knob_value(knob, answer.found.setting),
        numbers.knee(answer.found.knee),
        words.NOTHING if ci is None else f"{words.rounded(ci[0])} to {words.rounded(ci[1])}",
        str(answer.found.trials),
    )
