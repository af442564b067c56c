"""Somebody's own Locust users under the resident generator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pandas as pd
import pytest

from loadtests.errors import BenchError, SpecError
from loadtests.generators import Generators
from loadtests.scenarios.model import LoadSpec, Scenario
from loadtests.trials import (
    ClosedLoad,
    Target,
    TrialOrder,
    TrialOutcome,
)
from tests.support.known_server import KnownServer, known_server
from tests.support.lonely_generator import lonely, order

TIMEOUT_S = 1.0


@pytest.fixture(scope="module")
def server() -> Iterator[KnownServer]:
    with known_server() as running:
        yield running


OWN_USERS = """
import locust
from locust import FastHttpUser, HttpUser, TaskSet, constant, task

class Slow(TaskSet):
    wait_time = constant(0.05)

    @task
    def nested(self):
        self.client.get("/nested")

class Requests(HttpUser):
    fixed_count = 2
    tasks = [Slow]

    def on_start(self):
        self.client.post("/login")

class Fast(FastHttpUser):
    @task(3)
    def read(self):
        self.client.get("/status/503?x=1", name="unwell")

    @task
    def drop(self):
        self.client.get("/drop")

    @task
    def checked(self):
        with self.client.get("/fine", catch_response=True) as response:
            response.failure("not what I wanted")

@locust.events.test_start.add_listener
def starting(environment, **_):
    print("test starts for", environment.host, flush=True)
"""


def own(file: str, timeout_s: float = 2.0) -> Scenario:
    load = LoadSpec(model="closed", users=4)
    return Scenario(name="own", locustfile=file, timeout_s=timeout_s, load=load)


def test_somebodys_own_users(server, tmp_path) -> None:
    (tmp_path / "traffic.py").write_text(OWN_USERS)
    server.log.clear()
    with lonely(server, tmp_path, own("traffic.py")) as generator:
        for name in ("a", "b", "a"):
            target = Target(name, 0, server.url, (("x-token", name),))
            server.log.clear()
            _, samples = run_own(
                generator, server, order(target, "own", ClosedLoad(4), steady_s=0.5)
            )
            assert {logged.headers.get("x-token") for logged in server.log} == {name}
            assert samples.key.isna().all()
            check_own_samples(samples)
    log = (tmp_path / "generator.log").read_text()
    assert log.count(f"test starts for {server.url}") == 2


def run_own(
    generator: Generators, server: KnownServer, wanted: TrialOrder
) -> tuple[TrialOutcome, pd.DataFrame]:
    outcome = generator.run_trial(wanted)
    samples = outcome.samples.to_pandas()
    served = Counter(logged.path for logged in server.log if logged.path != "/login")
    names = {"/nested": "/nested", "/status/503?x=1": "unwell", "/drop": "/drop", "/fine": "/fine"}
    recorded = Counter(samples.request)
    assert recorded == {f"GET {names[path]}": count for path, count in served.items()}
    assert outcome.planned == outcome.sent == outcome.recorded == len(samples)
    return outcome, samples


def check_own_samples(samples: pd.DataFrame) -> None:
    by_name = {str(name): rows for name, rows in samples.groupby("request")}
    assert by_name["GET /nested"].ok.all()
    assert set(by_name["GET /nested"].db_ms) == {2.0}
    assert set(by_name["GET unwell"].error) == {"HTTP 503"}
    assert set(by_name["GET /fine"].error) == {"not what I wanted"}
    assert not by_name["GET /drop"].ok.any()
    # two users with a wait time of 0.05 s cannot send more than this in 0.6 s
    assert 2 <= len(by_name["GET /nested"]) <= 26


def test_a_stuck_user_is_ended_recorded_and_replaced(server, tmp_path) -> None:
    (tmp_path / "stuck.py").write_text(
        "from locust import HttpUser, task\n"
        "class Stuck(HttpUser):\n"
        "    @task\n"
        "    def hang(self):\n"
        "        self.client.get('/hang')\n"
    )
    with lonely(server, tmp_path, own("stuck.py", TIMEOUT_S)) as generator:
        for _ in range(2):
            server.log.clear()
            outcome = generator.run_trial(
                order(Target("a", 0, server.url), "own", ClosedLoad(4), steady_s=0.2)
            )
            assert server.paths() == {"/hang": 4}
            assert outcome.recorded == 4
            assert set(outcome.samples["error"].to_pylist()) == {"timeout"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import nothing_of_this_name", "nothing_of_this_name"),
        ("x = 1", "no Locust user class"),
        ("from locust import FastHttpUser\nclass U(FastHttpUser):\n    max_retries = 2", "retries"),
    ],
)
def test_a_locustfile_that_cannot_be_used(server, tmp_path, text, message) -> None:
    (tmp_path / "traffic.py").write_text(text)
    with pytest.raises(SpecError, match=message):
        lonely(server, tmp_path, own("traffic.py"))


def test_own_users_that_fail_to_start(server, tmp_path) -> None:
    (tmp_path / "traffic.py").write_text(
        "from locust import HttpUser, task\n"
        "class Failing(HttpUser):\n"
        "    def on_start(self):\n"
        "        raise ValueError('no password')\n"
        "    @task\n"
        "    def nothing(self):\n"
        "        pass\n"
    )
    with (
        lonely(server, tmp_path, own("traffic.py")) as generator,
        pytest.raises(BenchError, match="ValueError: no password"),
    ):
        generator.run_trial(order(Target("a", 0, server.url), "own", ClosedLoad(4)))
