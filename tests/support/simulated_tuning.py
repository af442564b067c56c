"""Whole tune runs on simulated load: queues in virtual time where servers would be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loadtests.journal import read_journal
from loadtests.manifest import build_manifest, has_manifest
from loadtests.resume import progress_of
from loadtests.run_state import Interruption, Run
from loadtests.schedule import Limits
from loadtests.simulated import SimulatedArm, SimulatedGenerator
from loadtests.spec import Spec, load_spec
from loadtests.store import RunStore
from loadtests.trials import TrialOrder, TrialOutcome
from loadtests.tuning.ground import Tuning
from loadtests.tuning.past import Past, past_of
from loadtests.tuning.setting import Setting
from loadtests.tuning.world import World
from reports.tuning.choose import choose
from reports.tuning.load import load_tune
from reports.tuning.record import TuneRecord
from scripts.tuning_plan import TunePlan, plan_here, sizes_of
from tests.support.idle_bed import IdleBed

LABEL = re.compile(r"p(\d+)-(\d+)\.t(\d+)\.w(\d+)\.a(n|\d+)$")
BEST_SERVERS = 8
SERVICE_MS = 20.0
UNLIMITED = Limits(memory_mb=None, connections=None)


def setting_of(name: str) -> Setting:
    """The setting in a candidate's name."""
    found = LABEL.search(name)
    assert found is not None, name
    *numbers, gate = found.groups()
    return Setting(*map(int, numbers), admission=-1 if gate == "n" else int(gate))


def queue_of(name: str) -> SimulatedArm:
    """As many servers as there are connections, up to BEST_SERVERS: 400 requests/s at most."""
    setting = setting_of(name)
    servers = min(setting.connections, setting.threads, BEST_SERVERS)
    return SimulatedArm(service_ms=SERVICE_MS, sd=0.2, servers=servers, instance_sd=0.01)


class ByName(Mapping[str, SimulatedArm]):
    """An arm for every name that a world may have."""

    def __init__(self, make: Callable[[str], SimulatedArm]) -> None:
        self._make = make

    def __getitem__(self, name: str) -> SimulatedArm:
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


class Clocked(SimulatedGenerator):
    """Tells the time that its trials took, and may be told what to do before one."""

    before: Callable[[TrialOrder], None] | None = None
    orders: list[TrialOrder]

    def run_trial(self, order: TrialOrder) -> TrialOutcome:
        """Simulate one trial."""
        if self.before is not None and order.trial >= 0:
            self.before(order)
        self.orders.append(order)
        return super().run_trial(order)

    def now_s(self) -> float:
        """Virtual time."""
        return self._now_ns / 1e9


@dataclass
class Quiet:
    """Satisfies `Watcher` and `Teller`; keeps what it was told."""

    said: list[str] = field(default_factory=list)

    def say(self, message: str) -> None:
        """Keep a message."""
        self.said.append(message)

    def trial(self, order: TrialOrder, done: int, planned: int) -> None:
        """Nothing to show."""

    def round_finished(self, number: int, interims: object) -> None:
        """Nothing to show."""


@dataclass
class Staged:
    """A tune run without servers, in `folder`."""

    folder: Path
    spec: Spec
    queues: Callable[[str], SimulatedArm] = queue_of
    past: Past = field(default_factory=Past)
    beds: dict[str, IdleBed] = field(default_factory=dict)
    limits: Limits = UNLIMITED
    rss_mb: float = 80.0

    def __post_init__(self) -> None:
        self.quiet, self.interruption = Quiet(), Interruption()
        self.generator = Clocked(ByName(self.queues), seed=3)
        self.generator.orders = []
        self.store = RunStore(self.folder)
        self.plan: TunePlan = plan_here(self.spec, hosts=1)

    @property
    def tuning(self) -> Tuning:
        """What `execute` takes."""
        return Tuning(
            spec=self.spec, spaces=self.plan.spaces, bounds=self.plan.bounds, limits=self.limits,
            store=self.store, open_world=self._up, choose=choose, teller=self.quiet,
            past=self.past, clock=self.generator.now_s,
        )  # fmt: skip

    @contextmanager
    def _up(self, world: World) -> Iterator[Run]:
        before = progress_of(self.folder)
        sizes = sizes_of(world)
        if not has_manifest(self.folder):
            self.store.write_manifest(_manifest(self.folder, self.spec, sizes))
        names = tuple(arm.name for arm in world.spec.arm)
        self.beds[world.name] = IdleBed(
            names, world.instances, before.origin.instance, rss_mb=self.rss_mb
        )
        yield Run(
            spec=world.spec,
            sizes=sizes,
            store=self.store,
            bed=self.beds[world.name],
            generator=self.generator,
            watcher=self.quiet,
            assess=lambda: [],
            interruption=self.interruption,
            origin=before.origin,
        )


def _manifest(folder: Path, spec: Spec, sizes: Any) -> dict[str, Any]:
    return build_manifest(
        run=folder.name, command=["bench", "tune"], created_utc="2026-01-01T00:00:00+00:00",
        spec=spec, spec_file=None, overrides=(), sizes=sizes,
        facts={"versions": {}, "host": {}, "placement": {}, "database": {}, "durability": {}},
        arms={}, tune={"hosts": 1},
    )  # fmt: skip


def short_spec(*overrides: str) -> Spec:
    """Both twins, six settings, a small budget."""
    return load_spec(
        "quick",
        overrides=[
            "run.block_s=0.75", "tune.objective.p99_ms=50", "tune.knobs.pool_size=[2, 4, 8, 16]",
            "tune.knobs.threads=[40]", "tune.knobs.admission=[0]", "tune.budget_s=200", *overrides,
        ],
        environ={},
    )  # fmt: skip


ONE_ARM = ('tune.arms=["sync"]', "tune.knobs.pool_size=[2, 8]", "tune.budget_s=60")
"""Overrides for a short run of one arm with two pools, of which the larger is enough."""


def past_in(folder: Path) -> Past:
    """What a run's journal tells of it."""
    return past_of(read_journal(folder / "journal.jsonl"))


def record_of(stage: Staged) -> TuneRecord:
    """A finished run, read back from its folder."""
    stage.store.close()
    return load_tune(stage.folder)
