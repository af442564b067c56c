"""PURE: what differs between the runs' set-ups, and what is the same, grouped and in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loadtests.manifest import object_of
from loadtests.secrets import MASK, SECRET_NAME, SECRET_TABLES, masked_url
from reports import words
from reports.compare.model import Difference, Group
from reports.compare.record import RunRecord
from reports.facts import UNITS, short

Path = tuple[str, ...]
Facts = dict[Path, Any]

GROUND, NOT_GROUND = True, False
GROUPS: tuple[tuple[str, bool, tuple[Path, ...]], ...] = (
    ("Scenarios", NOT_GROUND, (("scenario",),)),
    ("Loads", NOT_GROUND, (("load",),)),
    ("Arms", NOT_GROUND, (("arm",), ("baseline",), ("arms",))),
    ("Database", GROUND, (("database",),)),
    ("Durability", GROUND, (("durability",), ("asked", "durability"))),
    ("Distance to the database", GROUND, (("asked", "database_rtt_ms"),)),
    ("Machine", GROUND, (("host",),)),
    ("Python and packages", GROUND, (("python",), ("versions",))),
    ("Cores", GROUND, (("placement",),)),
    ("Load generator", GROUND, (("generator",), ("asked", "generators"))),
    ("Code", GROUND, (("commit",),)),
    ("Seed", NOT_GROUND, (("size", "seed"),)),
    ("Amount and rules", NOT_GROUND, (("size",), ("asked",))),
    ("Other", NOT_GROUND, ((),)),
)
"""Title, whether a difference changes what every arm runs on, and the facts it takes by how their
path begins; the first that fits takes a fact."""

NOT_TOLD: frozenset[Path] = frozenset(
    {
        ("database", "address"),
        ("database", "why"),
        ("host", "load_1min"),
        ("host", "memory_available_mb"),
        ("placement", "why"),
        ("placement", "noise"),
    }
)
"""What changes from one start to the next and says nothing of the set-up."""
NAMED = frozenset({"scenario", "load", "arm", "arms"})
"""What the second part of a path names one of."""
TOLD_ONCE = frozenset({"scenario", "arm"})
"""Where one is missing it is said here, and not once more among loads and what arms told."""
THERE = "there"
SIZES = ("seed", "instances", "rounds", "pairs")
KNOWN_ABOVE = frozenset({"python", "gil", "implementation"})
"""Of an arm's runtime: the same as the run's own Python, which is told once."""


def setup_of(runs: Sequence[RunRecord]) -> tuple[Group, ...]:
    """Every fact of the set-ups by group; groups without any fact are left out."""
    facts = _without_details_of_what_is_missing([facts_of(run) for run in runs])
    paths = list(dict.fromkeys(path for each in facts for path in each))
    groups = []
    for number, (title, is_ground, _) in enumerate(GROUPS):
        own = [path for path in paths if _group(path) == number]
        told = [(path, [each.get(path) for each in facts]) for path in own]
        differing = tuple(_difference(path, v) for path, v in told if any(e != v[0] for e in v))
        same = tuple(_difference(path, v) for path, v in told if all(e == v[0] for e in v))
        if own:
            groups.append(Group(title, is_ground, differing, same))
    return tuple(groups)


def changed_ground(groups: Sequence[Group]) -> list[str]:
    """Titles of what every arm runs on, as far as it differs."""
    return [each.title for each in groups if each.changes_the_ground and each.differences]


def _without_details_of_what_is_missing(facts: Sequence[Facts]) -> list[Facts]:
    """A scenario or an arm that some runs do not have is one fact, not all that is said of it."""
    named = [{path[:2] for path in each if path[0] in NAMED} for each in facts]
    missing = set().union(*named) - set(named[0]).intersection(*named)
    told = {start for start in missing if start[0] in TOLD_ONCE}
    return [
        {path: value for path, value in each.items() if path[:2] not in missing}
        | {start: THERE for start in _named_in_order(each) if start in told}
        for each in facts
    ]


def _named_in_order(facts: Facts) -> list[Path]:
    """The beginnings of named things, in the order in which they are told."""
    return list(dict.fromkeys(path[:2] for path in facts if path[0] in NAMED))


def _group(path: Path) -> int:
    """A fact that is told in more than one way belongs to the longest beginning that fits."""
    fits = [
        (len(start), -number)
        for number, (_, _, starts) in enumerate(GROUPS)
        for start in starts
        if path[: len(start)] == start
    ]
    return -max(fits)[1]


def facts_of(run: RunRecord) -> Facts:
    """All that a run's manifest tells of its set-up; spec keys that an older version did not write
    have the values that they had then by default."""
    spec = run.spec.model_dump(mode="json", by_alias=True)
    asked = {key: value for key, value in spec["run"].items() if key != "seed"}
    manifest = run.manifest
    host = object_of(manifest, "host")
    told: dict[str, Any] = {
        "scenario": {each["name"]: _defined(each) for each in spec["scenario"]},
        "load": {each["name"]: _loads(run, each) for each in spec["scenario"]},
        "arm": {each["name"]: _unnamed(each) for each in spec["arm"]},
        "baseline": manifest.get("baseline"),
        "database": {**object_of(manifest, "database"), "asked for": asked.pop("database")},
        "durability": object_of(manifest, "durability"),
        "host": {key: value for key, value in host.items() if key != "python"},
        "python": host.get("python"),
        "versions": object_of(manifest, "versions"),
        "arms": _arms(manifest),
        "placement": object_of(manifest, "placement"),
        "generator": object_of(manifest, "generator"),
        "commit": object_of(manifest, "commit"),
        "size": {key: manifest.get(key) for key in SIZES},
        "asked": asked,
    }
    return {
        path: value
        for path, value in _leaves(told, ())
        if path not in NOT_TOLD and value is not None
    }


def _defined(scenario: Mapping[str, Any]) -> dict[str, Any]:
    requests = {each["name"]: each for each in scenario["request"]}
    kept = {k: v for k, v in scenario.items() if k not in ("name", "load", "request")}
    return {**kept, "request": {name: _unnamed(each) for name, each in requests.items()}}


def _unnamed(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Without the name it is told by."""
    return {key: value for key, value in entry.items() if key != "name"}


def _loads(run: RunRecord, scenario: Mapping[str, Any]) -> dict[str, Any]:
    """What was asked for, and the loads as they were frozen."""
    frozen = run.loads(scenario["name"])
    measured = {
        f"{model} {number}": words.load_short(load)
        for model in ("closed", "open")
        for number, load in enumerate((each for each in frozen if each.model == model), start=1)
    }
    return {**measured, "asked for": scenario["load"]}


def _arms(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What arms told beyond the spec; what is the run's own (its packages, its Python) is left
    out."""
    versions = object_of(manifest, "versions")
    told = {}
    for name, arm in object_of(manifest, "arms").items():
        if isinstance(arm, Mapping):
            runtime = object_of(arm, "runtime")
            told[str(name)] = {
                "driver": arm.get("driver"),
                "commit": arm.get("commit"),
                "settings": object_of(arm, "settings"),
                "server": object_of(arm, "server"),
                "runtime": {k: v for k, v in runtime.items() if k not in KNOWN_ABOVE},
                "versions": {
                    k: v for k, v in object_of(arm, "versions").items() if versions.get(k) != v
                },
            }
    return told


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _leaves(_masked(path, str(key), each), (*path, str(key)))
    else:
        yield path, value


def _masked(path: Path, key: str, value: Any) -> Any:
    """Manifests hold no secrets; one that was written by hand or by another tool may."""
    if not isinstance(value, str):
        return value
    in_table = path and path[-1] in SECRET_TABLES
    if SECRET_NAME.search(key) or (in_table and not value.startswith("env:") and "{" not in value):
        return MASK
    return masked_url(value) if "://" in value else value


def _difference(path: Path, values: Sequence[Any]) -> Difference:
    return Difference(_name(path), tuple(_told(path, value) for value in values))


def _name(path: Path) -> str:
    """A fact's name within its group: `sync · pool size`; a unit at the end stands with values."""
    parts = path[1:] or path
    last, _, unit = parts[-1].rpartition("_")
    named = (*parts[:-1], last) if last and unit in UNITS else parts
    return words.tidy(" · ".join(part.replace("_", " ") for part in named))


def _told(path: Path, value: Any) -> str:
    if value is None:
        return words.NOTHING
    unit = UNITS.get(path[-1].rpartition("_")[2], "")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        number = f"{value:g}" if isinstance(value, float) else str(value)
        return f"{number}{words.NBSP}{unit}" if unit else number
    if isinstance(value, list | tuple):
        return words.tidy(", ".join(str(each) for each in value)) or "none"
    text = words.tidy(str(value))
    is_commit = path == ("commit", "sha") or (path[0] == "arms" and path[-1] == "commit")
    return short(text) if is_commit else text or "empty"
