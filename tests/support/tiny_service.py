"""A tiny service that tells what it was started with, and arms that run it."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from loadtests.environment.database import Database
from loadtests.environment.launch import Launch
from loadtests.environment.placement import choose_placement
from loadtests.environment.servers import RunningInstance, ask, running_arms
from loadtests.scenarios.catalogue import READ_ONE
from loadtests.spec import Arm, RunSpec, Spec
from loadtests.trials import Target

PYTHON = sys.executable
TINY = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        told = json.dumps({"env": dict(os.environ), "cwd": os.getcwd(), "argv": sys.argv[1:],
                           "pid": os.getpid(), "headers": dict(self.headers)}).encode()
        self.send_response(200 if self.path in ("/health", "/") else 404)
        self.end_headers()
        self.wfile.write(told)
    def log_message(self, *words): pass
class Server(ThreadingHTTPServer):
    allow_reuse_address = True
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
NOTHING = Database()


def not_started(arm: Arm, launch: Launch | None = None) -> RunningInstance:
    return RunningInstance(Target(arm.name, 0, "http://127.0.0.1:1"), None, None, arm, launch)


def starting(folder: Path) -> Callable[..., Any]:
    """`running_arms` of a spec beside `tiny.py`."""

    def start(*arms: Arm, instances: int = 1, database: Database = NOTHING, **more: Any) -> Any:
        spec = Spec(run=RunSpec(), arm=arms, scenario=(READ_ONE,), folder=str(folder))
        given = {
            "placement": choose_placement([]),
            "log_folder": folder / "logs",
            "say": lambda _: None,
            **more,
        }
        return running_arms(spec, database, instances=instances, **given)

    return start


def tiny(name: str = "tiny", **more: Any) -> Arm:
    return Arm(name=name, **{"command": f"{PYTHON} tiny.py {{port}}", **more})


def told(instance: RunningInstance) -> dict[str, Any]:
    import json

    status, body = ask(instance.target.url, "/")
    assert status == 200
    answer: dict[str, Any] = json.loads(body)
    return answer
