"""The database in a real container, by the project's own compose file."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from loadtests.environment import container_server
from loadtests.environment.container_server import COMPOSE_FILE, image, why_not_docker
from loadtests.environment.database import open_database
from loadtests.environment.mysql import address_from_url
from loadtests.environment.placement import Placement
from loadtests.errors import EnvironmentNotReady
from loadtests.spec import RunSpec
from tests.support.real_database import gone, killed_run, wait_until

LOCAL_IMAGE = "bench-mysql:local"
pytestmark = [pytest.mark.docker, pytest.mark.database]


@pytest.fixture(autouse=True)
def usable_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    skip_without_docker(monkeypatch)


def skip_without_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip where no engine answers; take the locally built image where it is there."""
    if docker("image", "inspect", LOCAL_IMAGE):
        monkeypatch.setenv("BENCH_MYSQL_IMAGE", LOCAL_IMAGE)
    if reason := why_not_docker(lambda _: None):
        pytest.skip(reason)


def docker(*words: str) -> str:
    try:
        done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout if done.returncode == 0 else ""


PROJECT = f"bench-test-{os.getpid()}"


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> str:
    """A known name, for other runs may be using the same engine."""
    monkeypatch.setattr(container_server, "project_name", lambda: PROJECT)
    return PROJECT


def left_of(project: str) -> list[str]:
    """Containers, networks and volumes of one run."""
    label = f"label=com.docker.compose.project={project}"
    containers = docker("ps", "--all", "--quiet", "--filter", label)
    networks = docker("network", "ls", "--quiet", "--filter", label)
    volumes = docker("volume", "ls", "--quiet", "--filter", label)
    return [*containers.split(), *networks.split(), *volumes.split()]


def container_of(project: str) -> dict[str, Any]:
    inspected: list[dict[str, Any]] = json.loads(docker("inspect", left_of(project)[0]))
    return inspected[0]


def project_of(pid: int) -> str:
    """The Compose project of a running server."""
    for container in docker("ps", "--quiet").split():
        (told,) = json.loads(docker("inspect", container))
        if told["State"]["Pid"] == pid:
            return str(told["Config"]["Labels"]["com.docker.compose.project"])
    raise AssertionError(f"no container runs {pid}")


def test_mysql_in_a_container_is_closed_in_and_leaves_nothing(tmp_path: Path, project: str) -> None:
    said: list[str] = []
    with open_database(
        RunSpec(database="docker", durability="durable"),
        connections_needed=300,
        placement=Placement((), (), (0,), "test"),
        log_folder=tmp_path,
        say=said.append,
    ) as database:
        facts = database.facts()
        assert facts["database"]["kind"] == "docker"
        assert facts["database"]["flavour"] == "mysql"
        assert facts["database"]["max_connections"] == 320
        assert facts["durability"]["profile"] == "durable"
        assert facts["durability"]["log_bin"] is True
        schema = database.create_arm_schema("docker", "sync")
        database.reset(schema)
        assert database.drifted(schema) is None
        host = container_of(project)["HostConfig"]
        bindings = host["PortBindings"]["3306/tcp"]
        assert [binding["HostIp"] for binding in bindings] == ["127.0.0.1"]
        assert host["CapDrop"] == ["ALL"]
        assert not host["CapAdd"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"] > 0
        assert host["CpusetCpus"] == "0"
        password = address_from_url(database.url_for("")).password
        assert password not in json.dumps(container_of(project)["Config"]["Cmd"])
        if database.pid is not None:
            cpu_s = database.cpu_s()
            assert cpu_s is not None
            assert cpu_s > 0
    assert not left_of(project)
    log = (tmp_path / "database.log").read_text()
    assert "ready for connections" in log
    assert password not in log + "".join(said) + json.dumps(facts)


def test_a_container_does_not_outlive_kill_9(tmp_path: Path) -> None:
    with killed_run("docker", tmp_path) as server:
        project = project_of(server)
        assert len(left_of(project)) == 3
    wait_until(lambda: gone(server) and not left_of(project))


def test_a_container_that_ends_by_itself_shows_its_log(
    tmp_path: Path, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_MYSQL_MEMORY", "6m")
    with (
        pytest.raises(EnvironmentNotReady, match=image()),
        open_database(
            RunSpec(database="docker"),
            connections_needed=1,
            placement=Placement((), (), (), "test"),
            log_folder=tmp_path,
            say=lambda _: None,
        ),
    ):
        pass
    assert not left_of(project)


def test_the_compose_file_holds_no_password_and_works_without_settings() -> None:
    text = docker("compose", "-f", str(COMPOSE_FILE), "config", "--format", "json")
    service = json.loads(text)["services"]["mysql"]
    assert service["environment"] == {
        "MYSQL_RANDOM_ROOT_PASSWORD": "yes",
        "MYSQL_ROOT_PASSWORD": "",
    }
    assert "--protocol=tcp" in service["healthcheck"]["test"]
    (port,) = service["ports"]
    assert port["host_ip"] == "127.0.0.1"
    assert "published" not in port
