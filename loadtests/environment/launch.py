"""How an arm is started: argument vector, environment, folder. Touches no process."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from loadtests.errors import SpecError
from loadtests.scenarios.model import Request, Scenario
from loadtests.secrets import FROM_ENVIRONMENT
from loadtests.spec import DRIVERS, TWINS, Arm

PROJECT = Path(__file__).resolve().parents[2]
SILENT_CHANGES = (
    "WEB_CONCURRENCY",  # multiplies uvicorn's workers, and with them every pool
    "PYTHONDONTWRITEBYTECODE",  # every instance would compile everything again
    "BENCH_DATABASE_URL",  # holds a password; an arm gets the URL of its own schema
    "COVERAGE_PROCESS_START",
)
SILENT_PREFIXES = ("TWIN_", "UVICORN_", "PYTHONASYNCIO", "PYTHONTRACE", "PYTHONPROFILE", "LOCUST_")
GRACEFUL_S = 30
"""Requests in flight when a built-in app is told to stop may take this long; then they are cut."""
PYTHON_MODES = ("PYTHONDEVMODE", "PYTHONMALLOC", "PYTHONWARNINGS", "PYTHONSAFEPATH", "PYTHONPATH",
                "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONVERBOSE", "PYTHONOPTIMIZE")  # fmt: skip
"""Taken from built-in arms only: somebody's own command may need them."""
KEEP_ALIVE_S = 3600
"""Uvicorn's default of 5 s would close connections between two trials of an instance."""
BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start."""

    argv: list[str]
    env: dict[str, str]
    cwd: Path


def app_launch(arm: Arm, port: int, database_url: str) -> Launch:
    """A built-in app under uvicorn, every setting pinned and none inherited."""
    assert arm.app is not None
    argv = [sys.executable, "-m", "uvicorn", uvicorn_target(arm.app)]
    argv += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(arm.workers)]
    argv += ["--loop", arm.loop, "--http", "httptools", "--no-access-log"]
    argv += ["--log-level", "warning", "--timeout-keep-alive", str(KEEP_ALIVE_S)]
    argv += ["--backlog", str(BACKLOG)]
    argv += ["--no-server-header", "--lifespan", "on"]
    argv += ["--timeout-graceful-shutdown", str(GRACEFUL_S)]
    settings = {
        "TWIN_DATABASE_URL": database_url,
        "TWIN_DRIVER": arm.driver or DRIVERS[arm.app][0],
        "TWIN_POOL_SIZE": str(arm.pool_size),
        "TWIN_MAX_OVERFLOW": str(arm.max_overflow),
        "TWIN_POOL_TIMEOUT_S": str(arm.pool_timeout_s),
        "TWIN_THREADS": str(arm.threads),
        "TWIN_ADMISSION": str(arm.admission),
    }
    clean = {key: value for key, value in inherited().items() if key not in PYTHON_MODES}
    return Launch(argv, {**clean, **settings, **arm.env}, PROJECT)


def server_options(arm: Arm) -> dict[str, int]:
    """What uvicorn serves a built-in app with, as far as the app itself cannot tell."""
    return {"workers": arm.workers, "keep_alive_s": KEEP_ALIVE_S, "backlog": BACKLOG}


def uvicorn_target(app: str) -> str:
    """Where uvicorn finds a built-in app: a twin has a package, a specimen a module of its own."""
    if app in TWINS:
        return f"apps.{app}_app.main:app"
    return f"apps.specimens.{app.replace('-', '_')}:app"


def command_launch(arm: Arm, port: int, database_url: str | None, folder: Path) -> Launch:
    """Somebody's own service, run in `folder` with its placeholders filled in."""
    assert arm.command is not None
    words = placeholders(arm, port)
    argv = [word.format_map(words) for word in shlex.split(arm.command)]
    secret = {"database_url": database_url or ""}
    env = {name: value.format_map({**words, **secret}) for name, value in arm.env.items()}
    return Launch(argv, {**inherited(), **env}, folder)


def placeholders(arm: Arm, port: int) -> dict[str, str]:
    """What `{port}` and the others stand for in a command."""
    return {
        "port": str(port),
        "pool_size": str(arm.pool_size),
        "max_overflow": str(arm.max_overflow),
        "threads": str(arm.threads),
        "workers": str(arm.workers),
    }


def inherited(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Our environment without what would silently change an arm.

    This Python's own programs come last on the path, so that `uvicorn …` finds one.
    """
    kept = {
        key: value
        for key, value in environ.items()
        if key not in SILENT_CHANGES and not key.startswith(SILENT_PREFIXES)
    }
    kept["PATH"] = os.pathsep.join(
        [environ.get("PATH", os.defpath), str(Path(sys.executable).parent)]
    )
    return kept


def resolved_headers(
    arm: Arm, environ: Mapping[str, str] = os.environ
) -> tuple[tuple[str, str], ...]:
    """The arm's headers with `env:NAME` replaced by that variable's value.

    Raises SpecError when the variable is not set.
    """
    return tuple(_resolved(f'Arm "{arm.name}"', arm.headers, environ).items())


def with_resolved_headers(
    scenarios: Sequence[Scenario], environ: Mapping[str, str] = os.environ
) -> tuple[Scenario, ...]:
    """The same scenarios as they are sent: `env:NAME` in requests' headers replaced. Never stored.

    Raises SpecError when a variable is not set.
    """
    return tuple(
        scenario.model_copy(
            update={"request": tuple(_sent(scenario, each, environ) for each in scenario.request)}
        )
        for scenario in scenarios
    )


def _sent(scenario: Scenario, request: Request, environ: Mapping[str, str]) -> Request:
    whose = f'Scenario "{scenario.name}", request "{request.name}"'
    return request.model_copy(update={"headers": _resolved(whose, request.headers, environ)})


def _resolved(whose: str, headers: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    return {name: _value(whose, name, said, environ) for name, said in headers.items()}


def _value(whose: str, header: str, said: str, environ: Mapping[str, str]) -> str:
    if not said.startswith(FROM_ENVIRONMENT):
        return said
    name = said.removeprefix(FROM_ENVIRONMENT)
    if name not in environ:
        raise SpecError(
            f"{whose}: header {header} takes its value from {name}, which is not set.",
            hint=f"Set it for this command: {name}=… bench run …",
        )
    return environ[name]
