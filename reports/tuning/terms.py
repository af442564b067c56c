"""PURE: what metrics, stages and roles of a tune run are called: each in one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reports import words
from reports.tuning.findings import Metric, Role
from reports.tuning.record import Stage


@dataclass(frozen=True, slots=True)
class MetricTerms:
    """`short` is for tables of 80 columns; the rest of the report says `name`."""

    name: str
    short: str
    more_is_better: bool


METRICS: Mapping[Metric, MetricTerms] = {
    "knee_per_s": MetricTerms("capacity", "capacity", more_is_better=True),
    "good_per_s": MetricTerms("good answers per second", "answers/s", more_is_better=True),
    "p99_ms": MetricTerms("p99", "p99", more_is_better=False),
}


@dataclass(frozen=True, slots=True)
class StageTerms:
    """`name` heads a column; `where` follows what was found; `short` is for 80 columns."""

    name: str
    where: str
    short: str


STAGES: Mapping[Stage, StageTerms] = {
    "search": StageTerms("search", "in the search", "search"),
    "final": StageTerms("finals", "in the finals", "finals"),
    "confirm": StageTerms("fresh processes", "in fresh processes", "at the load"),
    "twice": StageTerms("twice the load", "at twice the load", "at twice it"),
    "distance": StageTerms("farther database", "with the database farther away", "farther"),
    "burst": StageTerms("burst", "in a burst", "burst"),
}
"""In the order in which they are told."""


@dataclass(frozen=True, slots=True)
class RoleTerms:
    """`name` labels a row; `other` is said of what a setting is compared with; `full` explains."""

    name: str
    other: str
    full: str


ROLES: Mapping[Role, RoleTerms] = {
    "taken": RoleTerms("tried first", "the one tried first", "the cheapest of the plateau"),
    "alternate": RoleTerms("roomier", "the roomier", "the roomiest of the plateau"),
    "present": RoleTerms("present", "the present", "the present setting"),
    "default": RoleTerms("default", "the default", "the framework's default"),
    "same budget": RoleTerms("same budget", "the same budget", "the same budget"),
}


def in_full(roles: Iterable[Role]) -> str:
    """`the present setting and the framework's default`; a budget only where it is nothing else."""
    known = list(roles)
    telling = [each for each in known if each != "same budget"]
    return words.listed(ROLES[role].full for role in telling or known)
