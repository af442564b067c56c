"""Whether the database drivers that a spec names are installed, before anything is started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from loadtests.errors import EnvironmentNotReady
from loadtests.spec import DRIVERS, Arm


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver of the twins: what is imported, and the package that brings it."""

    module: str
    package: str


PACKAGED = {
    "pymysql": Driver("pymysql", "PyMySQL"),
    "mysqldb": Driver("MySQLdb", "mysqlclient-static"),
    "aiomysql": Driver("aiomysql", "aiomysql"),
    "asyncmy": Driver("asyncmy", "asyncmy"),
}
"""By the name that SQLAlchemy and specs have for them."""


def driver_of(arm: Arm) -> str | None:
    """The driver a built-in arm speaks through; None for arms that bring their own."""
    if arm.app is None:
        return None
    return arm.driver or DRIVERS[arm.app][0]


def missing_drivers(arms: Sequence[Arm], is_there: Callable[[str], bool]) -> list[str]:
    """Drivers that arms need and that are not there, each once. `is_there` gets module names."""
    wanted = dict.fromkeys(driver for arm in arms if (driver := driver_of(arm)) is not None)
    return [driver for driver in wanted if not is_there(PACKAGED[driver].module)]


def check_drivers(
    arms: Sequence[Arm], is_there: Callable[[str], bool] = lambda name: find_spec(name) is not None
) -> None:
    """Raise EnvironmentNotReady when an arm's driver is not installed in this Python."""
    if not (missing := missing_drivers(arms, is_there)):
        return
    needed = [
        f'arm "{arm.name}" needs the driver {driver}, of the package {PACKAGED[driver].package}'
        for arm in arms
        if (driver := driver_of(arm)) in missing
    ]
    packages = " ".join(PACKAGED[driver].package for driver in missing)
    raise EnvironmentNotReady(
        f"Not installed: {'; '.join(needed)}.",
        hint=f"Install it with: make drivers (or, elsewhere: pip install {packages})",
    )
