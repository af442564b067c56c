"""Builds whole tune runs, as they are read back from their folders, without measuring anything.

    record = complete()         # both twins, all stages
    record = interrupted()      # stopped after the finals
    record = one_arm()          # sync alone, no comparison with async
    record = never_met()        # no setting meets the objective at any load
    record = deadlock()         # sync-ungated: threads and pool wait for each other
    record = own_service()      # a command with placeholders

Services are simulated (`tuning_surfaces`, `tuning_trials`, `tuning_arms`); the same arguments give
the same record.
"""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.scenarios.catalogue import BUILT_IN
from loadtests.spec import Arm, RunSpec, Spec
from loadtests.tuning.setting import Setting
from loadtests.tuning.spec import TuneSpec
from loadtests.tuning.stages import same_budget
from reports.tuning.record import Stage, TuneRecord
from tests.support.tuning_arms import KNOBS, ArmRun
from tests.support.tuning_surfaces import Surface
from tests.support.tuning_trials import Hopeless, Simulated

SYNC = Simulated(Arm(name="sync", app="sync"), Surface(400.0, 12.0, 14.0, 0.02))


ASYNC = Simulated(Arm(name="async", app="async"), Surface(520.0, 12.0, 14.0, 0.02))


UNGATED = Simulated(
    Arm(name="sync-ungated", app="sync-ungated"), Surface(400.0, 12.0, 14.0, 0.02, trap=True)
)


OWN = Simulated(
    Arm(
        name="shop",
        command="uvicorn shop.main:app --port {port} --workers {workers}",
        env={"DATABASE_URL": "{database_url}", "POOL": "{pool_size}", "THREADS": "{threads}"},
    ),
    Surface(300.0, 20.0, 30.0, 0.02),
)


def complete(instances: int = 5) -> TuneRecord:
    """Both twins, every stage measured."""
    return build_record((SYNC, ASYNC), instances=instances)


def interrupted() -> TuneRecord:
    """Both twins, stopped between the finals and the confirmation."""
    return build_record((SYNC, ASYNC), stages=())


def one_arm() -> TuneRecord:
    """One twin alone."""
    return build_record((SYNC,))


def never_met() -> TuneRecord:
    """A service that no setting makes fast enough."""
    return build_record((Simulated(SYNC.arm, Hopeless(400.0, 210.0, 14.0, 0.02)),))


def deadlock() -> TuneRecord:
    """The specimen whose threads and pool wait for each other, beside the async twin."""
    return build_record((UNGATED, ASYNC))


def own_service() -> TuneRecord:
    """Somebody's own service, started by a command."""
    return build_record((OWN,))


def build_record(
    arms: Sequence[Simulated],
    *,
    stages: Sequence[Stage] = ("confirm", "twice", "distance", "burst"),
    instances: int = 5,
    hosts: int = 1,
    seed: int = 1,
    max_connections: int = 151,
    drift_sd: float = 0.01,
) -> TuneRecord:
    """A tune run of `arms`; without all `stages` it was interrupted after those given."""
    spec = Spec(
        run=RunSpec(block_s=0.75),
        arm=tuple(each.arm for each in arms),
        scenario=(BUILT_IN["crud-mix"],),
        tune=TuneSpec(arms=tuple(each.arm.name for each in arms), scenario="crud-mix", knobs=KNOBS),
    )
    runs = [ArmRun(each, seed + i, max_connections, drift_sd) for i, each in enumerate(arms)]
    for run in runs:
        run.search()
    shared = _same_budget(runs)
    for run in runs:
        run.later_stages(stages, instances, spec.tune.rtt_change_ms, runs, shared)
    finished = len(stages) == 4
    return TuneRecord(
        run="tune-simulated",
        status="complete" if finished else "interrupted",
        spec=spec,
        hosts=hosts,
        manifest={
            "versions": {"python": "3.11"},
            "host": {"cpu": "simulated", "cores": 2, "memory_mb": 8000},
            "placement": {"generator": [0], "apps": [1], "database": [0], "why": "simulated"},
            "database": {
                "flavour": "mariadb",
                "version": "10.11",
                "max_connections": max_connections,
            },
            "durability": {"profile": "durable"},
        },
        arms=tuple(run.found for run in runs),
        tried=tuple(tried for run in runs for tried in run.tried),
        dropped=() if finished else ("block 412: the generator was stopped for 0.8 s",),
    )


def _same_budget(runs: Sequence[ArmRun]) -> Setting | None:
    """What both twins are given."""
    taken = [run.found.taken for run in runs if run.found.taken is not None]
    return same_budget(taken) if len(taken) == len(runs) > 1 else None
