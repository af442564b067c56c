"""PURE: what metrics, stages and roles of a tune run are called: each in one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reports import words
from reports.tuning.findings import Metric, Role
from reports.tuning.record import Stage


@dataclass(frozen=True, slots=True)
class Term:
    """`name` heads a column or labels a row; `said` stands in a sentence; `short` where room is
    scarce, or where it was told in full before."""

    name: str
    said: str
    short: str


METRICS: Mapping[Metric, Term] = {
    "knee_per_s": Term("capacity", "capacity", "capacity"),
    "good_per_s": Term("good answers per second", "good answers per second", "answers/s"),
    "p99_ms": Term("p99", "p99", "p99"),
}
STAGES: Mapping[Stage, Term] = {
    "search": Term("search", "in the search", "search"),
    "final": Term("finals", "in the finals", "finals"),
    "confirm": Term("fresh processes", "in fresh processes", "at the load"),
    "twice": Term("twice the load", "at twice the load", "at twice it"),
    "distance": Term("farther database", "with the database farther away", "farther"),
    "burst": Term("burst", "in a burst", "burst"),
}
"""In the order in which they are told."""
ROLES: Mapping[Role, Term] = {
    "taken": Term("tried first", "the cheapest of the plateau", "the one tried first"),
    "alternate": Term("roomier", "the roomiest of the plateau", "the roomier"),
    "present": Term("present", "the present setting", "the present"),
    "default": Term("default", "the framework's default", "the default"),
    "same budget": Term("same budget", "the same budget", "the same budget"),
}


def in_full(roles: Iterable[Role]) -> str:
    """`the present setting and the framework's default`; a budget only where it is nothing else."""
    known = list(roles)
    telling = [each for each in known if each != "same budget"]
    return words.listed(ROLES[role].said for role in telling or known)
