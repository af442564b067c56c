"""What is to be pasted is run: real engines, a real app, uvicorn's and our own command lines."""

import asyncio
import configparser
import shlex
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from sqlalchemy.pool import AsyncAdaptedQueuePool, QueuePool
from uvicorn.main import main as uvicorn_command

from loadtests.spec import Arm, load_spec
from loadtests.tuning.setting import FRAMEWORK_DEFAULT, Setting
from reports.tuning.connections import ConnectionLimit
from reports.tuning.findings import Snippet
from reports.tuning.paste import snippets, values

LIMIT = ConnectionLimit(151, 10, "the server")
SETTING = Setting(pool_size=7, max_overflow=2, threads=13, workers=2, admission=0)
SYNC, ASYNC = Arm(name="sync", app="sync"), Arm(name="async", app="async")


def pasted(
    arm: Arm, setting: Setting = SETTING, hosts: int = 4, source: str = "quick"
) -> Sequence[Snippet]:
    return snippets(arm, setting, LIMIT, hosts, source)


def text(found: Sequence[Snippet], title: str) -> str:
    return next(each.text for each in found if title in each.title)


def run(found: Sequence[Snippet], url: str) -> dict[str, Any]:
    """All the code of an app in one module, as somebody would paste it."""
    code = "\n".join(each.text for each in found if each.language == "python")
    module: dict[str, Any] = {"DATABASE_URL": url}
    exec(compile(code, "pasted.py", "exec"), module)
    return module


def test_the_sync_engine_has_the_pool_and_the_lifespan_sets_the_threads() -> None:
    module = run(pasted(SYNC), "mysql+pymysql://user:password@127.0.0.1:3306/database")
    pool = module["engine"].pool
    assert type(pool) is QueuePool
    assert (pool.size(), pool._max_overflow, pool._timeout) == (7, 2, 5.0)
    assert asyncio.run(threads_of(module["app"])) == 13


def test_the_async_engine_has_the_pool_and_leaves_threads_alone() -> None:
    module = run(pasted(ASYNC), "mysql+aiomysql://user:password@127.0.0.1:3306/database")
    pool = module["engine"].pool
    assert type(pool) is AsyncAdaptedQueuePool
    assert (pool.size(), pool._max_overflow, pool._timeout) == (7, 2, 5.0)
    assert asyncio.run(threads_of(module["app"])) == 40  # AnyIO's own


async def threads_of(app: FastAPI) -> float:
    async with app.router.lifespan_context(app):
        return current_default_thread_limiter().total_tokens


@pytest.mark.parametrize("arm", [SYNC, ASYNC])
def test_the_gate_stands_in_front_of_the_app(arm: Arm) -> None:
    driver = "pymysql" if arm is SYNC else "aiomysql"
    module = run(pasted(arm), f"mysql+{driver}://user:password@127.0.0.1:3306/database")
    (gate,) = module["app"].user_middleware
    assert gate.cls is module["AdmissionGate"]
    assert gate.kwargs == {"limit": 9, "wait_s": 4.0}


def test_without_a_gate_none_is_pasted() -> None:
    found = pasted(SYNC, Setting(7, 2, 13, 1, -1))
    assert not any("gate" in each.title for each in found)
    assert "AdmissionGate" not in "".join(each.text for each in found)


def test_the_gate_lets_in_as_many_as_it_should_in_the_order_of_arrival() -> None:
    asyncio.run(crowd(run(pasted(SYNC), "mysql+pymysql://u:p@h/d")["AdmissionGate"]))


async def crowd(gate_class: Any) -> None:
    """Six callers at a gate of two, let go one by one."""
    entered: asyncio.Queue[tuple[str, asyncio.Event]] = asyncio.Queue()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        leave = asyncio.Event()
        await entered.put((scope["path"], leave))
        await leave.wait()

    gate = gate_class(app, limit=2, wait_s=60.0)
    scopes = [{"type": "http", "path": f"/{number}"} for number in range(6)]
    calls = [asyncio.create_task(gate(scope, None, None)) for scope in scopes]
    order, inside = [], []
    for _ in scopes:
        path, leave = await entered.get()
        order.append(path)
        inside.append(leave)
        assert entered.empty() or len(inside) < 2
        if len(inside) == 2:
            inside.pop(0).set()
    for leave in inside:
        leave.set()
    await asyncio.gather(*calls)
    assert order == [scope["path"] for scope in scopes]


def test_who_waits_too_long_at_the_gate_is_told_to_come_back_and_health_never_waits() -> None:
    assert asyncio.run(turned_away(run(pasted(SYNC), "mysql+pymysql://u:p@h/d"))) == (503, "1", 200)


async def turned_away(module: dict[str, Any]) -> tuple[int, str, int]:
    app = FastAPI()

    @app.get("/health")
    async def health() -> str:
        return "ok"

    gate = module["AdmissionGate"](app, limit=1, wait_s=0.001)
    await gate.places.acquire()
    transport = httpx.ASGITransport(app=gate)
    async with httpx.AsyncClient(transport=transport, base_url="http://app") as client:
        busy, alive = await client.get("/items"), await client.get("/health")
    return busy.status_code, busy.headers["Retry-After"], alive.status_code


def test_uvicorn_understands_its_command() -> None:
    program, *words = shlex.split(text(pasted(SYNC), "server's command"))
    context = uvicorn_command.make_context(program, words)
    assert context.params["workers"] == 2
    assert context.params["access_log"] is False


def test_the_servers_limit_is_enough_for_the_fleet_and_the_reserve() -> None:
    server = text(pasted(SYNC, hosts=10), "database server")
    assert "10 hosts × 2 workers × (7 + 2) = 180 connections, and 10 in reserve" in server
    parser = configparser.ConfigParser()
    parser.read_string(server)
    assert parser["mysqld"]["max_connections"] == "190"
    parser.read_string(text(pasted(SYNC, hosts=1), "database server"))
    assert parser["mysqld"]["max_connections"] == "151"


def test_our_own_command_measures_the_setting() -> None:
    words = shlex.split(text(pasted(ASYNC), "measure it"))
    overrides = [words[i + 1] for i, word in enumerate(words) if word == "--set"]
    assert Setting.of(load_spec("quick", overrides=overrides).arm_named("async")) == SETTING


OWN_SPEC = """
[[arm]]
name = "shop"
command = "serve --port {port} --pool {pool_size}"

[[scenario]]
name = "shop"
[[scenario.request]]
name = "read"
path = "/items"
"""


def test_it_measures_the_arm_of_a_spec_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "my shop.toml"
    file.write_text(OWN_SPEC)
    arm = load_spec(str(file)).arm_named("shop")
    one_line = text(pasted(arm, source=str(file)), "measure it").replace("\\\n", "")
    bench, run, source, *words = shlex.split(one_line)
    assert (bench, run, words[0]) == ("bench", "run", "--set")
    spec = load_spec(source, overrides=[word for word in words if word != "--set"])
    assert Setting.of(spec.arm_named("shop")) == SETTING


def test_a_command_gets_its_placeholders_with_their_values() -> None:
    arm = Arm(
        name="shop",
        command="serve --port {port} --pool {pool_size} --braces {{}}",
        env={"URL": "{database_url}", "THREADS": "{threads}", "SECRET": "***"},
    )
    found = pasted(arm)
    assert text(found, "placeholders") == "{pool_size} = 7\n{threads} = 13\n"
    assert text(found, "environment") == "THREADS=13\n"
    assert text(found, "command") == "serve --port {port} --pool 7 --braces {}\n"


def test_nothing_is_pasted_for_a_service_that_runs_already() -> None:
    assert pasted(Arm(name="staging", url="http://127.0.0.1:9000")) == ()


def test_a_setting_by_itself_is_toml_that_a_spec_takes() -> None:
    setting = Setting(10, 5, 20, 2, 0)
    text = values(setting)
    assert tomllib.loads(text) == setting.to_json()
    assert text.endswith("admission = 0  # a gate that lets 15 in at once")
    assert "threads" not in values(setting, threads=False)
    assert values(FRAMEWORK_DEFAULT).endswith("# no gate")
