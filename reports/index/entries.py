"""What a results folder holds: one entry for each folder of ours in it, the newest first."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.manifest import MANIFEST, object_of
from loadtests.store import ANSWERS
from reports import facts
from reports.words import listed

SCHEMA = 1
STAMP = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)")
"""In the names that folders have by default."""
ORDER = ("faster", "slower", "equivalent", "inconclusive", "invalid")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a command leaves behind: its name, its answer's file and its page, and how an answer is
    said to stand that can be used, and one that cannot."""

    name: str
    answer: str
    page: str
    good: str = "valid"
    bad: str = "not valid"


JOURNAL = "journal.jsonl"
RUN = Kind("run", "summary.json", "report.html")
TUNE = Kind("tune", "tune.json", "tune.html", "confirmed", "not confirmed")
WITH_MANIFEST = {kind.name: kind for kind in (RUN, TUNE)}
WITHOUT_MANIFEST = (
    Kind("selftest", ANSWERS["selftest"], "selftest.html", "passed", "off"),
    Kind("compare", ANSWERS["compare"], "compare.html"),
)
HOW_TO_REBUILD = "bench report makes it"


@dataclass(frozen=True, slots=True)
class Entry:
    """One folder, ready to be shown; texts are empty where nothing is known."""

    folder: str
    kind: str
    when: str
    headline: str
    counts: str
    """`2 faster, 1 inconclusive`: of a run's primary comparisons."""
    standing: str
    """`valid`, `not confirmed`, `interrupted` …"""
    sound: bool
    """Whether nothing is wrong with it."""
    database: str
    commit: str
    page: str | None
    """The page's file name, where there is one."""
    problem: str = ""
    """Why there is less than there should be."""


class Unreadable(ValueError):
    """A file of ours that cannot be used; the message says why."""


def entries(results: Path) -> list[Entry]:
    """Every folder of ours in `results`; others are passed over. Unreadable ones are entries too.

    Raises OSError where `results` itself cannot be read.
    """
    folders = [each for each in results.iterdir() if each.is_dir()]
    found = [entry for each in folders if (entry := entry_of(each)) is not None]
    return sorted(found, key=lambda each: (each.when, each.folder), reverse=True)


def entry_of(folder: Path) -> Entry | None:
    """A folder's entry; None for a folder that is none of ours."""
    try:
        if (folder / MANIFEST).exists():
            return _of_a_run(folder)
        for kind in WITHOUT_MANIFEST:
            if (folder / kind.answer).exists():
                return _of_an_answer(folder, kind)
    except Unreadable as error:
        return _unreadable(folder, str(error))
    except OSError as error:
        return _unreadable(folder, error.strerror or str(error))
    if (folder / JOURNAL).exists():
        return _unreadable(folder, f"there is no {MANIFEST}: it ended before it measured anything")
    return None


def _of_a_run(folder: Path) -> Entry:
    manifest = _read(folder / MANIFEST)
    kind = WITH_MANIFEST.get(_text(manifest, "kind") or RUN.name)
    if kind is None:
        raise Unreadable(f"{MANIFEST} is of a kind that this version does not know")
    problem, answer = "", {}
    try:
        answer = _read(folder / kind.answer)
    except FileNotFoundError:
        problem = f"no report yet: {HOW_TO_REBUILD}"
    except Unreadable as error:
        problem = f"{error}: {HOW_TO_REBUILD} anew"
    return _entry(folder, kind, manifest, answer, problem)


def _of_an_answer(folder: Path, kind: Kind) -> Entry:
    answer = _read(folder / kind.answer)
    manifest = {**object_of(answer, "facts"), "created_utc": answer.get("created_utc")}
    return _entry(folder, kind, manifest, answer, "")


def _entry(
    folder: Path, kind: Kind, manifest: Mapping[str, Any], answer: Mapping[str, Any], problem: str
) -> Entry:
    has_page = (folder / kind.page).is_file()
    return Entry(
        folder=folder.name,
        kind=kind.name,
        when=facts.started(manifest) or _stamp(folder.name),
        headline=_text(answer, "headline"),
        counts=_counts(answer),
        standing=_standing(kind, answer),
        sound=answer.get("status") != "interrupted" and _said(answer) is not False,
        database=facts.database_line(manifest),
        commit=facts.commit_line(manifest),
        page=kind.page if has_page else None,
        problem=problem or ("" if has_page else f"there is no {kind.page}: {HOW_TO_REBUILD}"),
    )


def _unreadable(folder: Path, why: str) -> Entry:
    return Entry(
        folder=folder.name,
        kind="unreadable",
        when=_stamp(folder.name),
        headline="",
        counts="",
        standing="",
        sound=False,
        database="",
        commit="",
        page=None,
        problem=why,
    )


def _read(path: Path) -> dict[str, Any]:
    """A JSON document of ours. Raises FileNotFoundError, or Unreadable with the reason."""
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path.name} is damaged: {error}") from error
    if not isinstance(document, dict):
        raise Unreadable(f"{path.name} is damaged: it is no JSON object")
    if document.get("schema") != SCHEMA:
        raise Unreadable(
            f"{path.name} has schema {document.get('schema')!r}; this version reads {SCHEMA}"
        )
    return document


def _text(document: Mapping[str, Any], key: str) -> str:
    value = document.get(key)
    return value if isinstance(value, str) else ""


def _standing(kind: Kind, answer: Mapping[str, Any]) -> str:
    if answer.get("status") == "interrupted":
        return "interrupted"
    said = _said(answer)
    return "" if said is None else kind.good if said else kind.bad


def _said(answer: Mapping[str, Any]) -> bool | None:
    """What an answer says of itself; a comparison of runs says nothing."""
    said = answer.get("valid", answer.get("ok"))
    return said if isinstance(said, bool) else None


def _counts(answer: Mapping[str, Any]) -> str:
    """How often each verdict stands among the primary comparisons."""
    found = Counter(
        comparison.get("verdict")
        for scenario in _objects(answer.get("scenarios"))
        for comparison in _objects(scenario.get("comparisons"))
        if comparison.get("primary") is True
    )
    return listed(f"{found[word]} {word}" for word in ORDER if found[word])


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _stamp(name: str) -> str:
    """When a folder was made, by its name; empty where that does not say."""
    found = STAMP.search(name)
    return "{}-{}-{} {}:{} UTC".format(*found.groups()[:5]) if found else ""
