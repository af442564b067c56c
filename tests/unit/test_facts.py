"""How a run was made, in words; a manifest with holes makes no holes in the report."""

from importlib.metadata import version

from reports.facts import command_to_repeat, durability_line, how_it_was_made, spec_text
from tests.support.sample_summary import manifest


def test_every_fact_stands_in_words() -> None:
    facts = dict(how_it_was_made(manifest()))
    assert facts["Database"] == "MySQL 8.4.3, in a container started by us, at most 400 connections"
    assert facts["Durability"].startswith(
        "durable, innodb_flush_log_at_trx_commit=1, sync_binlog=1"
    )
    assert facts["Machine"] == "cpu Example CPU, cores 2, memory 8,000 MB"
    assert facts["Placement"] == (
        "generator on core 0; apps on core 1; database on core 0; two cores"
    )
    assert facts["Started"] == "2026-11-01 12:00 UTC"
    assert facts["Versions"].startswith("Python 3.11.7 (GIL on), fastapi ")
    assert f"sqlalchemy {version('sqlalchemy')}" in facts["Versions"]
    assert facts["Instances per arm"] == "12"
    assert facts["Arm sync"] == "pool size 10, threads 40"
    assert facts["Commit"] == "0123456789ab with changes that were not committed"


def test_how_python_was_built_and_the_app_served_is_told() -> None:
    host = {"python": {"version": "3.14.0", "gil": True, "free_threaded_build": True}}
    arm = {
        "kind": "app",
        "runtime": {"loop": "asyncio", "gil": False},
        "server": {"workers": 2, "keep_alive_s": 3600},
    }
    facts = dict(how_it_was_made(manifest(host=host, arms={"sync": arm})))
    assert facts["Versions"].startswith("Python 3.14.0 (free-threaded build, GIL on), fastapi ")
    assert facts["Arm sync"] == "loop asyncio, gil no, workers 2, keep alive 3,600 s"


def test_an_arm_that_tells_nothing_is_named_by_the_spec() -> None:
    spec = {"arm": [{"name": "mine", "command": "uvicorn shop:app --port {port}"}]}
    told = {"mine": {"kind": "command", "settings": None}}
    facts = dict(how_it_was_made(manifest(spec=spec, arms=told)))
    assert facts["Arm mine"] == "command: uvicorn shop:app --port {port}"


def test_an_arm_behind_a_url_has_one_instance_whatever_the_others_have() -> None:
    url, app = {"kind": "url", "settings": None}, {"kind": "app", "settings": {}}
    mixed = dict(how_it_was_made(manifest(arms={"here": app, "there": url})))
    assert mixed["Instances per arm"] == "12, but 1 of there"
    assert dict(how_it_was_made(manifest(arms={"there": url})))["Instances per arm"] == "1"


def test_a_packaged_server_is_named_by_its_version_alone() -> None:
    database = {"kind": "local", "flavour": "mariadb", "version": "10.11.19-MariaDB-0+deb12u1"}
    assert durability_line(manifest(database=database)).startswith("MariaDB 10.11.19, durable")


def test_the_command_carries_its_seed_once() -> None:
    assert command_to_repeat(manifest()) == "bench run quick --seed 7"
    assert command_to_repeat(manifest(command="bench run --seed 7")) == "bench run --seed 7"
    assert command_to_repeat(manifest(command="bench run --seed=7")) == "bench run --seed=7"
    assert command_to_repeat(manifest(command="bench run 'half")) == "bench run 'half --seed 7"


def test_a_manifest_with_holes_is_no_reason_to_fail() -> None:
    assert how_it_was_made({"database": None, "arms": [], "host": "odd", "versions": 3}) == []
    assert spec_text({}) == "{}"
    assert durability_line({}) == "database"
    assert durability_line(manifest()).startswith("MySQL 8.4.3, durable")
