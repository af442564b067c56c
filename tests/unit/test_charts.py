"""Charts: the same bytes from the same samples, every arm to be told, sizes that stay small."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backend_bases import RendererBase
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from loadtests.scenarios.model import Request, Scenario
from loadtests.trials import ClosedLoad, OpenLoad
from reports.charts import Chart, ChartSet, draw_charts
from reports.charts.caveats import Caveats
from reports.charts.chart import chart_style, render
from reports.charts.forest import forest_charts
from reports.charts.inline import SVG, inline_svg
from reports.charts.latency import spectrum
from reports.charts.style import MARKS, PAPER, marks_of
from reports.charts.time_split import split_of
from reports.charts.unseen import size_pct, unseen_chart
from reports.model import COST, LATENCY, Spread, VerdictWord
from reports.percentiles import FEWEST_BEYOND
from reports.run_folder import load_run
from reports.summarise import summarise
from tests.support.run_builder import TWINS, Noise, SimulatedArm, build_run
from tests.support.sample_summary import comparison, result, scenario, summary

NASTY = "</script>$\\frac{1}$<b>\x07&"


def nasty_scenario() -> Scenario:
    return Scenario(
        name=NASTY, request=(Request(name="write <i>", method="POST", path="/objects/items"),)
    )


def charts_of(folder: Path) -> ChartSet:
    stored = load_run(folder)
    return draw_charts(stored, summarise(stored))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChartSet]:
    folder = build_run(
        tmp_path_factory.mktemp("charts") / "run",
        scenarios=("read-one", nasty_scenario()),
        loads=(ClosedLoad(8), OpenLoad(80.0), OpenLoad(160.0)),
        arms={"sync": SimulatedArm(), "async": SimulatedArm(app="async", capacity_per_s=200.0)},
        rounds=3,
    )
    return charts_of(folder)


def named(charts: ChartSet, start: str) -> list[Chart]:
    return [chart for chart in charts.all if chart.name.startswith(start)]


def test_there_is_a_chart_for_everything_the_report_tells(drawn: ChartSet) -> None:
    names = {chart.name for chart in drawn.all}
    assert names >= {
        "forest", "forest-secondary-1", "latency-1", "latency-2", "ecdf-1", "ecdf-2",
        "staircase-1", "heat-map-1", "heat-map-2", "capacity-1", "capacity-2", "cost", "time-1",
        "time-2", "pairs-1", "pairs-2", "unseen",
    }  # fmt: skip
    assert len(names) == len(drawn.all)


def test_titles_say_what_is_seen_and_name_the_load(drawn: ChartSet) -> None:
    latency, capacity = named(drawn, "latency-1")[0], named(drawn, "capacity-1")[0]
    assert re.search(
        r"95 of 100 answers came within .* sync .* async, at 80.requests/s", latency.title
    )
    assert re.search(r"with 8.users at once, sync answers \d+ requests/s and async", capacity.title)


def test_the_title_of_the_pairs_tells_standard_deviations_and_explains_nothing(
    tmp_path: Path,
) -> None:
    stored = load_run(build_run(tmp_path / "run"))
    made = summarise(stored)
    [scene] = made.scenarios
    told = {}
    for instances_pct in (4.7, 0.0):
        judged = tuple(
            replace(each, spread=Spread(instances_pct, 17.0)) for each in scene.comparisons
        )
        charts = draw_charts(stored, replace(made, scenarios=(replace(scene, comparisons=judged),)))
        told[instances_pct] = named(charts, "pairs-1")[0].title.partition(": ")[2]
    what = "capacity of async against sync: standard deviation 17% from block to block and"
    assert told == {
        4.7: f"{what}, beyond that, about 4.7% between instances",
        0.0: f"{what} none beyond that to be seen between instances",
    }


def test_every_chart_with_writes_names_server_and_durability(drawn: ChartSet) -> None:
    assert len(drawn.all) >= 10
    for chart in drawn.all:
        writes = chart.name.endswith("-2") or chart.name in ("forest", "cost", "unseen")
        assert (b"innodb_flush_log_at_trx_commit=1" in chart.files.svg) is writes, chart.name


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> ChartSet:
    """One arm answers a third of its requests with an error, at every load."""
    folder = build_run(
        tmp_path_factory.mktemp("failing") / "run",
        loads=(ClosedLoad(8), OpenLoad(80.0), OpenLoad(160.0)),
        arms={"sync": SimulatedArm(), "async": SimulatedArm(app="async", error_share=0.3)},
    )
    return charts_of(folder)


@pytest.mark.parametrize(
    "start",
    [
        "latency-1",
        "ecdf-1",
        "capacity-1",
        "heat-map-1",
        "time-1",
        "cost",
        "pairs-1",
        "unseen",
    ],
)
def test_a_chart_of_a_load_whose_gates_failed_states_no_finding(
    failing: ChartSet, drawn: ChartSet, start: str
) -> None:
    [chart], [sound] = named(failing, start), named(drawn, start)
    assert re.match(r"read-one: invalid .*errors \(async\)", chart.title), chart.title
    assert "invalid" not in sound.title


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ("inconclusive", "; these cannot be told apart"),
        ("equivalent", "; no difference that matters"),
        ("slower", ""),
    ],
)
def test_titles_with_numbers_of_both_arms_say_where_they_cannot_be_told_apart(
    tmp_path: Path, verdict: VerdictWord, told: str
) -> None:
    stored = load_run(build_run(tmp_path / "run"))
    made = summarise(stored)
    [scene] = made.scenarios
    judged = tuple(replace(each, verdict=verdict) for each in scene.comparisons)
    charts = draw_charts(stored, replace(made, scenarios=(replace(scene, comparisons=judged),)))
    for start in ("latency-1", "ecdf-1", "cost", "capacity-1"):
        [title] = [chart.title for chart in named(charts, start)]
        assert title.partition("; ")[1] + title.partition("; ")[2] == told


def test_of_several_candidates_a_title_says_which_cannot_be_told_apart() -> None:
    asked = ("s", "open-80", "response_ms.p95", "read")
    told = {"b": "inconclusive", "c": "equivalent", "d": "faster"}
    rows = tuple(
        comparison("response_ms.p95", verdict, 1.0, (0, 2), baseline="a", candidate=arm)
        for arm, verdict in told.items()
    )
    caveats = Caveats(compared={asked: rows})
    assert caveats.apart(asked, "abcd") == (
        "; b cannot be told apart from a; c: no difference from a that matters"
    )
    assert Caveats().apart(asked, "ab") == "; there is no verdict on this"
    assert Caveats().apart(asked, "a") == ""


def test_what_is_invalid_is_no_smallest_effect() -> None:
    load = scenario().loads[0]
    rows = (comparison("capacity_per_s", "invalid", 5.0, None, load, mde_pct=90.0),)
    with chart_style():
        chart = unseen_chart(summary(scenario(comparisons=rows)), marks_of(["sync", "async"]), 5.0)
    assert chart is not None
    [axes] = chart.sheet.axes
    assert axes.texts[0].get_text() == "invalid"
    assert to_hex(axes.patches[0].get_facecolor()) == PAPER


def test_a_halving_is_as_large_as_a_doubling_beside_what_could_go_unseen() -> None:
    assert [size_pct(each) for each in (100.0, -50.0, 0.0)] == pytest.approx([100.0, 100.0, 0.0])
    rows = (
        comparison("capacity_per_s", "invalid", -50.0, None, scenario().loads[0], mde_pct=90.0),
        comparison("response_ms.p95", "inconclusive", 3.0, (-9.0, 15.0), mde_pct=12.0),
    )
    with chart_style():
        chart = unseen_chart(summary(scenario(comparisons=rows)), marks_of(["sync", "async"]), 5.0)
    assert chart is not None
    assert chart.title == "Changes smaller than 12% in p95 response time could have gone unseen"


@pytest.mark.parametrize("start", ["latency-1", "ecdf-1", "capacity-1", "staircase-1", "cost"])
def test_marks_of_an_arm_that_failed_are_hollow(
    failing: ChartSet, drawn: ChartSet, start: str
) -> None:
    def hollow(chart: Chart) -> set[str]:
        return {
            str(line.get_markeredgecolor())
            for line in chart.sheet.axes[0].lines
            if line.get_markerfacecolor() == PAPER
        }

    assert hollow(named(failing, start)[0]) == {MARKS[1].colour}
    assert hollow(named(drawn, start)[0]) == set()


@pytest.mark.parametrize(
    "start",
    ["latency-1", "ecdf-1", "capacity-1", "staircase-1", "heat-map-1", "time-1", "pairs-1"],
)
def test_a_failed_check_has_one_sign_at_the_names_of_its_arm(
    failing: ChartSet, drawn: ChartSet, start: str
) -> None:
    assert re.search("✕ (async|Capacity)", named(failing, start)[0].files.svg.decode())
    assert "✕ sync" not in named(failing, start)[0].files.svg.decode()
    assert "✕" not in named(drawn, start)[0].files.svg.decode()


def test_lateness_of_the_generator_spares_the_cost(drawn: ChartSet) -> None:
    caveats = Caveats(failed={("s", "open-80", "sync"): ("send-lag",)})
    assert caveats.failures(("s", "open-80", "sync"), LATENCY) == ("send-lag",)
    assert caveats.failures(("s", "open-80", "sync"), COST) == ()


def test_a_selection_by_errors_spares_capacity_and_nothing_else(tmp_path: Path) -> None:
    """Capacity counts good answers: its chart keeps its finding, the others lose theirs."""
    arms = {"sync": SimulatedArm(), "async": SimulatedArm(app="async", error_share=0.03)}
    charts = charts_of(build_run(tmp_path / "run", arms=arms, rounds=4, run={"max_error_pct": 5.0}))
    [capacity, latency] = [named(charts, each)[0] for each in ("capacity-1", "latency-1")]
    assert "invalid" not in capacity.title
    assert "error-parity (async)" in latency.title


def test_a_saturated_arm_is_said_to_be(tmp_path: Path) -> None:
    slow = {"sync": SimulatedArm(), "async": SimulatedArm(app="async", response_ms=400.0)}
    charts = charts_of(build_run(tmp_path / "run", arms=slow, loads=(OpenLoad(80.0),)))
    for start in ("latency-1", "time-1"):
        assert b"async is saturated at 80" in named(charts, start)[0].files.svg
        assert b"sync is saturated at 80" not in named(charts, start)[0].files.svg.replace(
            b"async", b""
        )


def test_names_from_a_spec_stay_text(drawn: ChartSet) -> None:
    for chart in drawn.all:
        page = inline_svg(chart)
        assert "</script>" not in page
        assert "<b>" not in page
        assert "\x07" not in page
    assert "&lt;/script&gt;$\\frac{1}$" in inline_svg(named(drawn, "latency-2")[0])


def test_a_drawing_in_the_page_follows_its_colours(drawn: ChartSet) -> None:
    for chart in drawn.all:
        root = ElementTree.fromstring(inline_svg(chart))
        text = ElementTree.tostring(root, encoding="unicode")
        assert "currentColor" in text
        for neutral in ("#1b1f24", "#5a6370", "#d3d8de", "#ffffff", "font-family"):
            assert neutral not in text, (chart.name, neutral)
        assert root.find("{http://www.w3.org/2000/svg}title").text == chart.title  # type: ignore[union-attr]


def test_identifiers_are_unique_within_a_page_and_links_lead_somewhere(drawn: ChartSet) -> None:
    page = "".join(inline_svg(chart) for chart in drawn.all)
    own = re.findall(r'\bid="([^"]+)"', page)
    links = re.findall(r'href="#([^"]+)"', page) + re.findall(r"url\(#([^)]+)\)", page)
    assert len(own) == len(set(own))
    assert links
    assert set(links) <= set(own)


def tips_of(chart: Chart) -> list[str]:
    root = ElementTree.fromstring(inline_svg(chart))
    return [
        each.text or ""
        for mark in root.iterfind(".//*/..")
        if mark is not root
        for each in mark.findall(f"{{{SVG}}}title")
    ]


def test_marks_of_every_chart_tell_their_arm_and_their_values(drawn: ChartSet) -> None:
    """Every tip is in words of the chart's table; of a comparison the candidate's marks are."""
    for chart in drawn.all:
        compares = chart.name.startswith(("forest", "pairs", "unseen"))
        arms = re.findall(r'data-arm="(\d+)"', inline_svg(chart))
        assert set(arms) == ({"1"} if compares else {"0", "1"}), chart.name
        assert tips_of(chart) or chart.name.startswith("heat-map"), chart.name


TIPS = {
    "forest": r"^(?P<value>\S+) \(", "latency-1": r"^\w+: \S+ within (?P<value>.*)",
    "ecdf-1": r"^\w+: (?P<value>\S+) within", "staircase-1": r"^\w+: p\d+ (?P<value>.*) at",
    "capacity-1": r"^\w+: (?P<value>\S+) on average", "time-1": r"(?P<value>\S+\s\S+)$",
    "cost": r"^\w+: (?P<value>.*) of CPU", "pairs-1": r"^instance \d+: (?P<value>\S+)",
    "unseen": r"^smallest effect: (?P<value>\S+)",
}  # fmt: skip


@pytest.mark.parametrize("name", TIPS)
def test_tips_are_in_the_words_of_the_table(drawn: ChartSet, name: str) -> None:
    [chart] = [each for each in drawn.all if each.name == name]
    found = [match["value"] for tip in tips_of(chart) if (match := re.search(TIPS[name], tip))]
    cells = {cell for row in chart.rows for cell in row}
    assert len(found) > 1
    assert set(found) <= cells


def test_every_arm_differs_in_more_than_colour() -> None:
    assert len({mark.marker for mark in MARKS}) == len(MARKS)
    assert len({str(mark.dash) for mark in MARKS}) == len(MARKS)
    assert marks_of(["base", "other"])["base"].colour == "#0072B2"


def test_a_spectrum_ends_where_too_few_samples_stand_beyond() -> None:
    share, value_ms = spectrum(np.arange(1.0, 1001.0), 50)
    assert len(share) == 50
    assert value_ms[-1] == 1000 - FEWEST_BEYOND
    assert len(spectrum(np.arange(5.0), 50)[0]) == 0


def test_drawings_do_not_grow_with_the_number_of_samples(tmp_path: Path) -> None:
    def sizes(rate_per_s: float) -> dict[str, int]:
        folder = tmp_path / f"{rate_per_s:g}"
        loads = (OpenLoad(rate_per_s), OpenLoad(2 * rate_per_s))
        build_run(folder, arms=TWINS, loads=loads)
        return {chart.name: len(inline_svg(chart)) for chart in charts_of(folder).all}

    small, large = sizes(200.0), sizes(1600.0)
    assert small.keys() == large.keys()
    assert {name for name in small if large[name] > 1.25 * small[name] + 4000} == set()


def test_a_long_run_of_twelve_scenarios_would_make_a_page_below_three_megabytes(
    tmp_path: Path,
) -> None:
    """A twelfth of it, charts only: `full` on 27 instances with 3 rounds."""
    loads = (ClosedLoad(8), OpenLoad(100.0), OpenLoad(150.0))
    noise = Noise(request_sd=0.8)
    folder = build_run(
        tmp_path / "run", loads=loads, instances=27, rounds=3, block_s=0.5, noise=noise
    )
    sizes = {chart.name: len(inline_svg(chart)) for chart in charts_of(folder).all}
    of_the_run = {"forest", "cost", "unseen"}
    each = sum(size for name, size in sizes.items() if name not in of_the_run)
    # Charts of a run grow by a row or two per scenario: half of what a chart of one scenario has.
    rows = sum(size for name, size in sizes.items() if name in of_the_run) / 2
    assert 12 * (each + rows) < 2_750_000, sizes


def test_the_heat_map_is_a_small_picture_that_keeps_its_cells(drawn: ChartSet) -> None:
    page = inline_svg(named(drawn, "heat-map-1")[0])
    pictures = re.findall(r"<image [^>]*>", page)
    assert len(pictures) == 4
    assert all("pixelated" in each and len(each) < 6000 for each in pictures)
    assert [re.findall(r'data-arm="(\d)"', each) for each in pictures] == [
        ["0"], ["0"], ["1"], ["1"],
    ]  # fmt: skip


def test_a_run_cut_off_before_its_first_trial_has_no_charts(tmp_path: Path) -> None:
    assert charts_of(build_run(tmp_path / "run", rounds=0, status=None)).all == ()


def test_what_the_app_never_saw_is_a_part_of_its_own() -> None:
    parts = split_of(result("sync"))
    assert parts is not None
    assert parts["outside"] == pytest.approx(4.4 - 3.8)
    assert sum(parts.values()) == pytest.approx(4.4)


def test_the_forest_shows_invalid_and_far_results_too() -> None:
    load = scenario().loads[0]
    rows = (
        comparison("capacity_per_s", "invalid", 900.0, (-50.0, 4000.0), load),
        comparison("capacity_per_s", "inconclusive", None, None, load),
    )
    with chart_style():
        [chart] = forest_charts(
            summary(scenario(comparisons=rows)), marks_of(["sync", "async"]), 5.0
        )
    assert chart.title == "Of 2 primary comparisons: invalid in 1 and undecided in 1"
    assert len(chart.rows) == 2
    assert b"invalid" in chart.files.svg


def test_a_chart_is_drawn_once_for_each_of_its_files(
    drawn: ChartSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    [chart] = named(drawn, "forest")[:1]
    draw, drawings = Figure.draw, []

    def counted(figure: Figure, renderer: RendererBase) -> None:
        drawings.append(figure)
        draw(figure, renderer)

    monkeypatch.setattr(Figure, "draw", counted)
    render(chart.name, chart.sheet.figure)
    assert drawings == [chart.sheet.figure] * 2
