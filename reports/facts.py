"""How a run was made, told from its manifest in labelled lines; a missing fact is left out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from loadtests.manifest import commit_of, object_of
from reports.words import count, listed, tidy

FLAVOURS = {"mysql": "MySQL", "mariadb": "MariaDB"}
NAMED_BY_THEIR_VALUE = frozenset({"os", "architecture", "virtual"})
UNITS = {"mb": "MB", "ms": "ms", "s": "s", "pct": "%"}
KINDS = {
    "local": "started privately by us",
    "docker": "in a container started by us",
    "external": "somebody else's server, only read and reported",
}

Fact = tuple[str, str]


def how_it_was_made(manifest: Mapping[str, Any]) -> list[Fact]:
    """Label and text of everything a reader needs to judge or repeat the run."""
    facts = [
        ("Started", started(manifest)),
        ("Database", database_line(manifest)),
        ("Distance to the database", _distance(manifest)),
        ("Durability", _durability(manifest)),
        ("Machine", _host(manifest)),
        ("Placement", _placement(manifest)),
        ("Load generator", _generator(manifest)),
        ("Versions", _versions(manifest)),
        *_arms(manifest),
        ("Instances per arm", _instances(manifest)),
        ("Seed", str(manifest.get("seed", ""))),
        ("Commit", commit_line(manifest)),
    ]
    return [(label, tidy(text)) for label, text in facts if text]


def command_to_repeat(manifest: Mapping[str, Any]) -> str:
    """The command that was typed, with the seed that it ran with."""
    command = str(manifest.get("command") or "bench run")
    seed = manifest.get("seed")
    said = any(part.split("=")[0] == "--seed" for part in _split(command))
    return command if said or seed is None else f"{command} --seed {seed}"


def spec_text(manifest: Mapping[str, Any]) -> str:
    """The whole spec as it was run, as JSON."""
    return json.dumps(manifest.get("spec", {}), indent=2, ensure_ascii=False)


def database_line(manifest: Mapping[str, Any]) -> str:
    """Flavour, version and origin of the database: `MySQL 8.4.3, in a container started by us`."""
    database = object_of(manifest, "database")
    if database.get("kind") == "none":
        return ""
    name = FLAVOURS.get(str(database.get("flavour")), str(database.get("flavour") or ""))
    parts = [
        f"{name} {_version(database)}".strip(),
        KINDS.get(str(database.get("kind")), ""),
    ]
    if (limit := database.get("max_connections")) is not None:
        parts.append(f"at most {count(limit)} connections")
    return ", ".join(part for part in parts if part)


def durability_line(manifest: Mapping[str, Any]) -> str:
    """Server and durability in one line, as it stands on every chart with writes."""
    database = object_of(manifest, "database")
    name = FLAVOURS.get(str(database.get("flavour")), str(database.get("flavour") or "database"))
    return ", ".join(
        part for part in (f"{name} {_version(database)}".strip(), _durability(manifest)) if part
    )


def _version(database: Mapping[str, Any]) -> str:
    """`10.11.19` of `10.11.19-MariaDB-0+deb12u1`: who packaged it stands in the manifest."""
    return str(database.get("version") or "").strip().partition("-MariaDB")[0]


def _durability(manifest: Mapping[str, Any]) -> str:
    durability = object_of(manifest, "durability")
    parts = [str(durability.get("profile") or "")]
    for key in ("innodb_flush_log_at_trx_commit", "sync_binlog"):
        if durability.get(key) is not None:
            parts.append(f"{key}={durability[key]}")
    if durability.get("log_bin") is not None:
        parts.append("binary log on" if durability["log_bin"] else "no binary log")
    return ", ".join(part for part in parts if part)


def _distance(manifest: Mapping[str, Any]) -> str:
    """Asked for and measured, where the project's relay made a distance."""
    found = object_of(manifest, "distance")
    added, direct = object_of(found, "added_ms"), object_of(found, "direct_ms")
    if not {"p50", "p99"} <= added.keys() & direct.keys():
        return ""
    priority = "with" if found.get("real_time") else "without"
    return (
        f"{found.get('asked_ms')} ms asked for; our relay added {added['p50']:.2f} ms to a round "
        f"trip of {direct['p50']:.2f} ms (p99: {added['p99']:.2f} to {direct['p99']:.2f}), "
        f"measured from the apps' cores before the run; the relay ran {priority} real-time priority"
    )


def started(manifest: Mapping[str, Any]) -> str:
    """To the minute: `2026-11-01 12:00 UTC`; as it is written where it is no such time."""
    written = str(manifest.get("created_utc") or "")
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return written
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _host(manifest: Mapping[str, Any]) -> str:
    """The machine; its Python stands among the versions."""
    return ", ".join(
        str(value) if key in NAMED_BY_THEIR_VALUE else _told(key, value)
        for key, value in _known(manifest, "host")
        if key != "python"
    )


def _generator(manifest: Mapping[str, Any]) -> str:
    """How many processes made the load, and whether they went before their neighbours."""
    told = object_of(manifest, "generator")
    if "processes" not in told:
        return ""
    processes = told["processes"]
    number = "one process" if processes == 1 else f"{processes} processes"
    return f"{number}, {'with' if told.get('real_time') else 'without'} real-time priority"


def _placement(manifest: Mapping[str, Any]) -> str:
    placement = object_of(manifest, "placement")
    parts = []
    for name in ("generator", "apps", "relay", "database"):
        cores = placement.get(name)
        if isinstance(cores, Sequence) and not isinstance(cores, str) and cores:
            listed = ", ".join(str(core) for core in cores)
            parts.append(f"{name} on core{'s' if len(cores) > 1 else ''} {listed}")
    why = str(placement.get("why") or "")
    return "; ".join([*parts, why] if why else parts)


def _versions(manifest: Mapping[str, Any]) -> str:
    """The harness's Python (of `host`) and packages; an arm's own runtime stands with the arm."""
    python = _python(object_of(object_of(manifest, "host"), "python"))
    parts = [f"{name} {version}" for name, version in _known(manifest, "versions")]
    return ", ".join([python, *parts] if python else parts)


def _python(told: Mapping[str, Any]) -> str:
    """`Python 3.14.0 (free-threaded build, GIL off)`, as far as it is told."""
    if not told.get("version"):
        return ""
    build = ["free-threaded build"] if told.get("free_threaded_build") else []
    if told.get("gil") is not None:
        build.append(f"GIL {'on' if told['gil'] else 'off'}")
    return f"Python {told['version']}" + (f" ({', '.join(build)})" if build else "")


def _instances(manifest: Mapping[str, Any]) -> str:
    """Instances of each arm; an arm that is a URL has whatever answers there, counted as one."""
    number = manifest.get("instances")
    arms = [(name, arm) for name, arm in _known(manifest, "arms") if isinstance(arm, Mapping)]
    urls = [name for name, arm in arms if arm.get("kind") == "url"]
    if urls and len(urls) == len(arms):
        return "1"
    told = str(number or "")
    return f"{told}, but 1 of {listed(urls)}" if told and urls else told


def _arms(manifest: Mapping[str, Any]) -> list[Fact]:
    return [
        (f"Arm {name}", _arm(arm) or _ways(manifest).get(name, ""))
        for name, arm in _known(manifest, "arms")
        if isinstance(arm, Mapping)
    ]


def _arm(arm: Mapping[str, Any]) -> str:
    """What an arm told of itself; empty when it told nothing."""
    parts = [f"{arm['app']} app"] if arm.get("app") else []
    parts += [f"driver {arm['driver']}"] if arm.get("driver") else []
    for told in ("settings", "runtime", "server"):
        parts += [_told(key, value) for key, value in _known(arm, told)]
    return ", ".join(parts)


def _ways(manifest: Mapping[str, Any]) -> dict[str, str]:
    """How the spec says that each arm is reached."""
    arms = object_of(manifest, "spec").get("arm")
    listed = arms if isinstance(arms, list) else []
    return {
        str(arm.get("name")): f"{way}: {arm[way]}{_revision(arm, manifest)}"
        for arm in listed
        for way in ("app", "command", "url")
        if arm.get(way)
    }


def _revision(arm: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """What it was run from: `, at main (0123456789ab)`, as far as it is known."""
    ref = str(arm.get("git_ref") or "")
    commit = commit_of(object_of(manifest, "arms"), str(arm.get("name")))
    if commit is None:
        return f", at {ref}" if ref else ""
    return f", at {short(commit)}" if commit.startswith(ref) else f", at {ref} ({short(commit)})"


def short(commit: str) -> str:
    """A commit's hash as it is shown."""
    return commit[:12]


def commit_line(manifest: Mapping[str, Any]) -> str:
    """Of this program: a short hash, and whether there were changes beside it."""
    commit = object_of(manifest, "commit")
    sha = str(commit.get("sha") or "")
    return f"{short(sha)}{' with changes that were not committed' if commit.get('dirty') else ''}"


def _known(manifest: Mapping[str, Any], key: str) -> list[tuple[str, Any]]:
    return [
        (str(name), value) for name, value in object_of(manifest, key).items() if value is not None
    ]


def _told(key: str, value: Any) -> str:
    """A name and its value, the unit at the end of the name moved behind the value."""
    name, _, unit = key.rpartition("_")
    if name and unit in UNITS and isinstance(value, int | float):
        return f"{name.replace('_', ' ')} {value:,g} {UNITS[unit]}"
    return f"{key.replace('_', ' ')} {_plain(value)}"


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "(" + ", ".join(_told(str(key), each) for key, each in value.items()) + ")"
    if isinstance(value, list | tuple):
        return " ".join(_plain(each) for each in value)
    return str(value)


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()
