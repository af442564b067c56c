"""The Locust user behind every scenario: sends the scenario's requests, in a run or by itself."""

from __future__ import annotations

import random
import time
from typing import Any, ClassVar

import gevent
from gevent import get_hub
from locust import User, constant

from loadtests.arrivals import RequestStream
from loadtests.generator.connections import Connection, Site, error_name
from loadtests.generator.messages import Message, messages_for
from loadtests.generator.work import Work
from loadtests.recorder import error_of
from loadtests.scenarios.model import Scenario

DRAWN_AT_ONCE = 256


class Crew:
    """The resident users of one scenario, parked until a trial wakes them."""

    def __init__(self) -> None:
        self.members: list[ScenarioUser] = []

    def serve(self, user: ScenarioUser) -> None:
        """A user's whole life in a run: wait for work, do it, wait again."""
        user.wake = gevent.getcurrent().switch
        if user not in self.members:
            self.members.append(user)
        while True:
            work, index = get_hub().switch()
            self._do(work, user, index)

    def _do(self, work: Work, user: ScenarioUser, index: int) -> None:
        try:
            work.go_on(user, index)
        except BaseException as failure:
            work.abandon(failure)
            raise


class ScenarioUser(User):  # type: ignore[misc]
    """Sends the requests of `scenario`, weighted, over a kept-alive connection.

    In a run the generator gives the class a `crew`, and trials say when to send what. Under plain
    Locust it sends one request after the other to `--host` and tells Locust about each.
    """

    abstract = True
    scenario: ClassVar[Scenario]
    crew: ClassVar[Crew | None] = None
    wait_time = constant(0)
    wake: Any = None
    connection: Connection | None = None

    def live(self) -> None:
        """Locust's task."""
        if self.crew is not None:
            self.crew.serve(self)
        else:
            PlainLife.of(type(self), self.host or "").send_one(self)

    tasks: ClassVar[list[Any]] = [live]


class PlainLife:
    """What the users of one class share under plain Locust."""

    _lives: ClassVar[dict[tuple[type[ScenarioUser], str], PlainLife]] = {}

    def __init__(self, scenario: Scenario, host: str) -> None:
        self._stream = RequestStream(scenario.request, random.getrandbits(63))
        self._messages = messages_for(scenario.request, host)
        self._host = host
        self._site = Site(host, idle_limit_s=float("inf"))
        self._timeout_s = scenario.timeout_s
        self._drawn: list[tuple[int, int]] = []

    @classmethod
    def of(cls, users: type[ScenarioUser], host: str) -> PlainLife:
        """The one life of these users against this host."""
        if (users, host) not in cls._lives:
            cls._lives[users, host] = cls(users.scenario, host)
        return cls._lives[users, host]

    def send_one(self, user: ScenarioUser) -> None:
        """Send one request, wait for its answer, fire Locust's `request` event."""
        message, key = self._next()
        start_time, start_s = time.time(), time.perf_counter()
        status, size, error = self._exchange(user, message, key)
        error = error_of(status, error, message)
        user.environment.events.request.fire(
            request_type=message.method,
            name=message.name,
            response_time=(time.perf_counter() - start_s) * 1e3,
            response_length=size,
            exception=RuntimeError(error) if error else None,
            context=user.context(),
            start_time=start_time,
            url=self._host,
            response=None,
        )

    def _next(self) -> tuple[Message, int]:
        if not self._drawn:
            drawn = self._stream.draw(DRAWN_AT_ONCE)
            self._drawn = list(zip(drawn.which.tolist(), drawn.keys.tolist(), strict=True))[::-1]
        which, key = self._drawn.pop()
        return self._messages[which], key

    def _exchange(
        self, user: ScenarioUser, message: Message, key: int
    ) -> tuple[int, int, str | None]:
        """Status, body bytes and error of one request."""
        connection = user.connection
        if connection is None or not connection.open:
            try:
                connection = user.connection = self._site.take(self._timeout_s)
            except OSError as error:
                gevent.sleep(0.01)
                return 0, 0, error_name(error)
        limit = get_hub().loop.timer(self._timeout_s)
        limit.start(connection.fail, "timeout")
        connection.begin(
            message.filled(key),
            0,
            gevent.getcurrent().switch,
            head_answer=message.has_no_answer_body,
        )
        while connection.waiting:
            get_hub().switch()
        limit.stop()
        limit.close()
        return connection.status, connection.body_bytes, connection.error
