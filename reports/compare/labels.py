"""PURE: what tells each run from the others, in a few words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from loadtests.manifest import object_of
from reports import words
from reports.compare.record import RunRecord
from reports.facts import database_line, started

MOST_TOLD = 2


def labels_of(runs: Sequence[RunRecord]) -> tuple[str, ...]:
    """Per run up to two facts in which the runs differ, those that matter most first; when it was
    started where they differ in nothing else."""
    told = [[tell(run) for run in runs] for tell in TELLING]
    differing = [values for values in told if len(set(values)) > 1][:MOST_TOLD]
    differing = differing or [[started(run.manifest) for run in runs]]
    return tuple(
        words.tidy(", ".join(values[number] for values in differing if values[number]))
        for number in range(len(runs))
    )


def _database(run: RunRecord) -> str:
    return database_line(run.manifest).split(",")[0]


def _python(run: RunRecord) -> str:
    python = object_of(object_of(run.manifest, "host"), "python")
    version = str(python.get("version") or "")
    return f"Python {version}{', no GIL' if python.get('gil') is False else ''}" if version else ""


def _durability(run: RunRecord) -> str:
    return str(object_of(run.manifest, "durability").get("profile") or "")


def _distance(run: RunRecord) -> str:
    rtt_ms = run.spec.run.database_rtt_ms
    return words.distance(rtt_ms) if rtt_ms else "database beside it"


def _machine(run: RunRecord) -> str:
    host = object_of(run.manifest, "host")
    return f"{host.get('cpu') or 'unknown CPU'}, {host.get('cores') or '?'} cores"


def _commit(run: RunRecord) -> str:
    sha = str(object_of(run.manifest, "commit").get("sha") or "")
    return f"commit {sha[:7]}" if sha else ""


def _seed(run: RunRecord) -> str:
    return f"seed {run.manifest.get('seed')}"


TELLING: tuple[Callable[[RunRecord], str], ...] = (
    _database,
    _python,
    _durability,
    _distance,
    _machine,
    _seed,
    _commit,
)
