"""MySQL in a container, by the project's docker-compose.yml, under a project name of its own."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from loadtests.environment.mysql import Address, Admin, Server
from loadtests.environment.processes import spawn, watchdog
from loadtests.errors import EnvironmentNotReady
from loadtests.spec import RunSpec

COMPOSE_FILE = Path(__file__).resolve().parents[2] / "docker-compose.yml"
SERVICE = "mysql"
IMAGE_VARIABLE = "BENCH_MYSQL_IMAGE"
DEFAULT_IMAGE = "mysql:8.4"
ASK_LIMIT_S = 30.0
PULL_LIMIT_S = 900.0
READY_LIMIT_S = 180.0
STATE_EVERY_S = 1.0
DIRECT_LIMIT_S = 2
NEVER = "24h"
"""Interval of the health check in a run, which waits for the server itself."""


def image() -> str:
    """The image to run."""
    return os.environ.get(IMAGE_VARIABLE) or DEFAULT_IMAGE


def project_name() -> str:
    """A Compose project of its own for each run, so that runs beside each other do not meet."""
    return f"bench-{secrets.token_hex(5)}"


def why_not_docker(say: Callable[[str], None]) -> str | None:
    """Why no container can be started; None when one can. Pulls the image if it is not there."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    for question, complaint in (
        (["docker", "info", "--format", "{{.ServerVersion}}"], "no Docker engine answers"),
        (["docker", "compose", "version"], "Docker has no Compose v2"),
    ):
        if (problem := _problem(question, ASK_LIMIT_S)) is not None:
            return f"{complaint} ({problem})"
    if _problem(["docker", "image", "inspect", image()], ASK_LIMIT_S) is None:
        return None
    say(f"Pulling the image {image()} …")
    if (problem := _problem(["docker", "pull", "--quiet", image()], PULL_LIMIT_S)) is not None:
        return f"the image {image()} is not here and cannot be pulled ({problem})"
    return None


def _problem(command: Sequence[str], limit_s: float) -> str | None:
    """The last line of what a failing command says; None when it succeeds."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit_s, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"no answer within {limit_s:g} s"
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()
    return said[-1] if said else f"exit code {done.returncode}"


@contextlib.contextmanager
def container_server(
    run: RunSpec, *, connections: int, cores: Sequence[int], log_folder: Path, why: str
) -> Iterator[Server]:
    """Start the container, and remove it, its network and its data with the block.

    `connections` becomes `max_connections`. Raises EnvironmentNotReady with the end of its log.
    """
    project = project_name()
    address = Address("127.0.0.1", 0, "root", secrets.token_urlsafe(24))
    removal = ["docker", "compose", "-p", project, "down", "--volumes", "--timeout", "0"]
    entry = watchdog().add(command=removal)
    log_path = log_folder / "database.log"
    try:
        _up(project, _environment(run, address, connections, cores), log_path)
        yield _reach(project, address, run, log_path, why)
    finally:
        _save_log(project, log_path)
        subprocess.run(
            removal, capture_output=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        watchdog().remove(entry)


def _environment(
    run: RunSpec, address: Address, connections: int, cores: Sequence[int]
) -> dict[str, str]:
    """What docker-compose.yml asks for. The password goes by the environment only."""
    durable = run.durability == "durable"
    return {
        **os.environ,
        IMAGE_VARIABLE: image(),
        "BENCH_MYSQL_ROOT_PASSWORD": address.password,
        "BENCH_MYSQL_MAX_CONNECTIONS": str(connections),
        "BENCH_MYSQL_FLUSH_AT_COMMIT": "1" if durable else "2",
        "BENCH_MYSQL_BINLOG": "log-bin" if durable else "skip-log-bin",
        "BENCH_MYSQL_STORAGE": "disk" if durable else "memory",
        "BENCH_MYSQL_CPUSET": ",".join(map(str, cores)),
        "BENCH_MYSQL_HEALTH_INTERVAL": NEVER,
        "BENCH_MYSQL_PORT": "",
    }


def _up(project: str, env: dict[str, str], log_path: Path) -> None:
    """Create and start the container, as a child that cannot outlive us half-way through."""
    command = ["docker", "compose", "-p", project, "-f", str(COMPOSE_FILE), "up", "--detach"]
    child = spawn(command, env=env, log_path=log_path, name="docker compose up")
    deadline_s = time.monotonic() + READY_LIMIT_S
    while child.alive() and time.monotonic() < deadline_s:
        time.sleep(0.02)
    child.stop()
    if child.returncode != 0:
        raise EnvironmentNotReady(
            f"docker compose up failed:\n{child.log_tail(8)}",
            hint=f'The whole log is {log_path}. database = "local" needs no Docker.',
        )


def _reach(project: str, address: Address, run: RunSpec, log_path: Path, why: str) -> Server:
    """Wait until the server answers us, and find the shortest way to it."""
    container = _ask("docker", "compose", "-p", project, "ps", "--all", "--quiet", SERVICE)
    published = replace(address, port=_published_port(container))
    _wait(container, published, log_path)
    direct = _direct(container, published)
    return Server(
        kind="docker",
        address=direct or published,
        why=why,
        pid=_visible_pid(container),
        storage="docker volume" if run.durability == "durable" else "tmpfs",
        route="container network" if direct else "published port",
    )


def _ask(*command: str, with_errors: bool = False) -> str:
    """What a docker command prints; empty when it fails or does not come back."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace",
            stderr=subprocess.STDOUT if with_errors else subprocess.DEVNULL,
            check=False, timeout=ASK_LIMIT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.strip()


def _published_port(container: str) -> int:
    lines = _ask("docker", "port", container, "3306/tcp").splitlines()
    port = lines[0].rpartition(":")[2] if lines else ""
    return int(port) if port.isdigit() else 0


def _wait(container: str, address: Address, log_path: Path) -> None:
    """Until the server accepts our password over TCP (the image's first server does not)."""
    deadline_s = time.monotonic() + READY_LIMIT_S
    next_look_s = time.monotonic() + STATE_EVERY_S
    while time.monotonic() < deadline_s:
        if _answers(address):
            return
        if time.monotonic() > next_look_s:
            if _ask("docker", "inspect", "-f", "{{.State.Status}}", container) != "running":
                break
            next_look_s = time.monotonic() + STATE_EVERY_S
        time.sleep(0.1)
    said = _ask("docker", "logs", "--tail", "12", container, with_errors=True)
    raise EnvironmentNotReady(
        f"MySQL in its container ({image()}) did not become ready.\n{address.mask(said)}".rstrip(),
        hint=f'The whole log is {log_path}. database = "local" needs no Docker.',
    )


def _answers(address: Address, limit_s: int = 5) -> bool:
    admin = Admin(address, connect_limit_s=limit_s)
    try:
        admin.connect()
    except EnvironmentNotReady:
        return False
    admin.close()
    return True


def _direct(container: str, published: Address) -> Address | None:
    """The container's own address, where this machine can reach it (Linux without a VM).

    The published port on loopback goes through Docker's proxy process, which measured doubles a
    round trip (225 against 117 µs) and runs on whatever core it likes.
    """
    template = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    for host in _ask("docker", "inspect", "-f", template, container).split():
        address = replace(published, host=host, port=3306)
        if _answers(address, DIRECT_LIMIT_S):
            return address
    return None


def _visible_pid(container: str) -> int | None:
    """The server's process on this machine; None where the engine runs in another (a VM)."""
    pid = _ask("docker", "inspect", "-f", "{{.State.Pid}}", container)
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None
    return int(pid) if name == "mysqld" else None


def _save_log(project: str, log_path: Path) -> None:
    with contextlib.suppress(OSError, subprocess.SubprocessError), log_path.open("ab") as log:
        subprocess.run(
            ["docker", "compose", "-p", project, "logs", "--no-color", "--no-log-prefix"],
            stdout=log, stderr=subprocess.STDOUT, check=False, timeout=ASK_LIMIT_S,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
