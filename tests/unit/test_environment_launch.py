"""What an arm is started with."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from apps.common import settings
from loadtests.environment.launch import (
    app_launch,
    command_launch,
    inherited,
    resolved_headers,
    server_options,
    uvicorn_target,
    with_resolved_headers,
)
from loadtests.errors import SpecError
from loadtests.scenarios.model import Request, Scenario
from loadtests.spec import DRIVERS, TWINS, Arm
from reports.specimens import SPECIMENS


def test_a_twin_gets_every_setting_and_the_url_by_environment_only() -> None:
    arm = Arm(name="a", app="async", driver="asyncmy", workers=2, loop="asyncio", pool_size=7,
              max_overflow=3, pool_timeout_s=1.5, threads=9, admission=-1)  # fmt: skip
    launch = app_launch(arm, 20123, "mysql://u:secret@h:1/x")
    assert launch.argv[:4] == [sys.executable, "-m", "uvicorn", "apps.async_app.main:app"]
    words = " ".join(launch.argv)
    for option in ("--port 20123", "--workers 2", "--loop asyncio", "--host 127.0.0.1",
                   "--timeout-keep-alive 3600", "--backlog 2048", "--http httptools"):  # fmt: skip
        assert option in words
    assert server_options(arm) == {"workers": 2, "keep_alive_s": 3600, "backlog": 2048}
    assert "secret" not in words
    assert {key: value for key, value in launch.env.items() if key.startswith("TWIN_")} == {
        "TWIN_DATABASE_URL": "mysql://u:secret@h:1/x",
        "TWIN_DRIVER": "asyncmy",
        "TWIN_POOL_SIZE": "7",
        "TWIN_MAX_OVERFLOW": "3",
        "TWIN_POOL_TIMEOUT_S": "1.5",
        "TWIN_THREADS": "9",
        "TWIN_ADMISSION": "-1",
    }


def test_a_twin_has_its_default_driver_and_env_of_the_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDEVMODE", "1")
    arm = Arm(name="a", app="sync", env={"TWIN_TELEMETRY": "0"})
    launch = app_launch(arm, 1, "mysql://x")
    assert "--loop uvloop" in " ".join(launch.argv)
    env = launch.env
    assert env["TWIN_DRIVER"] == "pymysql"
    assert env["TWIN_TELEMETRY"] == "0"
    assert "PYTHONDEVMODE" not in env


def test_every_built_in_app_is_where_uvicorn_looks_for_it() -> None:
    for app in DRIVERS:
        module, _, name = uvicorn_target(app).partition(":")
        assert name == "app"
        assert find_spec(module) is not None
    assert DRIVERS == settings.DRIVERS
    assert set(SPECIMENS) == set(DRIVERS) - set(TWINS)


def test_a_command_is_split_like_a_shell_would_and_filled_in() -> None:
    arm = Arm(
        name="mine",
        command="serve --name 'two words' --port={port} --literal {{x}}",
        env={"URL": "{database_url}", "POOL": "{pool_size}+{max_overflow}", "T": "{threads}"},
        pool_size=5,
    )
    launch = command_launch(arm, 8123, "mysql://u:p@h:1/x", Path("/somewhere"))
    assert launch.argv == ["serve", "--name", "two words", "--port=8123", "--literal", "{x}"]
    assert launch.env["URL"] == "mysql://u:p@h:1/x"
    assert launch.env["POOL"] == "5+0"
    assert launch.env["T"] == "40"
    assert launch.cwd == Path("/somewhere")


def test_what_would_silently_change_an_arm_is_not_inherited() -> None:
    env = inherited(
        {
            "WEB_CONCURRENCY": "4",
            "PYTHONDONTWRITEBYTECODE": "1",
            "BENCH_DATABASE_URL": "mysql://u:secret@h/",
            "UVICORN_LOOP": "asyncio",
            "TWIN_POOL_SIZE": "1",
            "HOME": "/home/somebody",
            "PATH": "/bin",
        }
    )
    assert set(env) == {"HOME", "PATH"}
    assert env["PATH"].startswith("/bin:")


def test_which_arms_need_a_schema() -> None:
    assert Arm(name="a", app="sync").gets_database_url
    assert Arm(name="a", command="x {port}", env={"U": "{database_url}"}).gets_database_url
    assert not Arm(name="a", command="x {port}").gets_database_url
    assert not Arm(name="a", url="http://h").gets_database_url


def test_headers_come_from_the_environment() -> None:
    arm = Arm(name="a", url="http://h", headers={"Authorization": "env:TOKEN", "X-Plain": "1"})
    assert resolved_headers(arm, {"TOKEN": "t"}) == (("Authorization", "t"), ("X-Plain", "1"))
    with pytest.raises(SpecError, match="TOKEN"):
        resolved_headers(arm, {})


def test_headers_of_requests_come_from_the_environment_too() -> None:
    request = Request(name="r", path="/", headers={"Authorization": "env:TOKEN", "X-Plain": "1"})
    scenario = Scenario(name="s", request=(request,))
    (sent,) = with_resolved_headers([scenario], {"TOKEN": "t"})
    assert sent.request[0].headers == {"Authorization": "t", "X-Plain": "1"}
    assert "env:TOKEN" in scenario.request[0].headers.values()
    with pytest.raises(SpecError, match=r'Scenario "s", request "r": .*TOKEN'):
        with_resolved_headers([scenario], {})
