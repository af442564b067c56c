"""The async twin against itself, measured as every run is: how well this machine measures."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from loadtests.environment.placement import Placement
from loadtests.run_state import Interruption
from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.schedule import Limits, choose_sizes
from loadtests.spec import Arm, Spec
from loadtests.store import RunStore
from reports.model import Summary
from reports.run_folder import load_run
from reports.summarise import summarise
from scripts.console import minutes, say
from scripts.measuring import Assignment, measure
from scripts.run_log import RunLog
from scripts.session import generators_here, sizes_here
from scripts.stopping import Stopping

TWIN, AGAIN = "async", "async-again"
SCENARIO = "read-one"
LONGEST_BLOCK_S = 2.0
"""With windows of this length the usual look takes twice its minute; longer ones would keep people
waiting (60 s are allowed), and hardly say more where noise is drift."""


@dataclass(frozen=True, slots=True)
class Look:
    """How long to look: instances of each arm, and rounds. The usual look takes about a minute."""

    instances: int = 7
    rounds: int = 2


@dataclass(frozen=True, slots=True)
class Seen:
    """What the look brought: its answer, and what others did to the machine meanwhile, in percent
    of the time."""

    summary: Summary
    steal_pct: float | None
    pressure_pct: float | None


def look_spec(spec: Spec, look: Look) -> Spec:
    """The async twin twice, on the database that a spec asks for; with its windows too, unless they
    are so long that nobody would wait for the answer."""
    block_s = min(spec.run.block_s, LONGEST_BLOCK_S)
    run = {"instances": look.instances, "rounds": look.rounds, "pairs": 1, "block_s": block_s}
    return Spec(
        run=spec.run.model_copy(update=run),
        arm=(Arm(name=TWIN, app="async"), Arm(name=AGAIN, app="async")),
        scenario=(BUILT_IN[SCENARIO],),
        source="bench doctor",
    )


def instances_with_room(spec: Spec, look: Look) -> int:
    """How many of the instances that a look wants fit memory and connections."""
    asked = look_spec(spec, look)
    run = asked.run.model_copy(update={"instances": "auto"})
    return min(look.instances, sizes_here(asked.model_copy(update={"run": run})).instances)


def look_at_twin(spec: Spec, look: Look, placement: Placement) -> Seen:
    """Measure the twin against itself; nothing is kept.

    Raises what a run raises, and KeyboardInterrupt when it was interrupted.
    """
    asked = look_spec(spec, look)
    sizes = choose_sizes(asked, Limits(memory_mb=None, connections=None))
    say(
        f"Measuring the async twin against itself: {sizes.instances} instances of both arms, "
        f"{sizes.rounds} rounds, about {minutes(sizes.set_up_s + sizes.measuring_s)} …"
    )
    with (
        tempfile.TemporaryDirectory(prefix="bench-doctor-") as name,
        Stopping(Interruption()) as stopping,
    ):
        folder = Path(name)
        store, log = RunStore(folder), RunLog(folder)
        try:
            assignment = Assignment("doctor", asked, sizes, placement, generators_here(asked))
            status = measure(assignment, store, log, stopping)
        finally:
            store.close()
        if status == "interrupted":
            raise KeyboardInterrupt
        run = load_run(folder)
        return Seen(summarise(run), *_host_pct(run.telemetry))


def _host_pct(telemetry: pd.DataFrame | None) -> tuple[float | None, float | None]:
    """Steal and CPU pressure while trials ran; None where the system does not tell."""
    if telemetry is None:
        return None, None
    known = telemetry[telemetry["at"] != "start"][["steal_pct", "pressure_pct"]].astype("float64")
    steal_pct, pressure_pct = (known[name].dropna().tolist() for name in known)
    return _mean(steal_pct), _mean(pressure_pct)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
