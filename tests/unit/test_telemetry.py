"""Telemetry: readings around a trial as rows; a resumed run keeps those of its first session."""

from pathlib import Path

from loadtests.store import TELEMETRY_SCHEMA, RunStore
from loadtests.telemetry import Telemetry
from loadtests.trials import ClosedLoad, TrialOrder
from tests.support.idle_bed import IdleBed

BED = IdleBed(("sync",), 1)


def order(trial: int) -> TrialOrder:
    return TrialOrder(
        trial=trial, round=0, block=0, scenario="read-one", load=ClosedLoad(1),
        target=BED.targets[0], seed=1, lead_in_s=0.1, steady_s=1.0,
    )  # fmt: skip


def measured(trial: int, rows: list[dict[str, object]]) -> list[dict[str, object]]:
    telemetry = Telemetry(BED, tick_s=60, rows=rows)
    telemetry.begin(order(trial))
    telemetry.end(order(trial))
    telemetry.close()
    return telemetry.rows


def test_rows_fit_the_schema_and_shares_are_of_the_time_between() -> None:
    first, last = measured(7, [])
    assert set(first) == set(TELEMETRY_SCHEMA.names)
    assert (first["at"], last["at"]) == ("start", "end")
    assert first["steal_pct"] is None
    assert last["steal_pct"] == 1.0  # the bed tells 10 ms more each second
    assert last["pressure_pct"] is None  # and nothing of pressure


def test_a_resumed_run_keeps_the_rows_of_its_first_session(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    assert store.read_telemetry() == []
    store.write_telemetry(measured(1, []))
    again = measured(2, store.read_telemetry())
    store.write_telemetry(again)
    assert [row["trial"] for row in store.read_telemetry()] == [1, 1, 2, 2]
    store.close()
