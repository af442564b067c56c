"""Starts every instance of every arm side by side, waits until all answer, and stops them."""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadtests.environment.checkout import Place, checkout
from loadtests.environment.database import Database
from loadtests.environment.launch import (
    KEEP_ALIVE_S,
    Launch,
    app_launch,
    command_launch,
    inherited,
    resolved_headers,
)
from loadtests.environment.placement import Placement
from loadtests.environment.processes import (
    Child,
    free_port,
    raise_file_limit,
    spawn,
    stop_all,
)
from loadtests.environment.proctree import listens
from loadtests.errors import EnvironmentNotReady
from loadtests.spec import Arm, Spec
from loadtests.trials import Target

APP_IDLE_LIMIT_S = KEEP_ALIVE_S - 600.0
OTHER_IDLE_LIMIT_S = 4.0
"""Uvicorn's default is 5 s."""
OF_ONE_WORKER = (
    *("pid", "requests", "in_flight", "in_flight_s", "arrivals_ns", "waiting", "checked_out"),
)
"""What `/stats` tells of the process that answers it."""
ANSWER_LIMIT_S = 2.0
READY_LIMIT_S = 60.0
READY_LIMIT_PER_PROCESS_S = 4.0
POLL_S = 0.1
TELL_EVERY_S = 5.0
STOP_GRACE_S = 3.0
RESET_LIMIT_S = 120.0
SETTLED_S = 3.0
"""Who listens on a child's port may be out of sight (`docker run`). If that is a stranger, a child
still alive after this time would have ended for want of its port."""
LOG_LINES = 15
PORT_TAKEN = ("address already in use", "eaddrinuse", "errno 98", "errno 48")

Say = Callable[[str], None]


@dataclass(frozen=True)
class RunningInstance:
    """One instance: where it is loaded, and our hold on it where we started it."""

    target: Target
    child: Child | None
    schema: str | None
    arm: Arm = field(repr=False)
    launch: Launch | None = field(default=None, repr=False)
    """How it was started; its environment holds the database's password."""
    commit: str | None = None
    """What its `git_ref` stood for when it was checked out."""

    def stats(self) -> dict[str, Any] | None:
        """What a built-in app says of itself (`GET /stats`); None for others or without answer.

        With several workers a single one answers, so what it counts alone is left out.
        """
        if self.arm.kind != "app":
            return None
        status, body = ask(self.target.url, "/stats")
        if status != 200:
            return None
        told: dict[str, Any] = json.loads(body)
        if self.arm.workers > 1:
            told.update(dict.fromkeys(OF_ONE_WORKER))
        return told

    def stop(self) -> None:
        """End the process group, if we started one."""
        if self.child is not None:
            self.child.stop(STOP_GRACE_S)


@contextlib.contextmanager
def running_arms(
    spec: Spec,
    database: Database,
    *,
    instances: int,
    placement: Placement,
    log_folder: Path,
    say: Say,
    run: str | None = None,
    first_instance: int = 0,
    tables: Mapping[str, str] | None = None,
) -> Iterator[list[RunningInstance]]:
    """All instances of all arms, ready to be loaded, for the length of the block.

    Instances count from `first_instance`; an arm with a URL has one, number 0. `run` names the
    schemas. A schema is shared by all instances of its arm, and by all arms that have the same word
    in `tables` (by arm; by default each has its own). Raises EnvironmentNotReady naming the
    arm, with the end of its log; SpecError for a header whose variable is not set.
    """
    raise_file_limit()
    run = run or secrets.token_hex(4)
    with ExitStack() as stack:
        starter = _Starter(spec, database, log_folder, run, tables or {}, stack)
        started = [
            starter.start(arm, number)
            for arm in spec.arm
            for number in _numbers(arm, first_instance, instances)
        ]
        ready = _wait_for_all(starter, started, database, say)
        for instance in ready:
            if instance.child is not None:
                instance.child.pin(placement.apps)  # only now: starting uses every core
        yield ready


def _numbers(arm: Arm, first: int, count: int) -> range:
    """An arm with a URL is one process, and stays instance 0 when a run is resumed."""
    return range(first, first + count) if arm.url is None else range(1)


class _Starter:
    """Starts single instances, and makes each arm's schema and checkout once."""

    def __init__(
        self,
        spec: Spec,
        database: Database,
        log_folder: Path,
        run: str,
        tables: Mapping[str, str],
        stack: ExitStack,
    ) -> None:
        self._database = database
        self._log_folder = log_folder
        self._children: list[Child] = []
        self._places = {arm.name: self._place(spec, arm, stack) for arm in spec.arm}
        self._headers = {arm.name: resolved_headers(arm) for arm in spec.arm}
        whose = {a.name: tables.get(a.name, a.name) for a in spec.arm if a.gets_database_url}
        made = {name: database.create_arm_schema(run, name) for name in sorted({*whose.values()})}
        self._schemas = {arm: made[name] for arm, name in whose.items()}
        stack.callback(lambda: stop_all(self._children, STOP_GRACE_S))

    @staticmethod
    def _place(spec: Spec, arm: Arm, stack: ExitStack) -> Place:
        folder = working_folder(spec, arm)
        if arm.git_ref is None:
            return Place(folder)
        return stack.enter_context(checkout(arm.name, folder, arm.git_ref))

    def start(self, arm: Arm, number: int) -> RunningInstance:
        """Start one instance of an arm, or look at the one that runs already."""
        headers = self._headers[arm.name]
        if arm.url is not None:
            target = Target(arm.name, number, arm.url.rstrip("/"), headers, OTHER_IDLE_LIMIT_S)
            return RunningInstance(target, None, None, arm)
        port = free_port()
        launch = self._launch(arm, port)
        child = spawn(
            launch.argv,
            env=launch.env,
            cwd=launch.cwd,
            log_path=self._log_folder / f"{arm.name}-{number}.log",
            name=f'Arm "{arm.name}" instance {number}',
        )
        self._children.append(child)
        idle_limit_s = APP_IDLE_LIMIT_S if arm.kind == "app" else OTHER_IDLE_LIMIT_S
        target = Target(arm.name, number, f"http://127.0.0.1:{port}", headers, idle_limit_s)
        schema, commit = self._schemas.get(arm.name), self._places[arm.name].commit
        return RunningInstance(target, child, schema, arm, launch, commit)

    def _launch(self, arm: Arm, port: int) -> Launch:
        schema = self._schemas.get(arm.name)
        database_url = self._database.url_for(schema) if schema else None
        if arm.kind == "app":
            assert database_url is not None
            return app_launch(arm, port, database_url)
        return command_launch(arm, port, database_url, self._places[arm.name].folder)


def _wait_for_all(
    starter: _Starter, started: list[RunningInstance], database: Database, say: Say
) -> list[RunningInstance]:
    """Poll until every instance answers; one whose port was taken meanwhile is started again."""
    limit_s = READY_LIMIT_S + READY_LIMIT_PER_PROCESS_S * sum(i.arm.workers for i in started)
    begun_s = told_s = time.monotonic()
    waiting = dict(enumerate(started))
    retried: set[int] = set()
    while waiting:
        for index, instance in list(waiting.items()):
            if _ready(instance):
                started[index] = waiting.pop(index)
            elif instance.child is not None and not instance.child.alive():
                if index in retried or not _port_was_taken(instance.child):
                    raise _not_ready(instance, "ended by itself", database)
                retried.add(index)
                waiting[index] = starter.start(instance.arm, instance.target.instance)
        now_s = time.monotonic()
        if waiting and now_s - begun_s > (limit_s if any(_ours(waiting)) else ANSWER_LIMIT_S):
            instance = next(iter(waiting.values()))
            raise _not_ready(instance, f"was not ready within {now_s - begun_s:.0f} s", database)
        if now_s - told_s > TELL_EVERY_S:
            say(f"{len(started) - len(waiting)} of {len(started)} instances are ready …")
            told_s = now_s
        time.sleep(POLL_S if waiting else 0)
    say(f"{len(started)} instances are ready after {time.monotonic() - begun_s:.1f} s.")
    return started


def _ours(waiting: dict[int, RunningInstance]) -> Iterator[bool]:
    return (instance.child is not None for instance in waiting.values())


def _ready(instance: RunningInstance) -> bool:
    """Whether the instance, and nobody else on its port, answers its `ready` path."""
    status, child = _status(instance), instance.child
    if child is None:
        return status is not None and status < 500
    if status is None or not 200 <= status < 300:
        return False
    port = urlsplit(instance.target.url).port
    assert port is not None
    settled = time.monotonic() - child.started_s > SETTLED_S
    return child.alive() and (settled or listens(child.pid, port))


def _status(instance: RunningInstance) -> int | None:
    return ask(instance.target.url, _ready_path(instance.arm), instance.target.headers)[0]


def _ready_path(arm: Arm) -> str:
    """A built-in app tells at `/ready` whether its database answers too."""
    return "/ready" if arm.kind == "app" else arm.ready


def _port_was_taken(child: Child) -> bool:
    said = child.log_tail(LOG_LINES).lower()
    return any(words in said for words in PORT_TAKEN)


def _not_ready(instance: RunningInstance, what: str, database: Database) -> EnvironmentNotReady:
    arm, child, status = instance.arm, instance.child, _status(instance)
    asked = f"{instance.target.url}{_ready_path(arm)}"
    got = "no answer" if status is None else f"status {status}"
    if child is None:
        return EnvironmentNotReady(
            f'Arm "{arm.name}": GET {asked} gives {got}.',
            hint="Is that service running, and are url and ready right?",
        )
    if child.returncode is not None:
        what, got = f"{what} (exit code {child.returncode})", "no answer"
    said = masked(child.log_tail(LOG_LINES), instance, database) or "(it wrote nothing)"
    return EnvironmentNotReady(
        f'Arm "{arm.name}", instance {instance.target.instance}: it {what}; GET {asked} gives '
        f"{got}. The end of {child.log_path}:\n{said}",
        hint="Start it by hand the same way to see more; bench doctor checks the machine.",
    )


def masked(text: str, instance: RunningInstance, database: Database) -> str:
    """A log's text without the database password and without header values."""
    for _, value in instance.target.headers:
        text = text.replace(value, "***")
    return database.mask(text)


def ask(
    url: str, path: str, headers: Sequence[tuple[str, str]] = (), limit_s: float = ANSWER_LIMIT_S
) -> tuple[int | None, bytes]:
    """GET on a connection of its own: status and body; None and nothing without an answer."""
    parts = urlsplit(url)
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    connection = kinds[parts.scheme](parts.hostname or "", parts.port, timeout=limit_s)
    try:
        connection.request("GET", parts.path + path, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return None, b""
    finally:
        connection.close()


def working_folder(spec: Spec, arm: Arm) -> Path:
    """The folder an arm's command runs in."""
    return (Path(spec.folder) / (arm.cwd or ".")).resolve()


def run_reset(spec: Spec, instance: RunningInstance, database: Database) -> None:
    """Run the arm's own `reset` command where its service runs and with the same environment (its
    checkout, its `DATABASE_URL` …), and wait for it.

    A program named with a slash is looked for beside the spec first. Raises EnvironmentNotReady
    with what the command wrote, secrets masked.
    """
    arm, launch = instance.arm, instance.launch
    assert arm.reset is not None
    program, *rest = shlex.split(arm.reset)
    beside_spec = (Path(spec.folder) / program).resolve()
    if "/" in program and beside_spec.is_file():
        program = str(beside_spec)
    folder = launch.cwd if launch else working_folder(spec, arm)
    problem = _reset_problem([program, *rest], folder, launch.env if launch else inherited())
    if problem is not None:
        raise EnvironmentNotReady(
            f'Arm "{arm.name}": its reset command {arm.reset!r} '
            f"{masked(problem, instance, database)}.",
            hint="It runs before each trial with writes; try it by hand.",
        )


def _reset_problem(argv: list[str], folder: Path, env: Mapping[str, str]) -> str | None:
    try:
        done = subprocess.run(
            argv, cwd=folder, env=env, capture_output=True, text=True, errors="replace",
            check=False, timeout=RESET_LIMIT_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"did not end within {RESET_LIMIT_S:g} s"
    except OSError as error:
        return f"could not be started: {error.strerror or error}"
    if done.returncode == 0:
        return None
    said = (done.stderr or done.stdout).strip().splitlines()[-3:]
    return f"failed with exit code {done.returncode}: " + " / ".join(said)
