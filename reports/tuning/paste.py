"""PURE: a setting as something to paste: code, command lines and server options."""

from __future__ import annotations

import shlex

from loadtests.spec import ASYNC_DRIVERS, DRIVERS, Arm
from loadtests.tuning.setting import Setting, fleet_connections, fleet_words
from loadtests.tuning.spec import KNOBS
from reports.tuning.connections import ConnectionLimit
from reports.tuning.findings import Snippet

GATE_MARGIN_S = 1.0
"""How much less a request may wait at the gate than for a connection, as in the twins."""

SYNC_ENGINE = """\
from sqlalchemy import create_engine

engine = create_engine(
    DATABASE_URL,  # "mysql+{driver}://user:password@host:3306/database?charset=utf8mb4"
    pool_size={pool_size},
    max_overflow={max_overflow},
    pool_timeout={pool_timeout_s:g},
)
"""
ASYNC_ENGINE = SYNC_ENGINE.replace("create_engine", "create_async_engine").replace(
    "from sqlalchemy import", "from sqlalchemy.ext.asyncio import"
)
SYNC_LIFESPAN = """\
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # The limiter belongs to the running event loop, so it can be set here only.
    current_default_thread_limiter().total_tokens = {threads}
    yield
    engine.dispose()


app = FastAPI(lifespan=lifespan)
"""
ASYNC_LIFESPAN = """\
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # No thread limit: async endpoints and sessions use no worker threads.
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)
"""
GATE = '''\
import asyncio

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class AdmissionGate:
    """Lets `limit` requests in at once; the others wait in turn, for at most `wait_s`."""

    def __init__(self, app: ASGIApp, limit: int, wait_s: float) -> None:
        self.app = app
        self.places = asyncio.Semaphore(limit)  # first come, first served (Python 3.11 and later)
        self.wait_s = wait_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/health":
            await self.app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self.wait_s):
                await self.places.acquire()
        except TimeoutError:
            busy = PlainTextResponse("Too many requests at once.", 503, {{"Retry-After": "1"}})
            await busy(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            self.places.release()


app.add_middleware(AdmissionGate, limit={admitted}, wait_s={wait_s:g})
'''
UVICORN = """\
uvicorn main:app --host 0.0.0.0 --port 8000 --workers {workers} --loop {loop} --no-access-log
"""
SERVER = """\
[mysqld]
# {arithmetic}, and {reserve} in reserve.
# While a deployment runs old and new side by side: {twice}.
max_connections = {max_connections}
"""


def values(setting: Setting, *, threads: bool = True) -> str:
    """The setting by itself, as the spec's keys have it; `threads`: whether they matter."""
    lines = [
        f"{knob} = {value}"
        for knob, value in setting.to_json().items()
        if threads or knob != "threads"
    ]
    return "\n".join([*lines[:-1], f"{lines[-1]}  # {_gate_words(setting)}"])


def _gate_words(setting: Setting) -> str:
    if setting.admitted is None:
        return "no gate"
    return f"a gate that lets {setting.admitted} in at once"


def snippets(
    arm: Arm, setting: Setting, limit: ConnectionLimit, hosts: int, source: str
) -> tuple[Snippet, ...]:
    """What gives a service this setting: code for the built-in apps, values for a command.
    `source`: the profile or the file that the spec is from."""
    if arm.kind == "url":
        return ()
    own = _command(arm, setting) if arm.kind == "command" else _app(arm, setting)
    return (*own, _server(setting, limit, hosts), _this_program(arm, setting, source))


def _app(arm: Arm, setting: Setting) -> tuple[Snippet, ...]:
    assert arm.app is not None
    is_async = DRIVERS[arm.app] == ASYNC_DRIVERS
    values = {
        **setting.to_json(),
        "driver": arm.driver or DRIVERS[arm.app][0],
        "pool_timeout_s": arm.pool_timeout_s,
        "loop": arm.loop,
    }
    engine, lifespan = (ASYNC_ENGINE, ASYNC_LIFESPAN) if is_async else (SYNC_ENGINE, SYNC_LIFESPAN)
    return (
        Snippet("The engine", "python", engine.format(**values)),
        Snippet("The application", "python", lifespan.format(**values)),
        *_gate(arm, setting),
        Snippet("The server's command", "shell", UVICORN.format(**values)),
    )


def _gate(arm: Arm, setting: Setting) -> tuple[Snippet, ...]:
    if setting.admitted is None:
        return ()
    wait_s = max(arm.pool_timeout_s - GATE_MARGIN_S, arm.pool_timeout_s / 2)
    text = GATE.format(admitted=setting.admitted, wait_s=wait_s)
    return (Snippet("The admission gate, in each worker", "python", text),)


def _command(arm: Arm, setting: Setting) -> tuple[Snippet, ...]:
    """The command and the environment with the values filled in; port and address stay open."""
    assert arm.command is not None
    values = {**{knob: str(value) for knob, value in setting.to_json().items()}}
    values |= {"port": "{port}", "database_url": "{database_url}"}
    ours = [f"{{{knob}}}" for knob in KNOBS]
    env = [
        f"{name}={text.format_map(values)}"
        for name, text in sorted(arm.env.items())
        if any(each in text for each in ours)
    ]
    used = [
        each for each in ours if each in arm.command or any(each in t for t in arm.env.values())
    ]
    listed = [f"{each} = {each.format_map(values)}" for each in used]
    parts = [Snippet("The placeholders", "text", "\n".join(listed) + "\n")]
    if env:
        parts.append(Snippet("The environment", "shell", "\n".join(env) + "\n"))
    parts.append(Snippet("The command", "shell", arm.command.format_map(values) + "\n"))
    return tuple(parts)


def _server(setting: Setting, limit: ConnectionLimit, hosts: int) -> Snippet:
    wanted = fleet_connections(setting, hosts) + limit.reserve
    text = SERVER.format(
        arithmetic=fleet_words(setting, hosts),
        reserve=limit.reserve,
        twice=wanted + fleet_connections(setting, hosts),
        max_connections=max(wanted, limit.max_connections),
    )
    return Snippet("The database server", "ini", text)


def _this_program(arm: Arm, setting: Setting, source: str) -> Snippet:
    """So that the next run measures it."""
    values = setting.to_json().items()
    options = [f"--set arm.{arm.name}.{knob}={value}" for knob, value in values]
    lines = [f"bench run {shlex.quote(source)}", *options]
    return Snippet("To measure it here", "shell", " \\\n  ".join(lines) + "\n")
