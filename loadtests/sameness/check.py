"""A run's own proof, before it measures: all twins among its arms against the first of them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from loadtests.environment.database import Database
from loadtests.environment.launch import PROJECT
from loadtests.environment.servers import RunningInstance
from loadtests.sameness import judge
from loadtests.sameness.judge import Observed
from loadtests.sameness.probe import Twin, observe
from loadtests.sameness.record import OperationWork, Proof, Side, Sides
from loadtests.sameness.requests import OPERATIONS, Ask, generated
from loadtests.sameness.source import source_differences

TWINS = ("sync", "async")
GENERATED = 80
NOT_A_TWIN = "not a twin"
NO_PARTNER = "no second twin to compare it with"


def check_sameness(instances: Sequence[RunningInstance], database: Database, seed: int) -> Proof:
    """Compare the first instance of every twin among the arms with that of the first twin.

    `seed` decides the generated inputs. Tables are put back. Raises EnvironmentNotReady when they
    cannot be.
    """
    began_s = time.monotonic()
    firsts = {i.target.arm: i for i in reversed(instances)}
    arms = list(dict.fromkeys(i.target.arm for i in instances))
    twins = [firsts[arm] for arm in arms if firsts[arm].arm.app in TWINS]
    reasons = {arm: NOT_A_TWIN for arm in arms if firsts[arm].arm.app not in TWINS}
    if len(twins) < 2:
        return Proof(not_checked=reasons | {i.target.arm: NO_PARTNER for i in twins})
    asks = generated(seed, GENERATED)
    seen = [_observed(instance, database, asks) for instance in twins]
    return Proof(
        reference=seen[0].name,
        arms={
            there.name: _sides(seen[0], there, asks, (twins[0].arm.app, other.arm.app))
            for there, other in zip(seen[1:], twins[1:], strict=True)
        },
        not_checked=reasons,
        operations=tuple(
            OperationWork(
                name=operation.name,
                request=str(operation.ask),
                work={each.name: each.operations[place][1] for each in seen},
            )
            for place, operation in enumerate(OPERATIONS)
        ),
        connection={each.name: each.connection for each in seen},
        seed=seed,
        generated=len(asks),
        took_s=round(time.monotonic() - began_s, 2),
    )


def _observed(instance: RunningInstance, database: Database, asks: Sequence[Ask]) -> Observed:
    """Everything one twin shows, on rows as they were seeded, which are put back."""
    schema = instance.schema
    assert schema is not None  # every built-in app works in one of ours
    twin = Twin(
        name=instance.target.arm,
        url=instance.target.url,
        digests=lambda: _counts(database, schema),
        one_process=instance.arm.workers == 1,
    )
    database.reset(schema)
    try:
        return observe(twin, OPERATIONS, asks)
    finally:
        database.reset(schema)


def _counts(database: Database, schema: str) -> Mapping[str, int] | None:
    digests = database.statement_digests(schema)
    return None if digests is None else {text: each.count for text, each in digests.items()}


def _sides(
    here: Observed, there: Observed, asks: Sequence[Ask], apps: tuple[str | None, str | None]
) -> Sides:
    return Sides(
        source=source_side(apps),
        interface=judge.interface(here, there),
        work=judge.work(here, there, OPERATIONS),
        answers=judge.answers(here, there, OPERATIONS, asks),
    )


def source_side(apps: tuple[str | None, str | None], folder: Path = PROJECT / "apps") -> Side:
    """Whether the source of two built-in apps is the same but for the awaiting."""
    if apps[0] == apps[1]:
        return Side(ok=True, detail="the same program")
    try:
        differences = source_differences(*(folder / f"{app}_app" for app in TWINS))
    except OSError as error:
        return Side(ok=None, detail=f"the source could not be read: {error}")
    if differences:
        return Side(ok=False, detail=judge.listed(differences))
    return Side(
        ok=True,
        detail="equal, file by file, once async and await are taken out and the seam mapped",
    )
