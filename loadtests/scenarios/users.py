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


class ReadLargePageUser(ScenarioUser):
    """Reads a page of 1000 items."""

    scenario = catalogue.READ_LARGE_PAGE


class CrudMixUser(ScenarioUser):
    """Reads by key and by page, creates, updates and deletes, in both styles of the article."""

    scenario = catalogue.CRUD_MIX


class FastBesideSlowUser(ScenarioUser):
    """Reads one item while other users wait for slow statements."""

    scenario = catalogue.FAST_BESIDE_SLOW


class CreateBulkUser(ScenarioUser):
    """Creates 100 items by one statement."""

    scenario = catalogue.CREATE_BULK


class UpdateHotRowUser(ScenarioUser):
    """Changes the one row that all other users change as well."""

    scenario = catalogue.UPDATE_HOT_ROW


class SlowQueryUser(ScenarioUser):
    """Waits for a statement of 50 ms."""

    scenario = catalogue.SLOW_QUERY


class HoldConnectionUser(ScenarioUser):
    """Has the app keep a connection over 50 ms of other work."""

    scenario = catalogue.HOLD_CONNECTION


class QueriesPerRequest1User(ScenarioUser):
    """Has the app read one item in a request."""

    scenario = catalogue.QUERIES_PER_REQUEST_1


class QueriesPerRequest3User(ScenarioUser):
    """Has the app read three items one by one in a request."""

    scenario = catalogue.QUERIES_PER_REQUEST_3


class QueriesPerRequest10User(ScenarioUser):
    """Has the app read ten items one by one in a request."""

    scenario = catalogue.QUERIES_PER_REQUEST_10


BUILT_IN_USERS: dict[str, type[ScenarioUser]] = {
    user.scenario.name: user
    for user in (
        ReadOneUser,
        ReadPageUser,
        ReadLargePageUser,
        CrudMixUser,
        CreateBulkUser,
        UpdateHotRowUser,
        FastBesideSlowUser,
        SlowQueryUser,
        HoldConnectionUser,
        QueriesPerRequest1User,
        QueriesPerRequest3User,
        QueriesPerRequest10User,
    )
}


def user_class_for(scenario: Scenario, number: int) -> type[ScenarioUser]:
    """A user class of its own for `scenario`, the `number`th of a run (class names are unique)."""
    base = BUILT_IN_USERS.get(scenario.name, ScenarioUser)
    return type(f"{base.__name__}{number}", (base,), {"scenario": scenario})
