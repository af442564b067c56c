"""Locust users of the built-in scenarios; `locust -f loadtests/locustfile.py` runs them as well.

What each user sends, with weights and keys, stands in `loadtests.scenarios.catalogue`.
"""

from __future__ import annotations

from loadtests.scenarios import catalogue
from loadtests.scenarios.model import Scenario
from loadtests.users import ScenarioUser


class ReadOneUser(ScenarioUser):
    """Reads one item by its key."""

    scenario = catalogue.READ_ONE


class ReadPageUser(ScenarioUser):
    """Reads a page of 100 items."""

    scenario = catalogue.READ_PAGE


class CrudMixUser(ScenarioUser):
    """Reads by key and by page, creates, updates and deletes, in both styles of the article."""

    scenario = catalogue.CRUD_MIX


class FastBesideSlowUser(ScenarioUser):
    """Reads one item while other users wait for slow statements."""

    scenario = catalogue.FAST_BESIDE_SLOW


BUILT_IN_USERS: dict[str, type[ScenarioUser]] = {
    user.scenario.name: user
    for user in (ReadOneUser, ReadPageUser, CrudMixUser, FastBesideSlowUser)
}


def user_class_for(scenario: Scenario, number: int) -> type[ScenarioUser]:
    """A user class of its own for `scenario`, the `number`th of a run (class names are unique)."""
    base = BUILT_IN_USERS.get(scenario.name, ScenarioUser)
    return type(f"{base.__name__}{number}", (base,), {"scenario": scenario})
