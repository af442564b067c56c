"""A driver that is not installed is named with its package and the command that brings it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from apps.common.settings import DRIVERS as DRIVERS_OF_THE_APPS
from loadtests.environment.drivers import PACKAGED, check_drivers, driver_of
from loadtests.errors import EnvironmentNotReady
from loadtests.spec import DRIVERS, Arm

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"
SYNC = Arm(name="a", app="sync", driver="mysqldb")
ASYNC = Arm(name="b", app="async", driver="asyncmy")
DEFAULT = Arm(name="c", app="sync")
OWN = Arm(name="d", url="http://127.0.0.1:1")


def test_a_missing_driver_is_the_environment_s_fault_and_has_a_remedy() -> None:
    with pytest.raises(EnvironmentNotReady) as caught:
        check_drivers([SYNC, DEFAULT, OWN], lambda module: module != "MySQLdb")
    assert caught.value.exit_code == 3
    assert 'arm "a" needs the driver mysqldb' in caught.value.message
    assert "mysqlclient-static" in caught.value.message
    assert '"c"' not in caught.value.message
    assert "make drivers" in caught.value.hint


def test_every_missing_driver_is_named_at_once() -> None:
    with pytest.raises(EnvironmentNotReady) as caught:
        check_drivers([SYNC, ASYNC], lambda _: False)
    assert "pip install mysqlclient-static asyncmy" in caught.value.hint


def test_only_what_an_arm_uses_has_to_be_there() -> None:
    check_drivers([DEFAULT, OWN], lambda module: module == "pymysql")
    check_drivers([OWN], lambda _: False)


def test_what_arms_speak_through() -> None:
    assert [driver_of(arm) for arm in (SYNC, ASYNC, DEFAULT, OWN)] == [
        "mysqldb", "asyncmy", "pymysql", None,
    ]  # fmt: skip


def test_a_spec_knows_the_apps_drivers_and_which_of_them_is_the_usual_one() -> None:
    """The harness never imports the apps, so that each has this table by itself."""
    assert DRIVERS == DRIVERS_OF_THE_APPS


def test_every_driver_of_a_spec_has_a_package_of_ours() -> None:
    assert set(PACKAGED) == {driver for drivers in DRIVERS.values() for driver in drivers}
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    declared = " ".join(project["dependencies"] + project["optional-dependencies"]["drivers"])
    for driver in PACKAGED.values():
        assert driver.package.lower() in declared.lower()
