"""A tune run's report in every form: what it says first, what it escapes, what it admits."""

import html
import io
import json
import re
from dataclasses import replace
from functools import cache

import pytest
from rich.console import Console

from loadtests.tuning.execute import execute
from loadtests.tuning.score import Objective
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from reports.tuning.charts import TuneCharts, draw_tune_charts
from reports.tuning.findings import Change, Finalist, SettingKnee
from reports.tuning.html import render_html
from reports.tuning.judge import judge
from reports.tuning.markdown import render_markdown
from reports.tuning.model import TuneReport
from reports.tuning.parts import TuneParts, parts_of
from reports.tuning.record import TuneRecord
from reports.tuning.roles import roles_of
from reports.tuning.say import apart, full, knob_value, labels, pool, short, telling_knobs
from reports.tuning.sentences import answer, title
from reports.tuning.tables import finalist_table
from reports.tuning.terminal import print_tune
from reports.tuning.write import write_tune_report
from scripts.report import report_command
from tests.support import tuning_records
from tests.support.simulated_tuning import ONE_ARM, Staged, short_spec
from tests.unit.test_html import read

NASTY = "</script><img src=x onerror=alert(1)>"
OBJECTIVE = Objective(p99_ms=100.0)
TOO_LITTLE = (
    "In the finals too little was measured to tell pools of 5, 10 and 40 connections apart."
)


def renamed(record: TuneRecord, name: str) -> TuneRecord:
    """The same run, but for the first arm's name."""
    old = record.arms[0].arm
    return replace(
        record,
        arms=tuple(replace(a, arm=name) if a.arm == old else a for a in record.arms),
        tried=tuple(replace(t, arm=name) if t.arm == old else t for t in record.tried),
        spec=record.spec.model_copy(
            update={
                "arm": tuple(
                    a.model_copy(update={"name": name}) if a.name == old else a
                    for a in record.spec.arm
                )
            }
        ),
    )


@cache
def judged(name: str) -> tuple[TuneRecord, TuneReport]:
    record = getattr(tuning_records, name)()
    record = renamed(record, NASTY) if name == "one_arm" else record
    return record, judge(record)


@cache
def parts(name: str) -> TuneParts:
    """A report's parts; drawn, which takes seconds, where a test looks at the drawings."""
    record, report = judged(name)
    drawn = name in {"complete", "one_arm", "never_met"}
    charts = draw_tune_charts(record, report) if drawn else TuneCharts((), (), (), ())
    return parts_of(record, report, charts)


@cache
def page(name: str) -> str:
    return render_html(parts(name))


def plain(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").split())


class TestPage:
    def test_sections_stand_in_the_order_a_reader_asks(self):
        reader = read(page("complete"))
        ids = [a.get("id") for tag, a in reader.elements if tag == "section" and a.get("id")]
        assert ids == [
            "answer", "paste", "confirmed", "hazards", "fair", "frontier", "arm-1", "arm-2",
            "why", "how",
        ]  # fmt: skip

    def test_every_figure_has_a_sentence_a_caption_and_its_numbers(self):
        drawn = parts("complete").charts.all
        assert {chart.name for chart in drawn} == {
            "gain-1", "gain-2", "fair", "frontier",
            *(f"{kind}-{n}" for n in (1, 2) for kind in ("heat", "knobs", "split", "load", "far")),
        }  # fmt: skip
        assert page("complete").count("<figure") == len(drawn)
        for chart in drawn:
            assert chart.title
            assert chart.caption
            assert chart.rows
            assert {len(row) for row in chart.rows} == {len(chart.columns)}, chart.name

    def test_names_are_text_wherever_they_stand(self):
        whole = page("one_arm")
        assert "<img" not in whole
        assert NASTY in read(whole).text
        assert whole.count("<script") == whole.count("</script") == 2

    def test_nothing_comes_from_outside(self):
        tags = {tag for tag, _ in read(page("complete")).elements}
        assert not tags & {"link", "iframe", "object", "embed", "base", "form", "img"}
        assert "default-src 'none'" in page("complete")

    def test_the_answer_carries_intervals_and_the_blocks_to_paste_their_values(self):
        [sync, _] = parts("complete").arms
        capacity = sync.report.capacity
        assert capacity is not None
        assert capacity.ci95_per_s is not None
        assert f"[{capacity.ci95_per_s[0]:.0f}, {capacity.ci95_per_s[1]:.0f}]" in sync.answer
        assert f"pool_size={sync.report.recommended.pool_size}" in read(page("complete")).text

    def test_what_to_set_and_why_it_is_confirmed_stand_with_the_answer(self):
        whole = page("complete")
        first = html.unescape(whole[whole.index('id="answer"') : whole.index('id="paste"')])
        for arm in parts("complete").arms:
            assert arm.values in first
            assert arm.verdict
            assert all(line in first for line in arm.verdict)
            assert arm.verdict[0].startswith("Confirmed by")

    def test_remarks_come_after_the_answer(self):
        record, report = judged("complete")
        noted = replace(report, notes=("It rained.",))
        whole = render_html(parts_of(record, noted, TuneCharts((), (), (), ())))
        assert whole.index('id="answer"') < whole.index("It rained.") < whole.index('id="paste"')

    def test_an_interrupted_run_recommends_nothing_firmly(self):
        said = read(page("interrupted")).text
        assert "This run was interrupted" in said
        assert "looks best, not confirmed: it was not measured again" in plain(said)
        assert "take " not in parts("interrupted").title
        assert "block does not count" in plain(said)

    def test_an_objective_never_met_names_the_nearest_and_what_limits_it(self):
        drawn = parts("never_met")
        assert plain(drawn.title) == "sync: no setting keeps p99 within 100 ms"
        assert "The nearest is pool" in drawn.arms[0].answer
        assert "no errors. The database takes most of it" in plain(drawn.arms[0].answer)
        assert drawn.arms[0].verdict == ()  # the answer has said it
        assert drawn.arms[0].values == ""
        assert not drawn.charts.frontier
        assert 'id="paste"' not in page("never_met")

    def test_one_arm_is_compared_with_no_other(self):
        assert not parts("one_arm").charts.fair
        assert 'id="fair"' not in page("one_arm")

    def test_hazards_tell_whether_a_burst_showed_them_and_whom_they_touch(self):
        said = plain(read(page("deadlock")).text)
        assert "shown by a burst" in said
        assert "None of these touches the recommended setting" in said
        assert "threads and pool can wait for each other" in said


class TestMarkdown:
    def test_it_says_the_same_and_shows_the_charts_from_beside_it(self):
        text = render_markdown(parts("complete"))
        for chart in parts("complete").charts.all:
            assert f"(charts/{chart.name}.png)" in text
        assert "```python" in text
        assert "## Sync against async, fairly" in text

    def test_names_can_be_no_markup(self):
        prose = re.sub(r"```.*?```", "", render_markdown(parts("one_arm")), flags=re.DOTALL)
        assert r"\<img" in prose
        assert "<img" not in prose.replace(r"\<img", "")


class TestTerminal:
    @pytest.mark.parametrize(
        "name", ["complete", "deadlock", "never_met", "interrupted", "one_arm"]
    )
    def test_it_fits_eighty_columns(self, name, tmp_path):
        out = io.StringIO()
        console = Console(file=out, width=80, highlight=False)
        print_tune(judged(name)[1], tmp_path, console)
        lines = out.getvalue().splitlines()
        assert all(len(line) <= 80 for line in lines if not line.startswith("Report: "))
        assert plain(lines[0]) in plain(title(judged(name)[1]))

    def test_what_is_to_be_known_of_a_confirmed_setting_is_told(self, tmp_path):
        report = judged("one_arm")[1]
        [arm] = report.arms
        assert arm.confirmed
        remark = replace(report, arms=(replace(arm, verdict=("But it rained.",)),))
        out = io.StringIO()
        print_tune(remark, tmp_path, Console(file=out, width=80))
        assert "But it rained." in out.getvalue()

    def test_hazards_by_arithmetic_only_are_counted_not_told(self, tmp_path):
        out = io.StringIO()
        print_tune(judged("deadlock")[1], tmp_path, Console(file=out, width=80))
        assert "more by arithmetic only" in out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    stage = Staged(tmp_path_factory.mktemp("tune") / "run", short_spec(*ONE_ARM))
    assert execute(stage.tuning) == "complete"
    stage.store.close()
    return stage.folder


class TestFiles:
    """A whole run on simulated load, read back from its folder."""

    def test_the_same_samples_give_the_same_bytes(self, folder, capsys):
        first = write_tune_report(folder)
        before = written(folder)
        assert {
            "tune.json",
            "tune.html",
            "tune.md",
            "charts/heat-1.svg",
            "charts/heat-1.png",
        } <= set(before)
        assert report_command(folder, json=True) == 0
        assert written(folder) == before
        out = capsys.readouterr().out
        assert json.loads(out) == json.loads(before["tune.json"])
        assert json.loads(out)["arms"]["sync"]["recommended"]["pool_size"] == 8
        assert first.to_json()["arms"]["sync"]["trials"] > 20

    def test_bench_report_tells_a_tune_run_s_answer(self, folder, capsys):
        assert report_command(folder, json=False) == 0
        out = capsys.readouterr().out
        assert out.startswith("sync: ")
        assert "tune.html" in out


def written(folder):
    """Every file of the report, by its place in the folder."""
    known = (".json", ".html", ".md", ".svg", ".png")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.suffix in known
    }


class TestWords:
    def change(self, against, word, change_pct=4.0, baseline=FRAMEWORK_DEFAULT) -> Change:
        return Change(
            "confirm", "knee_per_s", "sync", Setting(10), "sync", baseline, against,
            change_pct, (1.0, 7.0), None, word, "", 3,
        )  # fmt: skip

    def test_what_is_decided_is_a_number_and_what_is_not_is_said_once(self):
        [sync, _] = parts("complete").arms
        arm = replace(
            sync.report,
            over_default=self.change("default", "better"),
            over_present=self.change("present", "cannot be told apart", 1.0, Setting(20)),
        )
        said = plain(answer(arm, OBJECTIVE))
        assert (
            "; +4.0% [+1.0, +7.0] over the default 5 + 10; "
            "no difference shown to the present 20 + 0 (+1.0% [+1.0, +7.0]). "
        ) in said

    @pytest.mark.parametrize(
        ("interval", "said"),
        [
            (
                (-12.0, 4.0),
                "In the finals pools of 5, 10 and 40 connections could not be told apart.",
            ),
            ((-40.0, 70.0), TOO_LITTLE),
            (None, TOO_LITTLE),
        ],
    )
    def test_pools_that_were_compared_are_named_and_only_if_it_could_have_been_told(
        self, interval, said
    ):
        [sync, _] = parts("complete").arms
        finalists = tuple(
            Finalist(
                SettingKnee(Setting(pool_size), 300.0, (290.0, 310.0), None, 3),
                -1.0 if pool_size < 40 else 0.0,
                interval if pool_size < 40 else None,
                on_plateau=True,
            )
            for pool_size in (5, 10, 40)
        )
        arm = replace(sync.report, finalists=finalists)
        assert plain(answer(arm, OBJECTIVE)).endswith(f". {said}")
        standing = [row[-2] for row in finalist_table(arm).rows]
        level = "too little measured" if "too little" in said else "cannot be told apart"
        assert standing == [level, level, "cannot be told apart"]

    def test_what_is_set_already_is_kept_and_anything_else_taken(self):
        report = parts("complete").report
        arm = report.arms[0]
        as_it_is = replace(report, arms=(replace(arm, present=arm.recommended),))
        other = replace(report, arms=(replace(arm, present=Setting(3)),))
        assert title(as_it_is).startswith("sync: keep pool ")
        assert title(other).startswith("sync: take pool ")

    def test_a_setting_that_is_not_confirmed_is_not_to_be_taken(self):
        report = parts("complete").report
        doubtful = replace(report, arms=(replace(report.arms[0], confirmed=False),))
        assert title(doubtful).endswith("looks best, not confirmed")

    def test_roles_of_one_setting_are_told_together(self):
        arm = replace(
            parts("complete").arms[0].report,
            recommended=Setting(5), taken=Setting(5), alternate=FRAMEWORK_DEFAULT,
            present=FRAMEWORK_DEFAULT,
        )  # fmt: skip
        assert roles_of(arm) == {
            Setting(5): "recommended",
            FRAMEWORK_DEFAULT: "default and present",
        }

    def test_threads_of_an_async_app_are_not_worth_a_word(self):
        settings = [Setting(5, threads=10), Setting(5, admission=-1)]
        assert telling_knobs("async", settings) == {"admission"}
        assert telling_knobs("sync", settings) == {"admission", "threads"}

    def test_labels_name_only_what_differs(self):
        knobs = frozenset({"threads", "admission"})
        few, many = Setting(5, threads=10), Setting(10, threads=40)
        assert [plain(each) for each in labels([few, many], knobs)] == [
            "5 + 0, 10 thr", "10 + 0, 40 thr",
        ]  # fmt: skip
        assert plain(apart(many, few, knobs)) == "10 + 0"
        assert plain(apart(replace(few, admission=-1), few, knobs)) == "5 + 0, no gate"

    def test_a_setting_is_worded_alike_in_short_and_in_full(self):
        setting = Setting(5, 10, workers=2, admission=8)
        knobs = ("threads", "workers", "admission")
        parts_said = "5 + 10, 40 threads, 2 workers, gate of 8"
        assert plain(short(setting, knobs)) == parts_said
        assert full(setting, "sync") == setting.words == f"pool {parts_said}"
        assert full(FRAMEWORK_DEFAULT, "async") == "pool 5 + 10, no gate"
        assert knob_value("admission", Setting(10)) == "gate"

    def test_a_pool_is_never_broken_over_lines(self):
        assert " " not in pool(FRAMEWORK_DEFAULT)
