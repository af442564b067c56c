"""Manifests carry no secrets; a resumed run counts on from where it stopped."""

import json
from pathlib import Path
from typing import Any

import pytest

from loadtests.errors import StorageError, UsageError
from loadtests.journal import Journal
from loadtests.manifest import public_spec, read_manifest
from loadtests.plan import Origin
from loadtests.resume import check_same_spec, check_same_world, generators_of, progress_of
from loadtests.secrets import masked_url
from loadtests.spec import Spec, load_spec
from loadtests.trials import ClosedLoad, OpenLoad

SECRETS = """
[run]
database = "mysql://me:hunter2@127.0.0.1:3306/x"
[[arm]]
name = "mine"
command = "serve {port}"
env = { TOKEN = "hunter2", DB = "{database_url}" }
[[arm]]
name = "staging"
url = "http://user:hunter2@127.0.0.1:9000"
headers = { Authorization = "Bearer hunter2", X = "env:STAGING_TOKEN" }
[[scenario]]
name = "read-one"
[[scenario]]
name = "mine"
[[scenario.request]]
name = "log in"
method = "POST"
path = "/login?api_key=hunter2&page=1"
json = { user = "me", password = "hunter2" }
headers = { Authorization = "Bearer hunter2", X = "env:SHOP_TOKEN" }
"""


def secret_spec(tmp_path: Path) -> Spec:
    path = tmp_path / "s.toml"
    path.write_text(SECRETS)
    return load_spec(str(path), environ={})


def test_a_public_spec_has_no_secret_but_says_where_they_come_from(tmp_path: Path) -> None:
    text = json.dumps(public_spec(secret_spec(tmp_path)))
    assert "hunter2" not in text
    assert "env:STAGING_TOKEN" in text
    assert "env:SHOP_TOKEN" in text
    assert "/login?api_key=***&page=1" in text
    assert "{database_url}" in text
    assert "mysql://me:***@127.0.0.1:3306/x" in text


@pytest.mark.parametrize("plain", ["auto", "docker", "http://127.0.0.1:9000/x", "mysql://u@h/x"])
def test_texts_without_a_password_stay(plain: str) -> None:
    assert masked_url(plain) == plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "no readable run"),
        ("[1]", "it is no manifest"),
        ("{}", "it is no manifest"),
        ('{"schema": 1, "run": "x"}', "it lacks arms, baseline, overrides, placement, seed, spec"),
        ('{"schema": 9}', "schema 9"),
    ],
)
def test_a_damaged_or_newer_manifest_is_a_clear_error(
    tmp_path: Path, text: str, expected: str
) -> None:
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(StorageError, match=expected):
        read_manifest(tmp_path)


def test_a_folder_without_a_run_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(UsageError, match="holds no run"):
            read_manifest(folder)


def test_progress_counts_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    loads = [
        {"load": "closed-16", "model": "closed", "users": 16},
        {"load": "open-240", "model": "open", "rate_per_s": 240.0, "arrivals": "poisson"},
    ]
    journal.write("rates", scenario="read-one", capacity_per_s={}, loads=loads)
    for number, state in ((0, "finished"), (1, "abandoned")):
        journal.write("round", round=number, state="planned")
        journal.write(
            "trial", trial=10 + number, block=70 + number, instance=number, state="finished"
        )
        journal.write("round", round=number, state=state)
    journal.close()
    before = progress_of(tmp_path)
    assert before.finished_rounds == 1
    assert before.origin == Origin(round=2, block=72, trial=12, instance=2)
    assert before.frozen == {"read-one": (ClosedLoad(16), OpenLoad(240.0))}


def test_a_changed_spec_cannot_be_resumed(tmp_path: Path) -> None:
    before = load_spec("quick", environ={})
    after = load_spec("quick", overrides=["run.block_s=2"], environ={})
    check_same_spec({"spec": public_spec(before)}, before, tmp_path)
    with pytest.raises(UsageError, match="run"):
        check_same_spec({"spec": public_spec(before)}, after, tmp_path)


WORLD: dict[str, dict[str, Any]] = {
    "database": {"kind": "local", "flavour": "mariadb", "version": "10.11.1", "why": "first"},
    "durability": {"profile": "durable"},
    "commit": {"sha": "abc", "dirty": False},
    "versions": {"sqlalchemy": "2.1.9"},
    "placement": {"apps": [1]},
}


def test_the_same_world_can_be_resumed(tmp_path: Path) -> None:
    later = {**WORLD, "database": {**WORLD["database"], "why": "second"}}
    check_same_world(WORLD, later, tmp_path)


@pytest.mark.parametrize(
    ("told", "processes"), [({}, 1), ({"generator": {"processes": 3, "real_time": True}}, 3)]
)
def test_a_resumed_run_keeps_its_number_of_generator_processes(
    told: dict[str, Any], processes: int
) -> None:
    assert generators_of(WORLD | told) == processes


@pytest.mark.parametrize(
    ("place", "change", "words"),
    [
        ("database", {"flavour": "mysql"}, "database.flavour: mariadb then, mysql now"),
        ("durability", {"profile": "relaxed"}, "durability.profile"),
        ("commit", {"sha": "def"}, "commit.sha: abc then, def now"),
        ("versions", {"sqlalchemy": "2.1.10"}, "versions"),
        ("placement", {"apps": [2]}, "placement"),
    ],
)
def test_another_world_cannot_be_resumed(
    tmp_path: Path, place: str, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        check_same_world(WORLD, {**WORLD, place: {**WORLD[place], **change}}, tmp_path)
