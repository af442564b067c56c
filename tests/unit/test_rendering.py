"""Charts rendered by other processes: the same files, and none lost with a process that dies."""

import os
import signal
from multiprocessing import active_children

import pytest

from loadtests.trials import ClosedLoad, OpenLoad
from reports.charts import ChartSet, draw_charts
from reports.charts.rendering import rendering_ahead
from reports.run_folder import StoredRun, load_run
from reports.summarise import summarise
from tests.support.run_builder import build_run


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> StoredRun:
    loads = (ClosedLoad(16), OpenLoad(150.0), OpenLoad(75.0))
    return load_run(build_run(tmp_path_factory.mktemp("rendering") / "run", loads=loads))


@pytest.fixture(scope="module")
def here(stored: StoredRun) -> ChartSet:
    return draw_charts(stored, summarise(stored))


def test_another_process_renders_the_same_files(stored: StoredRun, here: ChartSet) -> None:
    with rendering_ahead(1) as ahead:
        charts = draw_charts(stored, summarise(stored), ahead).all
        there = {chart.name: chart.begun.result() for chart in charts if chart.begun}
    assert there == {chart.name: chart.files for chart in here.all}


def test_a_process_that_dies_loses_no_chart(stored: StoredRun, here: ChartSet) -> None:
    with rendering_ahead(1) as ahead:
        for process in active_children():
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
        charts = draw_charts(stored, summarise(stored), ahead).all
        assert {each.name: each.files for each in charts} == {
            each.name: each.files for each in here.all
        }
