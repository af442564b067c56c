"""Somebody's own Locust users in a run: resident per server, let loose for one trial at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geventhttpclient.client
import locust
from gevent import sleep, spawn
from gevent.event import Event
from locust.env import Environment
from locust.event import EventHook, Events
from locust.user.task import DefaultTaskSet, TaskSet
from locust.util.load_locustfile import load_locustfile

from loadtests.arrivals import Window
from loadtests.errors import EnvironmentNotReady, SpecError
from loadtests.generator.connections import error_name
from loadtests.recorder import Row
from loadtests.trials import Target

monotonic_ns = time.monotonic_ns
USERS_START_WITHIN_S = 30.0
UNFINISHED = "(unfinished task)"
LONGEST_ERROR = 200


class Gate:
    """Where the users of one server wait between tasks while another server is loaded.

    A closed gate stops their clock: what is left of a wait time is waited in the next trial.
    """

    def __init__(self) -> None:
        self._open, self._closed = Event(), Event()
        self._closed.set()
        self.busy: dict[Any, int] = {}
        """Users inside a task, and since when (ns)."""
        self.arrived: set[Any] = set()

    def open(self) -> None:
        """Let the users go on."""
        self._closed.clear()
        self._open.set()

    def close(self) -> None:
        """Stop each user at the end of its task."""
        self._open.clear()
        self._closed.set()

    def enter(self, user: Any) -> None:
        """A user is about to start a task; returns when it may."""
        self.arrived.add(user)
        while not self._open.is_set():
            self._open.wait()
        self.busy[user] = monotonic_ns()

    def leave(self, user: Any) -> None:
        """A user has finished a task, or was ended within it."""
        self.busy.pop(user, None)

    def pause(self, user: Any, seconds: float) -> None:
        """A user's wait time, counted only while the gate is open."""
        if user not in self.arrived:  # still in on_start, which belongs to no trial
            sleep(seconds)
            return
        left_s = seconds
        while left_s > 0:
            self._open.wait()
            began_s = time.monotonic()
            self._closed.wait(left_s)
            left_s -= time.monotonic() - began_s

    def wait_until_idle(self, within_s: float) -> None:
        """Returns when no user is inside a task, or after `within_s`."""
        give_up_s = time.monotonic() + within_s
        while self.busy and time.monotonic() < give_up_s:
            sleep(0.002)


class ServerEnvironment(Environment):  # type: ignore[misc]
    """A Locust environment for the users of one server."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.gate = Gate()


def gate_tasks() -> None:
    """Make every task of this process pass the gate of its user's environment, if it has one."""

    def gated(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
        def execute_task(self: Any, task: Any) -> None:
            gate = getattr(self.user.environment, "gate", None)
            if gate is None or isinstance(task, type):  # a nested TaskSet's own tasks are gated
                original(self, task)
                return
            gate.enter(self.user)
            try:
                original(self, task)
            finally:
                gate.leave(self.user)

        return execute_task

    def pause(self: Any, seconds: float) -> None:
        gate = getattr(self.user.environment, "gate", None)
        sleep(seconds) if gate is None else gate.pause(self.user, seconds)

    TaskSet.execute_task = gated(TaskSet.execute_task)
    DefaultTaskSet.execute_task = gated(DefaultTaskSet.execute_task)
    TaskSet._sleep = pause


def forbid_silent_retries() -> None:
    """geventhttpclient, and with it FastHttpUser, resends idempotent requests on a dropped
    connection without a word; here the drop is an error of the request, as the server saw it."""
    geventhttpclient.client._may_retry_after_send_error = lambda _method: False


def load_users(path: Path) -> list[type[Any]]:
    """The user classes of a locustfile. Raises SpecError when it cannot be used."""
    try:
        classes, _ = load_locustfile(str(path))
    except (Exception, SystemExit) as error:
        raise SpecError(
            f"{path} cannot be imported: {type(error).__name__}: {error}.",
            hint=f"Try it alone: locust -f {path} --headless -u 1 -t 5s --host URL",
        ) from error
    if not classes:
        raise SpecError(f"{path} holds no Locust user class (that is not abstract).")
    for users in classes.values():
        if getattr(users, "max_retries", 0):
            raise SpecError(f"{path}: {users.__name__} retries; set max_retries = 0.")
    return list(classes.values())


class OwnUsers:
    """The users of one locustfile at one server."""

    def __init__(
        self, path: Path, classes: Sequence[type[Any]], target: Target, count: int
    ) -> None:
        self._path, self._count = path, count
        own = [_addressed(users, target) for users in classes]
        events = _events_that_also_reach_the_locustfile()
        self._environment = ServerEnvironment(user_classes=own, events=events, host=target.url)
        self._gate = self._environment.gate
        self._runner = self._environment.create_local_runner()
        self._wanted: dict[str, int] = {}
        self._rows: list[tuple[str, Row]] | None = None
        self._first_error = ""
        events.request.add_listener(self._on_request)
        events.user_error.add_listener(self._on_user_error)
        events.init.fire(environment=self._environment, runner=self._runner, web_ui=None)

    def start(self) -> None:
        """Start every user that does not run and wait until each is ready for its first task.

        Raises EnvironmentNotReady when users end before that.
        """
        if not self._wanted:
            self._runner.start(self._count, spawn_rate=self._count)
            self._runner.spawning_greenlet.join()
            self._wanted = dict(self._runner.user_classes_count)
            self._wait_for_users()
            return
        running = self._runner.user_classes_count
        missing = {name: count - running[name] for name, count in self._wanted.items()}
        self._runner.spawn_users({name: count for name, count in missing.items() if count > 0})
        self._wait_for_users()

    def _wait_for_users(self) -> None:
        give_up_s = time.monotonic() + USERS_START_WITHIN_S
        while time.monotonic() < give_up_s:
            users = {greenlet.args[0] for greenlet in self._runner.user_greenlets if greenlet.args}
            if len(users) < self._count:
                break
            if users <= self._gate.arrived:
                return
            sleep(0.005)
        raise EnvironmentNotReady(
            f"Not all {self._count} users of {self._path} got through on_start"
            f"{f': {self._first_error}' if self._first_error else '.'}",
            hint=f"Try them alone: locust -f {self._path} --headless -u 1 -t 5s --host URL",
        )

    def run(self, window: Window, timeout_s: float) -> list[tuple[str, Row]]:
        """One trial: name and row of every request from the window's start until all users are idle
        again, in order of arrival.

        A task that has begun is finished: what it sends after the window is there as well, so that
        the server counts no more than we do.
        """
        self._rows, self._window = [], window
        sleep(max(0.0, (window.start_ns - monotonic_ns()) / 1e9))
        self._gate.open()
        sleep(max(0.0, (window.steady_end_ns - monotonic_ns()) / 1e9))
        self._gate.close()
        self._gate.wait_until_idle(timeout_s)
        rows, self._rows = self._rows, None
        rows += self._end_stuck_users()
        return sorted(rows, key=lambda named: named[1][1])

    def _end_stuck_users(self) -> list[tuple[str, Row]]:
        """Users still inside a task after the timeout are ended; each leaves a row saying so."""
        rows = []
        for user, since_ns in list(self._gate.busy.items()):
            user.greenlet.kill(block=True, timeout=1.0)
            self._gate.arrived.discard(user)
            row: Row = (0, since_ns, since_ns, monotonic_ns(), 0, 0, b"", "timeout")
            rows.append((UNFINISHED, row))
        return rows

    def close(self) -> None:
        """Stop the users the way Locust does, on_stop included."""
        spawn(self._runner.quit).join(timeout=1.0)

    def _on_request(
        self,
        request_type: str,
        name: str,
        response_time: float,
        response_length: int,
        exception: BaseException | None = None,
        response: Any = None,
        start_time: float | None = None,
        **_: Any,
    ) -> None:
        if self._rows is None:
            return
        now_ns = monotonic_ns()
        took_ns = round((response_time or 0.0) * 1e6)
        started_ns = now_ns - took_ns
        if start_time is not None:  # wall clock; the event may fire later than the answer came
            started_ns = min(started_ns, now_ns - time.time_ns() + round(start_time * 1e9))
        status = int(getattr(response, "status_code", 0) or 0)
        error = None if exception is None else _error_of(exception, status)
        size, head = int(response_length or 0), _timing_head(response)
        row = (0, started_ns, started_ns, started_ns + took_ns, status, size, head, error)
        self._rows.append((f"{request_type} {name}", row))

    def _on_user_error(self, exception: BaseException, **_: Any) -> None:
        self._first_error = self._first_error or f"{type(exception).__name__}: {exception}"


def _addressed(users: type[Any], target: Target) -> type[Any]:
    """The same class for one server: with its URL, and its headers on whatever client it has."""
    headers = dict(target.headers)

    def begin(self: Any, environment: Any) -> None:
        users.__init__(self, environment)
        session = getattr(getattr(self, "client", None), "headers", None)
        if session is not None:
            session.update(headers)

    given = getattr(users, "default_headers", None) or {}
    attributes = {"host": target.url, "default_headers": {**given, **headers}}
    return type(users.__name__, (users,), {**attributes, "__init__": begin})


def _error_of(exception: BaseException, status: int) -> str:
    if status >= 400:
        return f"HTTP {status}"
    text = str(exception)
    if "timed out" in text.lower() or isinstance(exception, TimeoutError):
        return "timeout"
    if isinstance(exception, OSError) and exception.errno is not None:
        return error_name(exception)
    return text[:LONGEST_ERROR] or type(exception).__name__


def _timing_head(response: Any) -> bytes:
    headers = getattr(response, "headers", None)
    timing = headers.get("server-timing") if headers is not None else None
    return f"\nserver-timing: {timing}".encode("latin-1", "replace") if timing else b""


def _events_that_also_reach_the_locustfile() -> Any:
    """Events of one server's own, passed on to the listeners that a locustfile adds to
    `locust.events`."""
    events = Events()
    for name, hook in vars(locust.events).items():
        if isinstance(hook, EventHook):
            getattr(events, name).add_listener(hook.fire)
    return events
