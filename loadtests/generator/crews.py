"""One resident Locust test with the users of every scenario, started as they are needed."""

from __future__ import annotations

from collections.abc import Sequence

import gevent
from locust.env import Environment

from loadtests.scenarios.model import Scenario
from loadtests.scenarios.users import user_class_for
from loadtests.users import Crew, ScenarioUser


class Crews:
    """The users of all scenarios in one Locust environment."""

    def __init__(self, scenarios: Sequence[Scenario]) -> None:
        self._classes = {
            scenario.name: user_class_for(scenario, number)
            for number, scenario in enumerate(scenarios)
        }
        self._crews = {name: Crew() for name in self._classes}
        for name, users in self._classes.items():
            users.crew = self._crews[name]
        self._environment = Environment(user_classes=list(self._classes.values()))
        self._runner = self._environment.create_local_runner()
        self._runner.greenlet.kill(block=True)  # it only reads /proc, and might while we measure
        self._environment.events.test_start.fire(environment=self._environment)

    def users(self, scenario: str, count: int) -> list[ScenarioUser]:
        """The first `count` users of a scenario, each parked."""
        crew = self._crews[scenario]
        missing = count - len(crew.members)
        if missing > 0:
            self._runner.spawn_users({self._classes[scenario].__name__: missing})
        while len(crew.members) < count:
            gevent.sleep(0.001)
        return crew.members[:count]

    def close(self) -> None:
        """End the test."""
        self._runner.quit()
