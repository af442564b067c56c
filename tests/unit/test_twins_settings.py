"""Settings come from TWIN_* only, are checked, frozen, and keep the password to themselves."""

from __future__ import annotations

import inspect

import aiomysql
import pymysql
import pytest
from pydantic import ValidationError

from apps.common.engine import engine_options, engine_url
from apps.common.settings import Settings, SettingsError

URL = "mysql://user:s%40cret@db:3307/items"


def settings(app: str = "sync", **environ: str) -> Settings:
    return Settings.from_environment(app, {f"TWIN_{key}": value for key, value in environ.items()})


def test_defaults_are_the_contract_s() -> None:
    made = settings()
    assert made.model_dump() == {
        "app": "sync", "driver": "pymysql", "database_url": None, "pool_size": 10,
        "max_overflow": 0, "pool_timeout_s": 5.0, "body_timeout_s": 30.0, "threads": 40,
        "admission": 0, "telemetry": True,
    }  # fmt: skip
    assert settings("async").driver == "aiomysql"


def test_every_value_can_be_set() -> None:
    made = settings(
        "async", DATABASE_URL=URL, DRIVER="asyncmy", POOL_SIZE="3", MAX_OVERFLOW="2",
        POOL_TIMEOUT_S="0.5", THREADS="7", ADMISSION="4", TELEMETRY="0",
        BODY_TIMEOUT_S="9",
    )  # fmt: skip
    assert made.model_dump(exclude={"database_url"}) == {
        "app": "async", "driver": "asyncmy", "pool_size": 3, "max_overflow": 2,
        "pool_timeout_s": 0.5, "body_timeout_s": 9.0, "threads": 7, "admission": 4,
        "telemetry": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POOL_SIZE", "0"), ("POOL_SIZE", "many"), ("MAX_OVERFLOW", "-1"), ("POOL_TIMEOUT_S", "0"),
        ("BODY_TIMEOUT_S", "0"),
        ("THREADS", "0"), ("ADMISSION", "-2"), ("TELEMETRY", "perhaps"), ("POOLSIZE", "5"),
        ("DRIVER", "aiomysql"),
    ],
)  # fmt: skip
def test_wrong_values_are_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"TWIN_{name}: "):
        settings(**{name: value})


def test_nothing_tells_the_password() -> None:
    made = settings(DATABASE_URL=URL)
    for told in (repr(made), made.model_dump_json(), str(engine_url(made))):
        assert "s%40cret" not in told
        assert "s@cret" not in told
    with pytest.raises(SettingsError) as caught:
        settings(DATABASE_URL=URL, THREADS="0")
    assert "cret@db" not in str(caught.value)


def test_frozen() -> None:
    with pytest.raises(ValidationError):
        settings().pool_size = 3  # type: ignore[misc]


@pytest.mark.parametrize(("admission", "admitted"), [("0", 14), ("-1", None), ("3", 3)])
def test_admission(admission: str, admitted: int | None) -> None:
    made = settings(POOL_SIZE="10", MAX_OVERFLOW="4", ADMISSION=admission)
    assert made.admitted == admitted


@pytest.mark.parametrize(("app", "driver"), [("sync", "pymysql"), ("async", "aiomysql")])
def test_engine_has_every_pool_value(app: str, driver: str) -> None:
    made = settings(
        app, DATABASE_URL=URL, POOL_SIZE="3", MAX_OVERFLOW="2", POOL_TIMEOUT_S="0.5", TELEMETRY="0"
    )
    options = engine_options(made)
    del options["connect_args"]
    assert options == {
        "pool_size": 3, "max_overflow": 2, "pool_timeout": 0.5, "pool_recycle": 14_400,
        "pool_pre_ping": False, "pool_use_lifo": False, "pool_reset_on_return": "rollback",
        "echo": False, "hide_parameters": True,
    }  # fmt: skip
    url = engine_url(made)
    assert (url.drivername, url.host, url.port) == (f"mysql+{driver}", "db", 3307)
    assert (url.username, url.password, url.database) == ("user", "s@cret", "items")
    assert url.query == {"charset": "utf8mb4"}


def test_a_database_is_needed_to_start() -> None:
    with pytest.raises(SettingsError, match="TWIN_DATABASE_URL: missing"):
        engine_url(settings())


@pytest.mark.parametrize("app", ["sync", "async"])
def test_neither_twin_encrypts_its_connection(app: str) -> None:
    """PyMySQL would by default, wherever the server offers it; aiomysql would not."""
    arguments = engine_options(settings(app))["connect_args"]
    if app == "sync":
        assert pymysql.connect(defer_connect=True).ssl, "the default this guards against is gone"
        assert not pymysql.connect(defer_connect=True, **arguments).ssl
    else:
        assert inspect.signature(aiomysql.connect).parameters["ssl"].default is None
        assert "ssl" not in arguments
