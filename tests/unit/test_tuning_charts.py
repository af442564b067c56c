"""Charts of a tune run: what is hatched, blank or known from one side, and what titles claim."""

from dataclasses import replace

import pytest
from matplotlib.patches import Rectangle

from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import Setting
from reports.charts.chart import chart_style
from reports.charts.style import MARKS, PAPER
from reports.charts.tags import tags_of
from reports.tuning.charts.frontier import ArmFrontier, best_by_connections, frontier_chart
from reports.tuning.charts.grid import MOST_LOADS, grid_of
from reports.tuning.charts.heat import Heat, heat_chart
from reports.tuning.charts.knobs import Answer, Response, knobs_chart, reach
from reports.tuning.charts.load_curve import curves_of, load_curve
from reports.tuning.charts.ratios import Panel, Row, ratio_chart, reading
from reports.tuning.charts.split import shares_pct, split_chart, splits_of
from reports.tuning.findings import Change
from reports.tuning.found import Found, choices_along
from reports.tuning.knee import Knee
from reports.tuning.means import P99
from reports.tuning.record import ArmSearch, Split, Tried

OBJECTIVE = Objective(p99_ms=100.0)
SMALL, MIDDLE, LARGE = Setting(2), Setting(10), Setting(40)


@pytest.fixture(autouse=True)
def _style():
    with chart_style():
        yield


def tried(setting=MIDDLE, rate=100.0, *, late=0, stage="search", block=0, **more) -> Tried:
    """A trial of 1000 requests, `late` of them late."""
    return Tried(
        arm="sync", setting=setting, stage=stage, unit=more.pop("unit", block), block=block,
        score=Score(rate, 1000, late, more.pop("errors", 0)), good_per_s=rate, rate_per_s=rate,
        p99_ms=more.pop("p99_ms", 50.0 if late <= 10 else 200.0), **more,
    )  # fmt: skip


def search_of(*settings: Setting, **more) -> ArmSearch:
    return ArmSearch("sync", "app", "sync", MIDDLE, settings, {}, (), None, (), MIDDLE, **more)


def heat_of(trials, *, taken=None, plateau=()):
    grid = grid_of(trials, "sync", OBJECTIVE, [])
    return heat_chart(Heat("heat", "sync", grid, OBJECTIVE, frozenset(), taken, plateau))


class TestHeatMap:
    def test_cells_are_level_unless_blocks_that_are_shared_tell_them_apart(self):
        def blocks(small, rate=100.0, first=0):
            return [
                each
                for block, late in enumerate(small, start=first)
                for each in (
                    tried(SMALL, rate, late=late, block=block),
                    tried(MIDDLE, rate, late=block, block=block),
                )
            ]

        def level(trials, rate=100.0):
            return grid_of(trials, "sync", OBJECTIVE, []).cells[SMALL, rate].level

        assert level(blocks([500]))  # a single trial, whatever it says
        assert level(blocks([500, 0, 20]))
        assert not level(blocks([500, 480, 520]))
        once_above = [*blocks([500, 480, 520]), *blocks([600], rate=200.0, first=3)]
        assert not level(once_above, 200.0)  # it was told apart at a lower load
        grid = grid_of(once_above, "sync", OBJECTIVE, [])
        assert grid.rows == (SMALL, MIDDLE)
        assert grid.cells[MIDDLE, 100.0].level
        assert grid.cells[MIDDLE, 100.0].trials == 3

    def test_trials_of_different_blocks_tell_nothing_apart(self):
        trials = [tried(MIDDLE, late=0, block=n) for n in (0, 1, 2)]
        trials += [tried(SMALL, late=900 + n, block=n) for n in (3, 4, 5)]
        assert grid_of(trials, "sync", OBJECTIVE, []).cells[SMALL, 100.0].level

    def test_level_cells_are_hatched_in_every_panel_and_no_others(self):
        trials = [
            each
            for block in range(3)
            for each in (
                tried(SMALL, 100.0, block=block),
                tried(MIDDLE, 100.0, block=block, late=block),
                tried(SMALL, 200.0, block=9 + block),
                tried(MIDDLE, 200.0, block=9 + block, late=900 + block),
            )
        ]
        chart = heat_of(trials)
        for axes in chart.sheet.axes:
            cells = [each for each in axes.patches if isinstance(each, Rectangle)]
            hatched = {each.get_xy() for each in cells if each.get_hatch()}
            assert hatched == {(0, 0), (0, 1), (1, 0)}
            assert {each.get_xy() for each in cells} == {(0, 0), (0, 1), (1, 0), (1, 1)}

    def test_what_was_never_measured_is_blank_and_said_so(self):
        whole = heat_of([tried(MIDDLE), tried(SMALL)])
        assert "Blank" not in note_of(whole)
        holes = heat_of([tried(MIDDLE, 100.0), tried(MIDDLE, 200.0), tried(SMALL, 100.0)])
        assert "Blank (1 cell)" in note_of(holes)
        assert len(holes.rows) == 3

    def test_the_row_of_a_pool_is_the_setting_that_was_taken_or_got_furthest(self):
        few, many = replace(MIDDLE, threads=10), MIDDLE
        trials = [tried(few, 100.0), tried(many, 100.0), tried(many, 200.0)]
        assert grid_of(trials, "sync", OBJECTIVE, []).rows == (many,)
        assert grid_of(trials, "sync", OBJECTIVE, [few]).rows == (few,)

    def test_columns_are_few_enough_for_a_telephone_and_the_rest_is_said(self):
        trials = [tried(MIDDLE, 100.0 + step) for step in range(MOST_LOADS + 3)]
        chart = heat_of(trials)
        assert "3 more loads not shown" in note_of(chart)
        assert max(float(row[1].removesuffix("/s")) for row in chart.rows) == 100.0 + MOST_LOADS + 2

    def test_other_arms_and_later_stages_are_not_mixed_in(self):
        foreign = replace(tried(LARGE), arm="async")
        grid = grid_of([tried(), foreign, tried(SMALL, stage="confirm")], "sync", OBJECTIVE, [])
        assert grid.rows == (MIDDLE,)

    def test_the_title_claims_what_the_cells_say(self):
        trials = [tried(MIDDLE, 100.0), tried(MIDDLE, 200.0), tried(SMALL, 100.0, late=999)]
        title = plain(heat_of(trials).title)
        assert title == (
            "sync: 10 + 0 kept the objective up to 200 requests/s, 2 + 0 at no load that was tried"
        )

    def test_one_lucky_trial_does_not_make_a_claim(self):
        lucky = [tried(MIDDLE, 200.0, late=0), tried(MIDDLE, 200.0, late=50)]
        chart = heat_of([tried(MIDDLE, 100.0), *lucky])
        assert "up to 100 requests/s" in plain(chart.title)

    def test_where_no_cell_met_the_objective_no_pool_is_praised(self):
        chart = heat_of([tried(MIDDLE, 7.0, late=999), tried(SMALL, 7.0, late=999)])
        assert "no pool kept p99 within 100 ms, not even at 7.0 requests/s" in plain(chart.title)

    def test_without_a_trial_there_is_no_heat_map(self):
        assert heat_of([]) is None

    @pytest.mark.parametrize(
        ("beyond", "cell", "text"),
        [((False, True), "over 525 ms", ">525"), ((False, False, True), "50 ms", "50")],
    )
    def test_the_median_of_a_cell_lies_beyond_where_one_in_its_middle_does(
        self, beyond, cell, text
    ):
        trials = [
            tried(MIDDLE, 100.0, late=late, block=late, p99_ms=1000.0 if late else 50.0,
                  p99_beyond=late)
            for late in beyond
        ]  # fmt: skip
        chart = heat_of(trials)
        assert plain(chart.rows[0][3]) == cell
        assert text in [each.get_text() for each in chart.sheet.axes[1].texts]
        assert ("given up" in chart.caption) == (cell != "50 ms")

    def test_a_cell_without_a_p99_or_a_good_answer_says_so(self):
        trial = replace(tried(MIDDLE, 100.0, late=1000, errors=1000, p99_ms=None), good_per_s=0.0)
        chart = heat_of([trial])
        assert chart.rows[0][2:5] == ("0/s", "–", "100%")


class TestKnobs:
    def answer(self, setting, per_s, censored=None, interval=None):
        knee = None if per_s is None else Knee(per_s, censored)
        return Answer(Found(setting, knee, 3), interval)

    def chart(self, *answers):
        return knobs_chart("knobs", "sync", MIDDLE, [Response("pool_size", answers)], MARKS[0])

    def test_a_knee_known_from_one_side_is_hollow_with_an_arrow(self):
        chart = self.chart(self.answer(SMALL, 50.0, "below"), self.answer(MIDDLE, 300.0))
        marks = {
            line.get_marker(): line.get_markerfacecolor()
            for line in chart.sheet.axes[0].lines
            if line.get_marker() != "None"
        }
        assert marks["<"] == PAPER
        assert marks["o"] == MARKS[0].colour
        assert [plain(row[2]) for row in chart.rows] == ["< 50/s", "300/s"]

    def test_a_value_that_was_not_measured_is_said_not_drawn(self):
        chart = self.chart(self.answer(SMALL, None), self.answer(MIDDLE, 300.0))
        assert "Not measured: pool size 2" in note_of(chart)
        assert len([line for line in chart.sheet.axes[0].lines if len(line.get_xdata())]) == 1

    def test_the_axis_begins_at_nought_unless_all_is_in_its_upper_half(self):
        apart = [Response("pool_size", (self.answer(SMALL, 50.0), self.answer(MIDDLE, 300.0)))]
        close = [Response("pool_size", (self.answer(SMALL, 280.0), self.answer(MIDDLE, 300.0)))]
        assert reach(apart)[0] == 0.0
        assert 200.0 < reach(close)[0] < 280.0

    def test_a_knob_with_one_value_has_no_panel(self):
        assert self.chart(self.answer(MIDDLE, 300.0)) is None

    def test_along_a_knob_the_others_stay(self):
        few = replace(MIDDLE, threads=10)
        arm = search_of(SMALL, few, MIDDLE, LARGE)
        assert choices_along(arm, "pool_size", MIDDLE) == [SMALL, MIDDLE, LARGE]
        assert choices_along(arm, "threads", MIDDLE) == [few, MIDDLE]


class TestFrontier:
    def found(self, setting, per_s, censored=None):
        return Found(setting, Knee(per_s, censored), 3)

    def test_steps_rise_with_connections_and_skip_what_missed_everywhere(self):
        found = [
            self.found(SMALL, 900.0, "below"),
            self.found(Setting(5, threads=10), 90.0),
            self.found(Setting(5), 100.0),
            self.found(MIDDLE, 300.0),
            self.found(LARGE, 280.0),
        ]
        assert best_by_connections(found) == [(5, 100.0), (10, 300.0)]

    def test_the_title_says_how_few_connections_are_enough(self):
        arm = ArmFrontier("sync", (self.found(MIDDLE, 295.0), self.found(LARGE, 300.0)), ())
        chart = frontier_chart("frontier", [arm], {"sync": MARKS[0]})
        assert chart.title == "sync: 10 connections already bear 295 requests/s of at most 300"

    def test_where_nothing_met_the_objective_it_says_so(self):
        arm = ArmFrontier("sync", (self.found(MIDDLE, 2.0, "below"),), ())
        chart = frontier_chart("frontier", [arm], {"sync": MARKS[0]})
        assert "no setting kept the objective" in chart.title


class TestSplit:
    SPLIT = Split(1.0, 2.0, 6.0, 1.0, 10.0)

    def test_all_pools_are_shown_at_one_load_where_most_were_measured(self):
        trials = [
            tried(SMALL, 100.0, split=self.SPLIT), tried(MIDDLE, 100.0, split=self.SPLIT),
            tried(MIDDLE, 200.0, split=self.SPLIT),
        ]  # fmt: skip
        splits = splits_of(trials, "sync", [SMALL, MIDDLE, LARGE])
        assert splits.rate_per_s == 100.0
        assert list(splits.splits) == [SMALL, MIDDLE]
        assert splits.missing == (LARGE,)
        chart = split_chart("split", "sync", splits, frozenset())
        assert "Not measured at this load: 40 + 0" in plain(note_of(chart))
        assert [plain(cell) for cell in chart.rows[0]] == [
            "2 + 0", "1.0 ms", "2.0 ms", "6.0 ms", "1.0 ms", "10 ms",
        ]  # fmt: skip

    def test_an_arm_that_does_not_tell_has_no_such_chart(self):
        assert splits_of([tried()], "sync", [MIDDLE]) is None

    def test_shares_are_of_the_whole(self):
        assert shares_pct({"db": 3.0, "own": 1.0}) == {"db": 75.0, "own": 25.0}
        assert shares_pct({"db": 0.0, "own": 0.0}) == {"db": 0.0, "own": 0.0}


class TestLoadCurve:
    def test_points_are_medians_of_instances_with_their_span(self):
        trials = [
            tried(MIDDLE, 100.0, stage="confirm", unit=unit, p99_ms=p99)
            for unit, p99 in enumerate((30.0, 20.0, 80.0))
        ]
        [curve] = curves_of(trials, "sync", {MIDDLE: "recommended"}, ("confirm",), frozenset())
        [point] = curve.points
        assert (point.p99, point.least, point.most) == (P99(30.0), P99(20.0), P99(80.0))
        assert point.units == 3

    def test_a_p99_that_lies_beyond_is_hollow_and_over_and_keeps_no_objective(self):
        trials = [
            tried(MIDDLE, rate, stage="confirm", unit=unit, p99_ms=ms, p99_beyond=ms == 1000.0)
            for rate, p99s in ((100.0, (50.0, 60.0, 1000.0)), (200.0, (90.0, 1000.0, 1000.0)))
            for unit, ms in enumerate(p99s)
        ]
        curves = curves_of(trials, "sync", {MIDDLE: "recommended"}, ("confirm",), frozenset())
        chart = load_curve("load", "sync", curves, OBJECTIVE)
        assert [[plain(cell) for cell in row[2:5]] for row in chart.rows] == [
            ["60 ms", "50 ms", "over 1.0 s"],
            ["over 1.0 s", "90 ms", "over 1.0 s"],
        ]
        [line, hollow] = [
            each for each in chart.sheet.axes[0].lines if each.get_marker() not in ("None", "")
        ]
        assert list(line.get_markevery()) == [True, False]
        assert (list(hollow.get_xdata()), hollow.get_markerfacecolor()) == ([200.0], PAPER)
        assert [len(tag.tips) for tag in tags_of(chart.sheet.figure).values()] == [1, 1]
        assert "recommended up to 100/s" in plain(chart.title)
        assert "given up" in chart.caption

    def test_where_nothing_was_given_up_the_caption_does_not_speak_of_it(self):
        trials = [tried(MIDDLE, stage="confirm")]
        curves = curves_of(trials, "sync", {MIDDLE: "recommended"}, ("confirm",), frozenset())
        assert "given up" not in load_curve("load", "sync", curves, OBJECTIVE).caption

    def test_settings_with_the_same_pool_are_told_apart_by_what_differs(self):
        twin = replace(MIDDLE, admission=-1)
        trials = [tried(MIDDLE, stage="confirm"), tried(twin, stage="confirm")]
        roles = {MIDDLE: "recommended", twin: "present"}
        knobs = frozenset({"threads", "admission"})
        labels = [plain(c.label) for c in curves_of(trials, "sync", roles, ("confirm",), knobs)]
        assert labels == ["recommended: 10 + 0", "present: 10 + 0, no gate"]

    def test_the_objective_is_a_line_and_the_title_says_who_keeps_it(self):
        trials = [
            tried(MIDDLE, 100.0, stage="confirm", p99_ms=40.0),
            tried(MIDDLE, 200.0, stage="confirm", p99_ms=400.0),
            tried(SMALL, 100.0, stage="confirm", p99_ms=900.0),
        ]
        roles = {MIDDLE: "recommended", SMALL: "present"}
        curves = curves_of(trials, "sync", roles, ("confirm",), frozenset())
        chart = load_curve("load", "sync", curves, OBJECTIVE)
        assert plain(chart.title) == (
            "sync: p99 stays within 100 ms: recommended up to 100/s and present at no load"
        )
        assert any(set(line.get_ydata()) == {100.0} for line in chart.sheet.axes[0].lines)

    def test_trials_without_enough_requests_for_a_p99_leave_no_point(self):
        trials = [tried(MIDDLE, stage="confirm", p99_ms=None)]
        assert curves_of(trials, "sync", {MIDDLE: "recommended"}, ("confirm",), frozenset()) == []


def change(change_pct=10.0, ci=(5.0, 15.0), word="better", bound=None) -> Change:
    return Change(
        "confirm", "knee_per_s", "async", MIDDLE, "sync", MIDDLE, "default",
        change_pct, ci, bound, word, "because", 3,
    )  # fmt: skip


class TestRatios:
    def faces(self, *changes):
        rows = tuple(
            Row("row", each, MARKS[1] if each.word == "better" else None) for each in changes
        )
        chart = ratio_chart("ratio", "title", "caption", "axis", [Panel("panel", rows)])
        lines = chart.sheet.axes[0].lines
        return [
            (line.get_marker(), line.get_markerfacecolor())
            for line in lines
            if line.get_marker() not in ("None", "", None)
        ]

    def test_decided_is_filled_and_undecided_is_hollow(self):
        undecided = change(1.0, (-5.0, 7.0), "cannot be told apart")
        assert self.faces(change(), undecided) == [("s", MARKS[1].colour), ("o", PAPER)]

    def test_an_open_end_is_an_arrow(self):
        marks = [mark for mark, _ in self.faces(change(40.0, (30.0, None), "better", "more than"))]
        assert marks == [">", ">"]

    def test_readings_say_what_is_not_decided(self):
        assert reading(change(1.0, (-5.0, 7.0), "cannot be told apart")) == "+1.0%: cannot tell"
        assert reading(change(None, None, "not measured")) == "not measured"
        assert reading(change(40.0, None, "better", "more than")) == ">+40%: better"

    def test_without_any_number_there_is_no_chart(self):
        rows = (Row("row", change(None, None, "not measured"), None),)
        assert ratio_chart("ratio", "title", "caption", "axis", [Panel("panel", rows)]) is None


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def note_of(chart) -> str:
    return " ".join(" ".join(each.get_text().split()) for each in chart.sheet.figure.texts[1:])
